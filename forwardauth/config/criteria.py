"""The criteria of a rule about what is asked for: hosts, methods, path and query.

Law: a criterion that cannot be checked is refused, never dropped; one that never
matches is warned of, since the rule is then without effect.
"""

from collections.abc import Callable
from typing import Final

from forwardauth.access_control.asked import read_path
from forwardauth.access_control.criteria import MethodCriterion, PathCriterion
from forwardauth.access_control.queries import Operator, QueryCriterion, QueryTerm
from forwardauth.access_control.regexes import Regex
from forwardauth.config.problems import RefusedValueError, quote
from forwardauth.config.section import Section
from forwardauth.masking import mask_text
from forwardauth.request import METHODS

_PATHS: Final = ("path", "path_regex", "resources")
_TERM_SHAPE: Final = "write [[{operator: equal, key: KEY, value: VALUE}]]"
_OPEN_ENDS: Final = ("$", ".*", ".*)?", "[^/]+", "[^/]*", "/?")


def read_methods(entry: Section) -> MethodCriterion | None:
    """Return the criterion ``methods``; ``None`` when the rule has none."""
    methods = entry.texts("methods", parse_method)
    _check_not_empty(entry, "methods", methods)
    return MethodCriterion(methods=frozenset(methods)) if methods else None


def read_path_criterion(entry: Section) -> PathCriterion | None:
    """Return the criterion about the path, by whichever of its keys is written."""
    prefixes = entry.texts("path", parse_prefix)
    regexes = entry.texts("path_regex", parse_regex)
    resources = entry.texts("resources", parse_regex)
    written = [name for name in _PATHS if entry.is_written(name)]
    for name, values in zip(_PATHS, (prefixes, regexes, resources), strict=True):
        _check_not_empty(entry, name, values)
    if len(written) > 1:
        entry.refuse(
            written[1],
            f"stands beside {written[0]}, and both say which paths are meant",
            "write one of them, or two rules",
        )
    for name, values in (("path_regex", regexes), ("resources", resources)):
        for regex in values:
            _warn_of_regex(entry, name, regex)
    if not written:
        return None
    return PathCriterion(prefixes=prefixes, regexes=regexes or resources)


def _warn_of_regex(entry: Section, name: str, regex: Regex) -> None:
    """Warn of an expression that matches less than its author may think."""
    if not regex.can_match_path:
        entry.warn(
            name,
            f"{quote(regex.text)} matches no path, since every path starts with /",
            "begin it with /",
        )
    elif r"\?" in regex.text or "[?]" in regex.text:
        entry.warn(
            name,
            f"{quote(regex.text)} looks for a question mark, and the query is never"
            " part of the path",
            "use the criterion query",
        )
    elif name == "resources" and not regex.text.endswith(_OPEN_ENDS):
        entry.warn(
            name,
            f"{quote(regex.text)} has to match the whole path, where Authelia looks"
            " for it anywhere",
            "end it with .* to mean all that follows, or with $ to mean that nothing"
            " does",
        )


def read_query(entry: Section) -> QueryCriterion | None:
    """Return the criterion ``query``; ``None`` when the rule has none."""
    lists: list[tuple[QueryTerm, ...]] = []
    for nodes in entry.alternatives("query", shape=_TERM_SHAPE):
        sections = [entry.within("query", node, shape=_TERM_SHAPE) for node in nodes]
        terms = [_read_term(section) for section in sections if section is not None]
        lists.append(tuple(term for term in terms if term is not None))
    for terms_together in lists:
        _warn_of_contradiction(entry, terms_together)
    if not lists:
        _check_not_empty(entry, "query", lists)
        return None
    return QueryCriterion(alternatives=tuple(lists))


def _read_term(section: Section) -> QueryTerm | None:
    operator = section.optional("operator", parse_operator)
    key = section.optional("key", str)
    if operator is None or key is None:
        return None
    if operator in {Operator.PRESENT, Operator.ABSENT}:
        if section.is_written("value"):
            section.refuse("value", f"means nothing beside {operator}", "take it out")
        return QueryTerm(operator=operator, key=key)
    if not section.is_written("value"):
        section.refuse("value", f"is missing, and {operator} needs it", "add it")
        return None
    is_pattern = operator in {Operator.PATTERN, Operator.NOT_PATTERN}
    parse: Callable[[str], str | Regex] = parse_regex if is_pattern else str
    value = section.optional("value", parse)
    return None if value is None else QueryTerm(operator=operator, key=key, value=value)


def _warn_of_contradiction(entry: Section, terms: tuple[QueryTerm, ...]) -> None:
    if any(one.contradicts(two) for one in terms for two in terms):
        entry.warn(
            "query",
            "asks for something and its opposite at once, so the list never matches",
            "write them as two lists, either of which will do",
        )


def _check_not_empty(entry: Section, name: str, values: object) -> None:
    if entry.is_written(name) and entry.is_sound(name) and not values:
        reason = "is empty, which would make the rule match more than it says"
        entry.refuse(name, reason, "write values, or leave the key out")


def parse_method(text: str) -> str:
    """Return *text* when it is a method that a request can have.

    Raises:
        RefusedValueError: Not one of ``METHODS``, which are upper case.
    """
    if text not in METHODS:
        remedy = f"write {text.upper()}" if text.upper() in METHODS else "correct it"
        raise RefusedValueError(f"{quote(text)} is not a method", remedy)
    return text


def parse_prefix(text: str) -> str:
    """Return *text*, a decoded path, without its final slash.

    Raises:
        RefusedValueError: No path, or one that no request is let through with: with a
            dot segment, ``//``, ``;``, ``?`` or the like. A percent sign or ``*``,
            since neither means here what it means elsewhere.
    """
    if "%" in text:
        raise RefusedValueError(
            f"{quote(text)} is percent-encoded", "write the path as people read it"
        )
    if "*" in text:
        raise RefusedValueError(
            f"{quote(text)} holds a *",
            "write the part before it, which means all below, or use path_regex",
        )
    plain = "".join(_escape(character) for character in text)
    if read_path(plain) is None:
        raise RefusedValueError(
            f"{quote(text)} is not a path that requests can have",
            "write it as /admin, without query, dots or repeated slashes",
        )
    return text.rstrip("/")


def _escape(character: str) -> str:
    """Return *character* as it comes in a request target."""
    if character.isascii() and character != " ":
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))


def parse_regex(text: str) -> Regex:
    """Return *text* as an expression.

    Raises:
        RefusedValueError: RE2 does not read it.
    """
    return _compile(text, ignores_case=False)


def parse_domain_regex(text: str) -> Regex:
    """Return *text* as an expression for hosts, where case does not count.

    Raises:
        RefusedValueError: RE2 does not read it, or it has one of the groups by which
            Authelia compares a host with whoever asks.
    """
    regex = _compile(text, ignores_case=True)
    if regex.names_subject:
        raise RefusedValueError(
            f"{quote(text)} compares the host with a user or group by the name of a"
            " group, which this version cannot check",
            "write a rule for each user or group",
        )
    return regex


def _compile(text: str, *, ignores_case: bool) -> Regex:
    try:
        return Regex(text, ignores_case)
    except ValueError as exc:
        remedy = "write it with what RE2 has; docs/rules.md names the differences"
        reason = f"{quote(text)} is not a regular expression: {mask_text(str(exc))}"
        raise RefusedValueError(reason, remedy) from exc


def parse_operator(text: str) -> Operator:
    """Return *text* as an operator of ``query``.

    Raises:
        RefusedValueError: None of them.
    """
    try:
        return Operator(text)
    except ValueError as exc:
        remedy = f"write one of: {', '.join(Operator)}"
        raise RefusedValueError(f"{quote(text)} is not an operator", remedy) from exc
