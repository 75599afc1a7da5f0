"""The examples below the help of a command."""


def examples(*lines: str) -> str:
    """Return *lines* as the ``epilog`` of a command, one on a line.

    Source: click, "Preventing rewrapping": a paragraph that starts with a backspace
    keeps its lines.
    """
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))
