"""``server`` of Authelia: where it listens, and below which path."""

from typing import Final
from urllib.parse import urlsplit

from forwardauth.config.problems import RefusedValueError
from forwardauth.config.server import parse_base_path
from forwardauth.migration.authelia.source import Source
from forwardauth.migration.choices import Choices
from forwardauth.migration.portals import write_listener
from forwardauth.migration.report import Fate
from forwardauth.migration.yaml_text import Entry, Mapping

_PORT: Final = "9091"
_ADDRESS: Final = "server.address"


def write_server(source: Source, choices: Choices) -> tuple[Mapping, str]:
    """Return the keys below ``server``, and the base path: empty for ``/``."""
    host, port, path, key = _read_address(source)
    entries: list[Entry] = []
    if host.startswith("/"):
        text = "a socket is created with other rights here; write unix:PATH by hand"
        source.tell(Fate.TO_DO, key, text)
        host = ""
    listener, remark = write_listener(host, port, choices)
    first, *rest = listener
    entries += [
        Entry(name=first.name, value=first.value, notes=(f"from {key}",)),
        *rest,
    ]
    source.tell(Fate.TAKEN, key, f"server.listen: {first.value}")
    if remark is not None:
        source.tell(Fate.TO_DO, key, remark)
    base_path = _base_path(source, path, key)
    if base_path:
        entries.append(Entry(name="base_path", value=base_path))
    return tuple(entries), base_path


def _read_address(source: Source) -> tuple[str, str, str, str]:
    """Return host, port, path, and the key that they stand at."""
    address = source.text(_ADDRESS)
    if address is None:
        host = source.text("server.host") or source.text("host") or ""
        port = source.text("server.port") or source.text("port") or _PORT
        key = next(
            (
                each
                for each in ("server.host", "server.port", "host", "port")
                if source.lookup(each) is not None
            ),
            _ADDRESS,
        )
        return _bare(host), port, source.text("server.path") or "", key
    if address.startswith(("/", "unix:")):
        return "/", _PORT, "", _ADDRESS
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    try:
        port = str(parts.port or _PORT)
    except ValueError:
        node = source.lookup(_ADDRESS) or source.root
        source.refuse(node, "holds no port", "write tcp://:9091/")
        port = _PORT
    return _bare(parts.hostname or ""), port, parts.path, _ADDRESS


def _bare(host: str) -> str:
    """Return an address of every interface as the empty text that it means."""
    return "" if host in {"0.0.0.0", "::"} else host.strip("[]")  # noqa: S104 - compared


def _base_path(source: Source, path: str, key: str) -> str:
    wanted = f"/{path.strip('/')}"
    try:
        return parse_base_path(wanted)
    except RefusedValueError:
        text = f"the path {wanted!a} cannot be a base path, and is left out"
        source.tell(Fate.TO_DO, key, text)
        return ""
