"""The journal, and the signing key beside it, or why they cannot be used.

Law: a service that forgets what it promised, or what it signed, does not start.
"""

from forwardauth.config.problems import Place, Problem
from forwardauth.config.schema import Settings
from forwardauth.errors import ConfigError
from forwardauth.sessions.journal import RevocationJournal
from forwardauth.web.signing import load_key


def open_journal(settings: Settings) -> RevocationJournal:
    """Return the journal of *settings*, which can be written.

    Raises:
        ConfigError: It cannot; a service that forgets what it promised must not start.
    """
    journal = RevocationJournal(settings.session.journal)
    try:
        journal.check_writable()
    except OSError as exc:
        raise _unusable(settings, "session.journal", exc) from exc
    return journal


def load_signing_key(settings: Settings) -> bytes:
    """Return the key that *settings* hold or name; see ``load_key``.

    Raises:
        ConfigError: It can be neither read nor made, or is cut short.
    """
    try:
        return load_key(settings.session.journal.parent, settings.session.secret)
    except OSError as exc:
        raise _unusable(settings, "session.secret", exc) from exc


def _unusable(settings: Settings, key: str, error: OSError) -> ConfigError:
    place = Place(key=key, source=str(settings.source or ""))
    remedy = "choose a folder that the service may write to"
    return ConfigError([Problem(place=place, reason=str(error), remedy=remedy)])
