"""Whom a rule is for: ``users``, ``groups``, or ``subject`` in Authelia's form."""

from collections.abc import Sequence
from itertools import product
from typing import Final

from forwardauth.access_control.matchers import SubjectCriterion, Together
from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.section import Section

_USER: Final = "user:"
_GROUP: Final = "group:"
_WHOM: Final = ("users", "groups", "subject")
_MISSHAPEN: Final = (
    "is not one value",
    "write user:NAME or group:NAME, or lists of them",
)


def read_subject(entry: Section) -> SubjectCriterion:
    """Return whom the rule is for; everybody when none of the keys is written."""
    users = entry.texts("users", _parse_name)
    groups = entry.texts("groups", _parse_name)
    together = _read_together(entry)
    written = [name for name in _WHOM if entry.is_written(name)]
    if "subject" in written and len(written) > 1:
        reason = "stands beside users or groups"
        entry.refuse("subject", reason, "write one way or the other")
    if written and entry.is_sound(*_WHOM) and not (users or groups or together):
        reason = "is empty, which would make the rule one for everybody"
        entry.refuse(written[0], reason, "write names, or leave the key out")
    if users and groups:
        # Two keys of one rule: one of the users, who is in one of the groups.
        return SubjectCriterion(together=_pairs(users, groups))
    return _simplify(frozenset(users), frozenset(groups), together)


def _read_together(entry: Section) -> tuple[Together, ...]:
    """Return ``subject``: the outer list is any of, a list inside it all of."""
    found: list[Together] = []
    for nodes in entry.alternatives("subject"):
        texts = [
            entry.value("subject", node, _parse_subject, _MISSHAPEN) for node in nodes
        ]
        subjects = [text for text in texts if text is not None]
        together = Together(
            users=_names(subjects, _USER), groups=_names(subjects, _GROUP)
        )
        if len(together.users) > 1:
            reason = f"{together} is nobody: one is a single user at a time"
            entry.warn("subject", reason, "write the users as lists of their own")
        if subjects:
            found.append(together)
    return tuple(found)


def _pairs(users: Sequence[str], groups: Sequence[str]) -> tuple[Together, ...]:
    return tuple(
        Together(users=frozenset({user}), groups=frozenset({group}))
        for user, group in product(dict.fromkeys(users), dict.fromkeys(groups))
    )


def _simplify(
    users: frozenset[str], groups: frozenset[str], together: tuple[Together, ...]
) -> SubjectCriterion:
    """Return the criterion with lists of one among the plain users and groups."""
    single = [each for each in together if len(each.users) + len(each.groups) == 1]
    return SubjectCriterion(
        users=users.union(*(each.users for each in single)),
        groups=groups.union(*(each.groups for each in single)),
        together=tuple(each for each in together if each not in single),
    )


def _names(subjects: list[str], prefix: str) -> frozenset[str]:
    return frozenset(
        text.removeprefix(prefix) for text in subjects if text.startswith(prefix)
    )


def _parse_name(text: str) -> str:
    """Return a name of a user or group as the users file has it."""
    if text.startswith((_USER, _GROUP)):
        raise RefusedValueError(
            f"{quote(text)} holds a prefix", "write the name alone, or use subject"
        )
    return text


def _parse_subject(text: str) -> str:
    prefix, _, name = text.partition(":")
    if f"{prefix}:" not in {_USER, _GROUP} or not name:
        raise RefusedValueError(
            f"{quote(text)} is not a subject", "write user:NAME or group:NAME"
        )
    return text
