"""A reading: what its question comes to for a browser in which nobody is signed in."""

from pathlib import Path

from forwardauth.adapters.base import Adapter, RequestKind
from forwardauth.adapters.identity import IdentityHeaders
from forwardauth.adapters.registry import create_adapters
from forwardauth.web import keys
from forwardauth.web.question import Question
from forwardauth.web.reading import Reading
from tests.support.access import ask
from tests.support.portal import APP, Portal


def _nginx() -> Adapter:
    adapters = create_adapters(IdentityHeaders())
    return next(each for each in adapters if each.name == "nginx")


def test_way_to_the_portal_is_worked_out_once_when_it_is_taken(tmp_path: Path) -> None:
    """A browser in which nobody is signed in is sent there, and knows the way back."""
    app = Portal(tmp_path).app
    settings = app[keys.SETTINGS]
    original = ask(APP, "/inbox?a=b", method="POST")
    domain = settings.domains.home
    reading = Reading(
        adapter=_nginx(),
        question=Question(original=original, domain=domain),
        selection=app[keys.ACCESS_CONTROL].select(original),
        case=0,
        targets=settings.targets,
        kind=RequestKind.NAVIGATION,
        domain=domain.name,
    )

    sent = reading.sent_to_portal()

    location = (
        b"Location: https://auth.example.com/login"
        b"?rd=https%3A%2F%2Fapp.example.com%2Finbox%3Fa%3Db&rm=POST\r\n"
    )
    assert location in sent.now()
    assert reading.sent_to_portal() is sent
