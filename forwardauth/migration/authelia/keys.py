"""Which keys of Authelia are read, which have no counterpart, and which nobody knows.

Law: every key of the file is in one of these three. None is passed over in silence.
"""

import difflib
from collections.abc import Collection, Iterator
from typing import Final

from forwardauth.config.tree import Node, Scalar, Table
from forwardauth.migration.authelia.source import Source
from forwardauth.migration.report import Fate

READ: Final = frozenset(
    (
        *("host", "port", "default_redirection_url", "definitions.network"),
        *("access_control", "session.cookies", "session.domain", "session.name"),
        *("session.secret", "session.expiration", "session.inactivity"),
        *("session.remember_me", "session.remember_me_duration", "session.same_site"),
        *("session.redis", "server.host", "server.port", "server.path"),
        *("server.address", "authentication_backend.file.path"),
        "authentication_backend.ldap",
    )
)
"""Keys that the other modules read and report themselves."""

BELOW: Final = {
    "access_control": ("default_policy", "networks", "rules"),
    "access_control.networks.*": ("name", "networks"),
    "session.cookies.*": (
        *("domain", "authelia_url", "default_redirection_url", "name", "same_site"),
        *("expiration", "inactivity", "remember_me"),
    ),
    "session.redis": (
        *("host", "port", "username", "password", "database_index", "timeout", "tls"),
        *("max_retries", "maximum_active_connections", "minimum_idle_connections"),
        "high_availability",
    ),
    "session.redis.tls": (
        *("server_name", "skip_verify", "minimum_version", "maximum_version"),
        *("certificate_chain", "private_key"),
    ),
    "session.redis.high_availability": (
        *("sentinel_name", "sentinel_username", "sentinel_password", "nodes"),
        *("route_by_latency", "route_randomly"),
    ),
    "session.redis.high_availability.nodes.*": ("host", "port"),
}
"""What may stand below keys that are read as a whole; ``*`` is each entry of a list.
Those of rules are judged with their rule."""

_SECOND_FACTOR: Final = "no second factor can be set up in this version"
_LOG: Final = "the log goes to standard error; see logging.level and logging.format"
_TLS: Final = "the service speaks plain http to the proxy; keep TLS there"
_MAIL: Final = "no mail is sent"
_HASHES: Final = "new hashes are argon2id with 64 MiB, three passes and one lane"
_RESET: Final = "passwords are changed by forwardauth users passwd"
_LIMITS: Final = "docs/limits.md has what a connection may send, and how slowly"

LEFT: Final = {
    "theme": "the portal follows the browser: light or dark",
    "certificates_directory": "only a rediss:// store needs certificates: ?ca_file=",
    "default_2fa_method": _SECOND_FACTOR,
    "jwt_secret": _RESET,
    "tls_key": _TLS,
    "tls_cert": _TLS,
    "logs_level": _LOG,
    "logs_file": _LOG,
    "log_level": _LOG,
    "log_file_path": _LOG,
    "log_format": _LOG,
    "log": _LOG,
    "telemetry": "metrics are always served, at server.management",
    "totp": _SECOND_FACTOR,
    "webauthn": _SECOND_FACTOR,
    "duo_api": _SECOND_FACTOR,
    "ntp": "the time of the machine is taken as it is",
    "regulation": "logins are always slowed down by account and by address",
    "storage": "nothing but sessions is stored; session.store says where",
    "notifier": _MAIL,
    "identity_providers": "the service is no OpenID Connect provider",
    "identity_validation": _RESET,
    "password_policy": "passwords are set by an administrator",
    "privacy_policy": "write a template of the login page: portal.templates",
    "definitions.user_attributes": "applications are told user, groups, name, email",
    "administration": "sessions are listed and ended by forwardauth sessions",
    "server.tls": _TLS,
    "server.asset_path": "portal.templates replaces pages, by other names",
    "server.headers": "the portal has a strict content policy of its own",
    "server.disable_healthcheck": "/api/health is always answered",
    "server.buffers": _LIMITS,
    "server.timeouts": _LIMITS,
    "server.read_buffer_size": _LIMITS,
    "server.write_buffer_size": _LIMITS,
    "server.enable_pprof": "there is no profiling endpoint",
    "server.enable_expvars": "there is no such endpoint",
    "server.endpoints.enable_pprof": "there is no profiling endpoint",
    "server.endpoints.enable_expvars": "there is no such endpoint",
    "server.endpoints.rate_limits": "logins are slowed down by account and by address",
    "server.endpoints.authz": (
        "/api/authz/auth-request, forward-auth and ext-authz are answered; for another"
        " name change the proxy's line, and write basic: true into rules for programs"
    ),
    "session.file": "sessions lie in a SQLite file",
    "session.disable_ip_check": "sessions are not bound to an address",
    "authentication_backend.disable_reset_password": _RESET,
    "authentication_backend.password_reset": _RESET,
    "authentication_backend.password_change": _RESET,
    "authentication_backend.refresh_interval": "the users file is read within seconds",
    "authentication_backend.file.watch": "the users file is always watched",
    "authentication_backend.file.password": _HASHES,
    "authentication_backend.file.password_options": _HASHES,
    "authentication_backend.file.password_hashing": _HASHES,
    "authentication_backend.file.search.case_insensitive": (
        "upper and lower case never tell user names apart"
    ),
    "authentication_backend.file.search.email": (
        "people sign in by their user name, not by their address"
    ),
    "authentication_backend.file.extra_attributes": (
        "applications are told user, groups, name, email"
    ),
}
"""Keys without a counterpart, each with what there is in its place."""


def report_other_keys(source: Source) -> None:
    """Report each key of the file that the other modules do not read."""
    _walk(source, source.root, "")
    for pattern, names in BELOW.items():
        for key, table in _tables(source, pattern):
            for name in table.entries.keys() - set(names):
                text = _explain_unknown(name, f"{key}.", names)
                source.tell(Fate.LEFT, f"{key}.{name}", text)


def _tables(source: Source, pattern: str) -> Iterator[tuple[str, Table]]:
    """Yield each mapping at *pattern* with its key."""
    key = pattern.removesuffix(".*")
    node = source.lookup(key)
    if key == pattern:
        found = [(key, node)]
    else:
        items = enumerate(source.items(node))
        found = [(f"{key}.{index}", item) for index, item in items]
    for each, table in found:
        if isinstance(table, Table):
            yield each, table


def _walk(source: Source, table: Table, prefix: str) -> None:
    for name, node in table.entries.items():
        key = f"{prefix}{name}"
        if key in READ:
            continue
        if key in LEFT:
            source.tell(Fate.LEFT, key, LEFT[key])
        elif any(each.startswith(f"{key}.") for each in READ | LEFT.keys()):
            if isinstance(node, Table):
                _walk(source, node, f"{key}.")
            elif not _is_null(node):
                source.refuse(node, "must hold keys", "write them below it, indented")
        else:
            known = {
                each.removeprefix(prefix).partition(".")[0]
                for each in READ | LEFT.keys()
                if each.startswith(prefix)
            }
            source.tell(Fate.LEFT, key, _explain_unknown(name, prefix, known))


def _explain_unknown(name: str, prefix: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    hint = f"; did you mean {prefix}{near[0]}?" if near else ""
    return f"is no key of Authelia that is known here{hint}"


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null
