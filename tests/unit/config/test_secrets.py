"""What may be shown of values that hold secrets, and that none is forgotten."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from forwardauth.config import schema
from forwardauth.config.document import load_document
from forwardauth.config.effective import resolve
from forwardauth.config.effective_yaml import dump_yaml
from forwardauth.config.keys import KEYS, Kind
from forwardauth.config.load import read_draft
from forwardauth.config.problems import Findings
from forwardauth.config.secrets import SECRETS, mask_store, shown
from forwardauth.errors import ConfigError
from forwardauth.masking import MASK
from tests.support.configuration import COMPLETE, write_config

PLANTED = "hunter2-hunter2-hunter2-hunter2-hunter2"


def hidden_fields() -> Iterator[str]:
    """Yield the key of each setting that its class leaves out of ``repr``."""
    sections = {
        field.name: field.type
        for field in dataclasses.fields(schema.Settings)
        if dataclasses.is_dataclass(field.type)
    }
    for name, section in sections.items():
        assert isinstance(section, type)
        for field in dataclasses.fields(section):
            if not field.repr:
                yield f"{name}.{field.name}"


def test_every_hidden_setting_is_masked_and_no_other() -> None:
    """Who adds a secret to the settings hides it there, and so learns of this table."""
    assert set(hidden_fields()) == set(SECRETS)
    assert set(SECRETS) <= set(KEYS)


def test_no_key_is_called_a_secret_and_shown() -> None:
    """Nor is one that its class forgot to hide."""
    names = ("secret", "password", "token", "credential")
    called = {key for key in KEYS if key.rpartition(".")[2].endswith(names)}

    assert called <= set(SECRETS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("memory:", "memory:"),
        ("sqlite:/var/lib/sessions.db", "sqlite:/var/lib/sessions.db"),
        ("redis://redis", "redis://redis"),
        ("redis://:hunter2@redis/0", f"redis://:{MASK}@redis/0"),
        ("rediss://me:hunter2@[::1]:1/0", f"rediss://me:{MASK}@[::1]:1/0"),
        (
            "redis+sentinel://me:hunter2@a:1,b:2/main?sentinel_password=hunter2&pool=9",
            f"redis+sentinel://me:{MASK}@a:1,b:2/main?sentinel_password={MASK}&pool=9",
        ),
        ("redis://a:b@c:hunter2@d", MASK),
        ("nonsense hunter2", MASK),
    ],
)
def test_store_is_shown_without_its_passwords(text: str, told: str) -> None:
    """Servers and options are no secret; what cannot be read is masked as a whole."""
    assert mask_store(text) == told


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        ("session.secret", PLANTED, MASK),
        (
            "logout.notify",
            "https://a.example.com/x?t=1",
            f"https://a.example.com/x?{MASK}",
        ),
        ("logout.notify", "https://a.example.com/x", "https://a.example.com/x"),
        ("portal.title", "Sign in", "Sign in"),
        ("users.file", "https://u:hunter2@h/u.yaml", f"https://{MASK}@h/u.yaml"),
        ("session.store", "sqlite:ftp://u:hunter2@h/x", f"sqlite:ftp://{MASK}@h/x"),
        ("users.file", "/srv/a@b:c/users.yaml", "/srv/a@b:c/users.yaml"),
        ("portal.footer.*.url", "mailto:a@b.example", "mailto:a@b.example"),
        ("logout.default_target", "https://a.example/?x=1", "https://a.example/?x=1"),
    ],
)
def test_value_is_shown_by_its_key(key: str, text: str, told: str) -> None:
    """What is no secret is shown as it is."""
    assert shown(key, text) == told


@pytest.mark.parametrize("key", SECRETS)
@pytest.mark.parametrize("is_list", [False, True], ids=["alone", "in a list"])
def test_planted_secret_comes_out_of_no_key(
    tmp_path: Path, key: str, is_list: bool
) -> None:
    """Wherever a secret may stand, however it is written, nothing shows it."""
    if is_list and KEYS[key].kind is Kind.TEXT:
        is_list = False
    section, _, name = key.partition(".")
    values = {
        "session.store": f"redis://u:{PLANTED}@h/0?prefix=x",
        "session.secret": PLANTED,
        "logout.notify": f"https://a.example.com/?{PLANTED}",
    }
    value = f"['{values[key]}']" if is_list else f"'{values[key]}'"
    path = write_config(tmp_path, f"{COMPLETE}{section}: {{{name}: {value}}}\n")

    text = dump_yaml(resolve(load_document(path, findings=Findings()), {}))

    assert PLANTED not in text
    assert MASK in text


FORMS = (
    f"zz://u:{PLANTED}@h.example",
    f"zz://u:a/{PLANTED}?b@h.example",
    f"https://zz.example?token={PLANTED}",
    f"/zz/..?token={PLANTED}",
    f"u:{PLANTED}@h.example:1",
    f".//u:{PLANTED}@h.",
)
"""Values that hardly any key accepts, each with a secret in it."""


@pytest.mark.parametrize(
    "key", [key for key in KEYS if KEYS[key].kind is not Kind.ENTRIES]
)
def test_no_message_about_any_key_repeats_a_secret(tmp_path: Path, key: str) -> None:
    """Whatever is written under it, and whatever is said about that."""
    for form in FORMS:
        text = f"'{form}'"
        for part in reversed(key.split(".")):
            text = f"[{text}]" if part == "*" else f"{{{part}: {text}}}"

        findings = read_draft(write_config(tmp_path, text), {}).findings

        told = [str(each) for each in (*findings.problems, *findings.warnings)]
        assert told
        assert PLANTED[:10] not in "".join(told)


MISPLACED = {
    "key": f"session:\n  redis://u:{PLANTED}@h/0:\n",
    "key, twice": f"session: {{secret: {{'u:{PLANTED}@h': 1, 'u:{PLANTED}@h': 2}}}}\n",
    "tag": f"session:\n  secret: !{PLANTED}\n",
    "tag with a handle": f"session:\n  secret: !{PLANTED}!x\n",
    "alias": f"session:\n  secret: *{PLANTED}\n",
    "anchor": f"session: {{secret: &{PLANTED} a, store: &{PLANTED} b}}\n",
    "mapping": f"session:\n  store: redis: //u:{PLANTED}@h\n",
    "escape": f'session:\n  secret: "\\{PLANTED}"\n',
    "option": f"session:\n  store: redis://u:p?{PLANTED.replace('-', '_')}=1@h\n",
}


@pytest.mark.parametrize("text", MISPLACED.values(), ids=MISPLACED)
def test_no_message_repeats_a_secret_that_is_no_value(
    tmp_path: Path, text: str
) -> None:
    """To YAML a password without quotes may be a tag, an alias, or a key."""
    path = write_config(tmp_path, COMPLETE + text)

    told = list(map(str, problems_of(path)))

    assert told
    assert "hunter2-h" not in "".join(told)
    assert "hunter2_h" not in "".join(told)


def problems_of(path: Path) -> tuple[object, ...]:
    """Return what is wrong with the file *path*."""
    try:
        return tuple(read_draft(path, {}).findings.problems)
    except ConfigError as exc:
        return exc.problems
