"""What handlers are told of the settings: their own values, made once."""

from typing import Final

from forwardauth.config.schema import LogoutScope, SameSite, Settings
from forwardauth.users.policy import PasswordPolicy, words_of
from forwardauth.web.request_ids import RequestIds
from forwardauth.web.settings import LogoutSettings, WebSettings

_SAME_SITE: Final = {SameSite.LAX: "Lax", SameSite.STRICT: "Strict"}


def create_web_settings(settings: Settings, *, is_traced: bool) -> WebSettings:
    """Return what of *settings* handlers go by; traces, where sent, name requests."""
    return WebSettings(
        domains=settings.domains,
        targets=settings.target_policy,
        default_targets={
            entry.domain.name: entry.default_target
            for entry in settings.cookies
            if entry.default_target is not None
        },
        trusted_proxies=settings.server.trusted_proxies,
        base_path=settings.server.base_path,
        cookie_name=settings.session.cookie_name,
        same_site=_SAME_SITE[settings.session.same_site],
        remember_me=settings.session.remember_me,
        password_policy=_password_policy(settings),
        logout=_logout(settings),
        request_ids=RequestIds(settings.logging.request_id, is_traced=is_traced),
    )


def _password_policy(settings: Settings) -> PasswordPolicy:
    return PasswordPolicy(
        min_length=settings.users.min_password_length,
        min_score=settings.users.min_password_score,
        known=words_of(
            settings.portal.title, *(entry.domain.name for entry in settings.cookies)
        ),
    )


def _logout(settings: Settings) -> LogoutSettings:
    return LogoutSettings(
        paths=frozenset(settings.logout.paths),
        default_target=settings.logout.default_target,
        default_to_login=settings.logout.default_to_login,
        is_for_user=settings.logout.scope is LogoutScope.USER,
        clear_cookies=settings.logout.clear_cookies,
        clear_site_data=settings.logout.clear_site_data,
    )
