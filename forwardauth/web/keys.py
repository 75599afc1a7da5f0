"""What the application holds for its handlers, each under a typed key."""

from typing import Final

from aiohttp import web

from forwardauth.access_control.rules import AccessControl
from forwardauth.clock import Clock
from forwardauth.sessions.handovers import Handovers
from forwardauth.sessions.manager import SessionManager
from forwardauth.sessions.revoker import SessionRevoker
from forwardauth.sessions.store import SessionStore
from forwardauth.users.file import UsersFile
from forwardauth.users.passwords import Passwords
from forwardauth.users.throttle import LoginThrottle
from forwardauth.web.assets import Assets
from forwardauth.web.audit import AuditLog
from forwardauth.web.basic import BasicSignIn
from forwardauth.web.csrf import FormTokens
from forwardauth.web.doctor_proof import DoctorProofs
from forwardauth.web.identity import Identities
from forwardauth.web.language_choice import LanguageChoice
from forwardauth.web.link_state import LinkStates
from forwardauth.web.logout_tokens import LogoutTokens
from forwardauth.web.metrics import Metrics
from forwardauth.web.notices import Notices
from forwardauth.web.outage import StoreOutage
from forwardauth.web.pages import Pages
from forwardauth.web.readiness import Readiness
from forwardauth.web.settings import WebSettings
from forwardauth.web.short_way import ShortWay
from forwardauth.web.sign_in_log import SignInLog

ACCESS_CONTROL: Final = web.AppKey("access_control", AccessControl)
ASSETS: Final = web.AppKey("assets", Assets)
AUDIT: Final = web.AppKey("audit", AuditLog)
BASIC: Final = web.AppKey("basic", BasicSignIn)
CLOCK: Final = web.AppKey("clock", Clock)
DOCTOR_PROOFS: Final = web.AppKey("doctor_proofs", DoctorProofs)
HANDOVERS: Final = web.AppKey("handovers", Handovers)
IDENTITIES: Final = web.AppKey("identities", Identities)
LANGUAGE_CHOICE: Final = web.AppKey("language_choice", LanguageChoice)
LINK_STATES: Final = web.AppKey("link_states", LinkStates)
LOGOUT_TOKENS: Final = web.AppKey("logout_tokens", LogoutTokens)
METRICS: Final = web.AppKey("metrics", Metrics)
NOTICES: Final = web.AppKey("notices", Notices)
OUTAGE: Final = web.AppKey("outage", StoreOutage)
PAGES: Final = web.AppKey("pages", Pages)
PASSWORDS: Final = web.AppKey("passwords", Passwords)
READINESS: Final = web.AppKey("readiness", Readiness)
REVOKER: Final = web.AppKey("revoker", SessionRevoker)
SESSIONS: Final = web.AppKey("sessions", SessionManager)
SETTINGS: Final = web.AppKey("settings", WebSettings)
SHORT_WAY: Final = web.AppKey("short_way", ShortWay)
SIGN_INS: Final = web.AppKey("sign_ins", SignInLog)
STORE: Final = web.AppKey("store", SessionStore)
THROTTLE: Final = web.AppKey("throttle", LoginThrottle)
TOKENS: Final = web.AppKey("tokens", FormTokens)
USERS: Final = web.AppKey("users", UsersFile)
