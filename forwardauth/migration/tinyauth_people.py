"""Whom an application of tinyauth lets in: users, and people others vouch for.

Law: an address that a provider has to vouch for is the user of that name here, a group
the group of that name, and nobody else gets in by either. What nobody can tell now, as
which names an expression will match, lets nobody in.

Source: https://tinyauth.app/docs/guides/access-controls
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from forwardauth.access_control.regexes import Regex
from forwardauth.migration.lines import split_list
from forwardauth.migration.resources import search_whole

Subjects: TypeAlias = tuple[tuple[str, ...], ...]

_ANYBODY: Final = frozenset({"/.*/", "/.+/"})


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The lists of one application.

    Attributes:
        said: What is said about it, by the end of the variable.
        usernames: The users there are.
        denies: Whether who is not allowed by name is kept out.
    """

    said: Mapping[str, str]
    usernames: tuple[str, ...]
    denies: bool

    @property
    def blocked(self) -> Subjects:
        """The users that are kept out, whatever else is said."""
        return _users(self._named("USERS_BLOCK"))

    @property
    def allowed(self) -> Subjects | None:
        """Who may; ``None`` for everybody who has signed in.

        Raises:
            ValueError: An expression is none.
        """
        vouched = self._vouched_for()
        is_open = not (self.denies or vouched is not None or self._blocks_later_users)
        if self._text("USERS_ALLOW"):
            named = self._named("USERS_ALLOW")
        elif is_open:
            return None
        else:
            named = () if self.denies else self.usernames
        if self._text("LDAP_GROUPS"):
            # The others are known to the directory, which has to vouch for them.
            named = tuple(name for name in named if name in self.usernames)
        return (*_users(named), *(vouched or ()))

    @property
    def _blocks_later_users(self) -> bool:
        """Whether some are blocked of whom nobody can tell now who they will be."""
        return _is_expression(self._text("USERS_BLOCK"))

    def _vouched_for(self) -> Subjects | None:
        """Return who may by the word of others; ``None`` where that is not limited."""
        addresses, groups = self._text("OAUTH_WHITELIST"), self._text("OAUTH_GROUPS")
        directory = self._text("LDAP_GROUPS")
        is_anybody = not addresses or addresses in _ANYBODY
        if is_anybody and not groups and not directory:
            return None
        found: Subjects = _groups(groups)
        if not is_anybody:
            people = _users(_list(addresses))
            found = _both(people, found) if groups else people
        elif self.denies and not addresses:
            found = ()
        return (*found, *self._known_to_directory(directory))

    def _known_to_directory(self, groups: str) -> Subjects:
        members = _groups(groups)
        allowed = self._text("USERS_ALLOW")
        if allowed:
            return _both(_users(_list(allowed)), members)
        return () if self.denies or self._blocks_later_users else members

    def _named(self, key: str) -> tuple[str, ...]:
        """Return the users that are meant at *key*, of those there are or are named."""
        text = self._text(key)
        if not _is_expression(text):
            return _list(text)
        regex = Regex(search_whole(text[1:-1]))
        everybody = dict.fromkeys((*self.usernames, *_list(self._text("USERS_ALLOW"))))
        return tuple(name for name in everybody if regex.matches(name))

    def _text(self, key: str) -> str:
        return self.said.get(key, "")


def _list(text: str) -> tuple[str, ...]:
    """Return the names in *text*; none where it is an expression."""
    return () if _is_expression(text) else split_list(text)


def _is_expression(text: str) -> bool:
    return len(text) > 1 and text.startswith("/") and text.endswith("/")


def _users(names: tuple[str, ...]) -> Subjects:
    return tuple((f"user:{name}",) for name in names)


def _groups(text: str) -> Subjects:
    return tuple((f"group:{name}",) for name in _list(text))


def _both(people: Subjects, members: Subjects) -> Subjects:
    return tuple((*person, *member) for person in people for member in members)
