"""A whole configuration from the little that most programs say."""

from datetime import timedelta
from pathlib import Path

from forwardauth.access_control.decision import Outcome
from forwardauth.migration.choices import Choices
from forwardauth.migration.outcome import Outcome as Imported
from forwardauth.migration.portals import Portal
from forwardauth.migration.report import Fate, Report
from forwardauth.migration.site import Site, protect_all, write_site
from tests.support.access import ALICE, ask
from tests.support.migration import accept

SITE = Site(
    portals=(
        Portal(domain="example.com", url="https://auth.example.com", note="from x"),
    ),
    host="",
    port="9000",
    listener_key="port",
    lifetime_seconds=10**9,
)


def test_what_no_source_says_is_strict(tmp_path: Path) -> None:
    """Nobody is remembered, and no session is longer than a cookie can be."""
    report = Report(source="x")
    choices = Choices(folder=tmp_path)

    config = write_site(
        SITE, protect_all("example.com"), choices=choices, report=report
    )

    written = accept(Imported(config=config, report=report), tmp_path)
    session = written.settings.session
    assert session.remember_me is None
    assert session.absolute_timeout == session.idle_timeout == timedelta(days=400)
    assert str(written.settings.server.listen[0]) == "127.0.0.1:9000"
    assert written.texts(Fate.TO_DO, "port")
    assert written.outcome(ask("example.com")) is Outcome.SIGN_IN
    assert written.outcome(ask("example.com"), ALICE) is Outcome.ALLOW
    assert written.outcome(ask("other.net"), ALICE) is Outcome.FORBIDDEN
