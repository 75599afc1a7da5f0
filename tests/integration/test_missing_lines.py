"""The shipped files without one of their lines, behind the real proxies.

Every line is either set-up that any proxy has, or is missed once: the proxy runs
without it, and what comes of that is observed. The documents say the same.
"""

from collections.abc import Iterator

import pytest

from tests.support.altered_gateways import Workshop, workshop
from tests.support.certificates import create_certificates
from tests.support.consequences import Consequence
from tests.support.line_documents import documented_lines
from tests.support.lines import SHIPPED_LINES
from tests.support.shipped_lines import (
    Given,
    Line,
    ShippedLines,
    fold,
    is_meant,
    significant_lines,
    warned_lines,
    with_given,
    without,
)

WARNING = "DANGER"
"""Stands in the comment above a line without which somebody gets what is not theirs."""

CASES = [
    pytest.param(
        lines.proxy,
        file,
        line,
        id=f"{lines.proxy}-{file}-{line.words}-{line.instead or 'missing'}"
        + ("-given" if line.given else ""),
    )
    for lines in SHIPPED_LINES.values()
    for file, line in lines
]
GIVEN = [
    pytest.param(lines.proxy, line.given, id=f"{lines.proxy}-{line.words}")
    for lines in SHIPPED_LINES.values()
    for _, line in lines
    if line.given
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """Run the service and the applications, for all proxies."""
    folder = tmp_path_factory.mktemp("missing-lines")
    certificates = create_certificates(
        folder / "certificates", "example.com", "*.example.com"
    )
    with workshop(folder, certificates) as running:
        yield running


@pytest.fixture(params=list(SHIPPED_LINES.values()), ids=list(SHIPPED_LINES))
def shipped(request: pytest.FixtureRequest) -> ShippedLines:
    """Return the lines of each proxy in turn."""
    lines: ShippedLines = request.param
    return lines


def test_shipped_files_leave_nothing_to_wish(
    place: Workshop, shipped: ShippedLines
) -> None:
    """With all its lines each proxy passes every inspection."""
    consequence = place.consequence(shipped.proxy, tolerated=shipped.tolerated)

    assert consequence is Consequence.NO_DIFFERENCE


@pytest.mark.parametrize(("proxy", "given"), GIVEN)
def test_shipped_files_withstand_what_operators_have(
    place: Workshop, proxy: str, given: Given
) -> None:
    """What a line guards against does no harm while the line is there (V-2)."""
    consequence = place.consequence(proxy, with_given(given))

    assert not consequence.is_dangerous


@pytest.mark.parametrize(("proxy", "file", "line"), CASES)
def test_missing_line_has_its_consequence(
    place: Workshop, proxy: str, file: str, line: Line
) -> None:
    """Without the line, the worst that shows is what the table says."""
    tolerated = SHIPPED_LINES[proxy].tolerated

    consequence = place.consequence(proxy, without(file, line), tolerated=tolerated)

    assert consequence is line.consequence


def test_every_line_is_accounted_for(shipped: ShippedLines) -> None:
    """Each line of the shipped files is missed once, or is set-up of any proxy."""
    offenders = [
        f"{file}: {words}"
        for file, set_up in shipped.set_up.items()
        for words in significant_lines(shipped.text(file))
        if not any(is_meant(known.words, words) for known in shipped.lines[file])
        and not any(is_meant(known, words) for known in set_up)
    ]

    assert not offenders


def test_dangerous_lines_are_marked(shipped: ShippedLines) -> None:
    """Whoever edits the file is warned before the line is gone."""
    offenders = [
        f"{file}: {line.words}"
        for file, line in shipped
        if line.consequence.is_dangerous
        if not any(
            is_meant(line.words, words)
            for words in warned_lines(shipped.text(file), WARNING)
        )
    ]

    assert not offenders


def test_document_has_every_line(shipped: ShippedLines) -> None:
    """The page names each line, and the consequence that was observed."""
    documented = documented_lines(shipped.proxy)

    offenders = [
        f"{file}: {line.words} -> {line.consequence}"
        for file, line in shipped
        if (file, line.words, fold(line.instead or ""), line.consequence)
        not in documented
    ]

    assert not offenders
