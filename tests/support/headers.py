"""Header fields as a server hands them to adapters, without a server."""

from collections.abc import Iterable, Iterator


class FakeHeaders:
    """Header lines in order of arrival; names compare without case."""

    def __init__(self, *lines: tuple[str, str]) -> None:
        """Keep *lines*."""
        self.lines = lines

    def getall(self, key: str, default: list[str], /) -> list[str]:
        """Return all values of *key*, else *default*; see ``HeaderSource``."""
        wanted = key.lower()
        return [value for name, value in self.lines if name.lower() == wanted] or (
            default
        )

    def __iter__(self) -> Iterator[str]:
        """Return the names as they were sent; see ``HeaderSource``."""
        return (name for name, _ in self.lines)

    def replaced(self, name: str, *values: str) -> "FakeHeaders":
        """Return the same lines, but *name* once for each of *values*."""
        others = [line for line in self.lines if line[0].lower() != name.lower()]
        return FakeHeaders(*others, *((name, value) for value in values))

    def beside(self, others: Iterable[tuple[str, str]]) -> "FakeHeaders":
        """Return the same lines with *others* before and after them."""
        others = tuple(others)
        return FakeHeaders(*others, *self.lines, *others)
