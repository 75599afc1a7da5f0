"""The report: what is asked of people first, in the order of the source's lines."""

from forwardauth.migration.report import Fate, Report


def report() -> Report:
    """Return a report with one finding of each of three fates, and two of one."""
    found = Report(source="x.yml")
    found.tell(Fate.TAKEN, "b", 9, "session.b")
    found.tell(Fate.TAKEN, "a", 2, "session.a")
    found.tell(Fate.LEFT, "theme", 1, "there is none")
    found.tell(Fate.TO_DO, "portal", None, "name it")
    return found


def test_people_read_what_to_do_first() -> None:
    """Each fate has a heading; a default has no line."""
    assert report().lines() == [
        "to do:",
        "  x.yml: portal: name it",
        "no counterpart:",
        "  x.yml:1: theme: there is none",
        "taken over:",
        "  x.yml:2: a: session.a",
        "  x.yml:9: b: session.b",
    ]


def test_programs_get_the_same_as_records() -> None:
    """In the same order."""
    records = report().records()

    assert [record["fate"] for record in records] == ["to_do", "left", "taken", "taken"]
    assert records[1] == {
        "fate": "left",
        "key": "theme",
        "file": "x.yml",
        "line": 1,
        "text": "there is none",
    }
