"""Expressions that are searched for in path and query, as expressions for paths.

Elsewhere an expression is looked for anywhere in ``/path?query``; here it has to match
the whole path, and the query is never part of it. So an expression has two readings:

    inside   paths for which it is met, whatever the query
    outside  paths for which some query meets it

``^/api/`` is read exactly. ``^/health$`` means ``/health`` without any query, which no
path alone can say: nothing is inside, ``/health`` is outside.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from forwardauth.access_control.regexes import Regex
from forwardauth.migration.regex_syntax import (
    Branch,
    OddExpressionError,
    join,
    parse_expression,
)

_MARK: Final = "?"
_EVERYTHING: Final = ".*"
_MARKS: Final = frozenset({r"\?", "[?]", r"[\?]"})
_STARTS: Final = frozenset({"^", r"\A"})
_ENDS: Final = frozenset({"$", r"\z"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Expressions that have to match a whole path, any of them.

    Attributes:
        inside: For paths that are meant whatever the query; empty for none.
        outside: For paths that are meant with some query.
    """

    inside: tuple[str, ...]
    outside: tuple[str, ...]

    @property
    def is_everything(self) -> bool:
        """Whether it means every path, so that no criterion is needed."""
        return _EVERYTHING in self.inside


_UNKNOWN: Final = Reading(inside=(), outside=(_EVERYTHING,))


def read_resources(texts: Iterable[str], *, any_query: bool = False) -> Reading:
    """Return how *texts*, any of which will do, are read together.

    Args:
        texts: Expressions as Go reads them.
        any_query: Take ``$`` for the end of the path, whatever the query.

    Raises:
        ValueError: One of them is no expression; says why.
    """
    readings = [_read(text, any_query=any_query) for text in texts]
    return _together(readings)


def search_whole(text: str) -> str:
    """Return what matches a whole value where *text* is found in it.

    The anchors of *text* keep their meaning: what stands around it is then empty.
    """
    try:
        branches = parse_expression(text)
    except OddExpressionError:
        branches = ()
    if len(branches) == 1:
        body, starts, ends = _strip(branches[0])
        if body and body[-1].is_anything:
            body, ends = body[:-1], False
        if not any(piece.has_anchor for piece in body):
            return _around(join(body), starts=starts, ends=ends)
    return f".*(?:{text}).*"


def _read(text: str, *, any_query: bool) -> Reading:
    regex = Regex(text)
    try:
        branches = parse_expression(text)
    except OddExpressionError:
        return _UNKNOWN
    if regex.names_subject:
        # Whom such a group means depends on who asks.
        plain = text.replace("?P<User>", "?:").replace("?P<Group>", "?:")
        plain = plain.replace("?<User>", "?:").replace("?<Group>", "?:")
        return Reading(inside=(), outside=_read(plain, any_query=any_query).outside)
    return _together([_read_branch(each, any_query=any_query) for each in branches])


def _read_branch(branch: Branch, *, any_query: bool) -> Reading:
    body, starts, ends = _strip(branch)
    if any(piece.has_anchor for piece in body):
        return _UNKNOWN
    if body and body[-1].is_anything:
        body, ends = body[:-1], False
    if not body:
        return _exactly(_EVERYTHING)
    if not starts:
        found = _around(join(body), starts=False, ends=ends)
        inside = () if ends and not any_query else (found,)
        return Reading(inside=inside, outside=(_EVERYTHING,))
    return _read_from_start(body, ends=ends, any_query=any_query)


def _read_from_start(body: Branch, *, ends: bool, any_query: bool) -> Reading:
    """Return how ``^body`` or ``^body$`` is read; *body* is not empty."""
    last = body[-1]
    if ends and last.branches and last.repeat in {"", "?"} and last.can_match(_MARK):
        choices = [body[:-1] + each for each in last.branches]
        choices += [body[:-1]] if last.repeat else []
        return _read_choices(choices, any_query=any_query)
    if not ends and last.is_optional:
        shorter = body[:-1]
        if not shorter:
            return _exactly(_EVERYTHING)
        return _read_from_start(shorter, ends=False, any_query=any_query)
    return _read_choices([body], any_query=any_query, ends=ends)


def _read_choices(
    choices: list[Branch], *, any_query: bool, ends: bool = True
) -> Reading:
    """Return how any of *choices* is read, each from the start of the path.

    A path without query and the same path with any query are the path whatever the
    query: ``^/api([/?].*)?$`` is read exactly.
    """
    readings: list[Reading] = []
    without_query: set[str] = set()
    with_query: set[str] = set()
    for choice in choices:
        has_tail = bool(choice) and choice[-1].is_anything
        body = choice[:-1] if has_tail else choice
        is_open = has_tail or not ends
        place = next((i for i, p in enumerate(body) if p.can_match(_MARK)), None)
        if place is not None:
            path, rest = _read_into_query(body, place)
            if is_open and place == len(body) - 1 and not body[place].repeat:
                with_query.add(path)
            else:
                readings.append(Reading(inside=(), outside=(path,)))
            if rest is not None:
                readings.append(
                    _read_choices([rest], any_query=any_query, ends=not is_open)
                )
        elif is_open:
            readings.append(_exactly(f"{join(body)}.*"))
        else:
            without_query.add(join(body))
    whole = without_query if any_query else without_query & with_query
    readings += [_exactly(path) for path in sorted(whole)]
    readings += [
        Reading(inside=(), outside=(path,))
        for path in sorted((without_query | with_query) - whole)
    ]
    return _together(readings)


def _read_into_query(body: Branch, place: int) -> tuple[str, Branch | None]:
    """Return how *body* is read whose piece at *place* can match the question mark.

    Returns:
        What the path is when that piece does, and so the rest is about the query; and
        *body* with a piece that does not, ``None`` where it has to.
    """
    before, piece, after = join(body[:place]), body[place], body[place + 1 :]
    if piece.branches:
        path = f"{before}.*"
    else:
        path = f"{before}{piece.text}*" if piece.repeat else before
    if not piece.repeat and piece.text in _MARKS:
        return path, None
    return path, (*body[:place], replace(piece, is_in_path=True), *after)


def _strip(branch: Branch) -> tuple[Branch, bool, bool]:
    """Return *branch* without the anchors at its ends, and whether it had them."""
    starts = bool(branch) and branch[0].text in _STARTS
    body = branch[1:] if starts else branch
    ends = bool(body) and body[-1].text in _ENDS
    return (body[:-1] if ends else body), starts, ends


def _around(text: str, *, starts: bool, ends: bool) -> str:
    whole = f"{'' if starts else '.*'}{text}{'' if ends else '.*'}"
    return _EVERYTHING if whole == ".*.*" else whole


def _exactly(text: str) -> Reading:
    return Reading(inside=(text,), outside=(text,))


def _together(readings: Iterable[Reading]) -> Reading:
    found = list(readings)
    inside = dict.fromkeys(text for each in found for text in each.inside)
    outside = dict.fromkeys(text for each in found for text in each.outside)
    if _EVERYTHING in inside:
        return _exactly(_EVERYTHING)
    if _EVERYTHING in outside:
        outside = {_EVERYTHING: None}
    return Reading(inside=tuple(inside), outside=tuple(outside))
