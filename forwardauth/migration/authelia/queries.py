"""The criterion ``query`` of Authelia, which reads a key that is absent as empty.

Here an absent key equals nothing and matches no pattern. So ``equal`` with an empty
value becomes two lists, either of which will do, and the like.

Source: https://www.authelia.com/reference/guides/rule-operators/
"""

from itertools import product
from typing import Final

from forwardauth.access_control.queries import Operator
from forwardauth.access_control.regexes import Regex
from forwardauth.config.tree import Listing, Node, Scalar, Table
from forwardauth.migration.authelia.source import Source
from forwardauth.migration.criteria import Term, Terms
from forwardauth.migration.resources import search_whole

_KEYS: Final = frozenset({"operator", "key", "value"})
_WITHOUT_VALUE: Final = frozenset({Operator.PRESENT, Operator.ABSENT})


def read_query(source: Source, node: Node | None) -> tuple[Terms, ...]:
    """Return the lists of terms that *node* means; empty for no criterion."""
    found: list[Terms] = []
    for item in source.items(node):
        entries = item.items if isinstance(item, Listing) else (item,)
        choices = [_read_term(source, entry) for entry in entries]
        found += (
            tuple(term for terms in combined for term in terms)
            for combined in product(*choices)
        )
    # An empty list asks for nothing, so that the criterion is always met.
    return () if () in found else tuple(found)


def _read_term(source: Source, node: Node) -> tuple[Terms, ...]:
    """Return the lists of terms, any of which means what the one term does."""
    if not isinstance(node, Table) or not node.entries.keys() <= _KEYS:
        source.refuse(node, "is no term of a query", "write operator, key and value")
        return ()
    key, value = (_text_at(source, node, name) for name in ("key", "value"))
    default = Operator.PRESENT if value is None else Operator.EQUAL
    word = _text_at(source, node, "operator") or default.value
    try:
        operator = Operator(word)
    except ValueError:
        source.refuse(node, "has no operator that is known", "correct the operator")
        return ()
    if key is None:
        source.refuse(node, "has no key", "add it")
        return ()
    if operator in _WITHOUT_VALUE:
        return ((Term(operator=operator, key=key),),)
    return _spell(source, node, operator, key, value or "")


def _text_at(source: Source, node: Table, name: str) -> str | None:
    found = node.entries.get(name)
    if found is None or (isinstance(found, Scalar) and found.is_null):
        return None
    return source.text_of(found)


def _spell(
    source: Source, node: Node, operator: Operator, key: str, value: str
) -> tuple[Terms, ...]:
    is_met_by_nothing = not value
    if operator in {Operator.PATTERN, Operator.NOT_PATTERN}:
        try:
            Regex(value)
            value = search_whole(value)
            is_met_by_nothing = Regex(value).matches("")
        except ValueError as exc:
            source.refuse(node, f"is not a regular expression: {exc}", "correct it")
            return ()
    term = Term(operator=operator, key=key, value=value)
    if not is_met_by_nothing:
        return ((term,),)
    if operator in {Operator.EQUAL, Operator.PATTERN}:
        return ((term,), (Term(operator=Operator.ABSENT, key=key),))
    return ((Term(operator=Operator.PRESENT, key=key), term),)
