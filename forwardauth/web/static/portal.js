/* What the pages gain where scripts run; without them they do the same, a step later.
   It goes nowhere but to the address that the server has written into the form. */

"use strict";

const byId = (id) => document.getElementById(id);

for (const button of document.querySelectorAll(".reveal")) {
  const field = byId(button.getAttribute("aria-controls"));
  const show = (isShown) => {
    field.type = isShown ? "text" : "password";
    button.setAttribute("aria-pressed", isShown);
  };
  button.hidden = false;
  button.addEventListener("click", () => show(field.type === "password"));
  // A password manager keeps what was a password when the form was sent.
  field.form.addEventListener("submit", () => show(false));
}

const capsLock = byId("caps-lock");
for (const kind of capsLock ? ["keydown", "keyup"] : []) {
  document.addEventListener(kind, (event) => {
    // What fills fields in sends events without that method.
    const isOn = event.getModifierState?.("CapsLock");
    capsLock.hidden = !isOn || event.target.type !== "password";
  });
}

const countdown = byId("countdown");
if (countdown) {
  const digits = (minimumIntegerDigits) =>
    // In the digits that the sentence beside it has, whatever the language.
    new Intl.NumberFormat("en", { minimumIntegerDigits });
  const [minutes, seconds] = [digits(1), digits(2)];
  const end = Date.now() + 1000 * countdown.dataset.seconds;
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    countdown.textContent = `${minutes.format(Math.floor(left / 60))}:${seconds.format(left % 60)}`;
    if (left > 0) return;
    clearInterval(timer);
    countdown.hidden = true;
    countdown.parentElement.classList.remove("failure");
    countdown.parentElement.querySelector("[role=alert]").hidden = true;
    byId("wait-over").hidden = false;
  };
  const timer = setInterval(tick, 1000);
  countdown.hidden = false;
  tick();
}

const form = byId("sign-in");
if (form) {
  const button = form.querySelector("[type=submit]");
  const free = () => button.removeAttribute("aria-busy");
  const goOn = async () => {
    if (document.visibilityState !== "visible" || button.ariaBusy === "true") return;
    try {
      const answer = await fetch(form.dataset.state, { cache: "no-store" });
      const { data } = answer.ok ? await answer.json() : {};
      if (data?.authentication_level) location.replace(form.dataset.next);
    } catch {
      // Offline, or on the way out: the form is still there.
    }
  };
  form.addEventListener("submit", (event) => {
    if (button.ariaBusy === "true") event.preventDefault();
    button.setAttribute("aria-busy", "true");
    setTimeout(free, 10000);
  });
  // Somebody may have signed in from another tab, or come back by the back button.
  document.addEventListener("visibilitychange", goOn);
  addEventListener("pageshow", (event) => {
    free();
    if (event.persisted) goOn();
  });
}
