/* The meter below a new password. The server judges it, by the rules that it will be held
   to, so that meter and answer never differ; without scripts the answer alone says it. */

"use strict";

const PAUSE_MS = 300;

const field = document.getElementById("new");
const place = document.getElementById("strength");
if (field && place) {
  const meter = place.querySelector("meter");
  const words = place.querySelector("[role=status]");
  let pause = 0;
  let asked = "";

  const judge = async () => {
    const typed = field.value;
    asked = typed;
    const body = new URLSearchParams({
      csrf_token: field.form.elements.csrf_token.value,
      new_password: typed,
    });
    try {
      const answer = await fetch(place.dataset.url, { method: "POST", body });
      // What was typed meanwhile will be asked for; an older answer is not shown.
      if (!answer.ok || asked !== typed || field.value !== typed) return;
      const { score, weakness = null } = (await answer.json()).data;
      meter.value = weakness === null ? score : Math.min(score, 2);
      words.textContent = place.dataset[weakness ?? (score < meter.max ? "good" : "best")];
      place.hidden = false;
    } catch {
      place.hidden = true;
    }
  };

  field.addEventListener("input", () => {
    clearTimeout(pause);
    asked = "";
    if (field.value) pause = setTimeout(judge, PAUSE_MS);
    else place.hidden = true;
  });
}
