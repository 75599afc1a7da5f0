"""What signs with the one key, each for its own purpose."""

from aiohttp import web

from forwardauth.config.schema import Settings
from forwardauth.web import keys
from forwardauth.web.csrf import FormTokens
from forwardauth.web.doctor_proof import DoctorProofs
from forwardauth.web.link_state import LinkStates
from forwardauth.web.logout_tokens import LogoutTokens
from forwardauth.web.notices import Notices


def add_signers(main: web.Application, key: bytes, settings: Settings) -> None:
    """Add to *main* what signs with *key*."""
    clock = main[keys.CLOCK]
    main[keys.DOCTOR_PROOFS] = DoctorProofs(key, clock)
    main[keys.LINK_STATES] = LinkStates(key, clock)
    main[keys.NOTICES] = Notices(key, clock)
    main[keys.TOKENS] = FormTokens(key, clock)
    issuer = settings.domains.home.portal_url("")
    main[keys.LOGOUT_TOKENS] = LogoutTokens(key, issuer=issuer, clock=clock)
    if settings.logout.notify:
        main[keys.LOGOUT_TOKENS].prepare()
