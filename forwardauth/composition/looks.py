"""How the portal looks: its pages, and the files that they show."""

from forwardauth.clock import Clock
from forwardauth.config.schema import Settings
from forwardauth.web.accent import accent_rules
from forwardauth.web.assets import Assets
from forwardauth.web.frame import FooterLink
from forwardauth.web.pages import Pages


def create_assets(settings: Settings) -> Assets:
    """Return the static files, with the brand of *settings*."""
    accent = settings.portal.accent
    return Assets(
        base_path=settings.server.base_path,
        replacements=settings.portal.templates,
        logo=settings.portal.logo,
        extra_style="" if accent is None else accent_rules(accent),
    )


def create_pages(settings: Settings, *, assets: Assets, clock: Clock) -> Pages:
    """Return the pages that show *assets*."""
    return Pages(
        title=settings.portal.title,
        templates=settings.portal.templates,
        base_path=settings.server.base_path,
        assets=assets,
        remember_me=settings.session.remember_me,
        clock=clock,
        languages=settings.portal.languages,
        footer=[
            FooterLink(label=link.label, url=link.url)
            for link in settings.portal.footer
        ],
    )
