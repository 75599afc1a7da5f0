"""A directory server with the workload's users: OpenLDAP's, on the client's core."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.products.base import Person
from benchmarks.products.installation import NotInstalledError
from benchmarks.servers import CLIENT_CORE, pinned
from benchmarks.workload import USERS, username
from tests.support.processes import Process, free_ports

PROGRAMS: Final = Path("/usr/sbin")
BASE: Final = "dc=example,dc=com"
ADMIN: Final = f"cn=admin,{BASE}"

_CONFIG: Final = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "{base}"
rootdn "{admin}"
rootpw {password}
directory {folder}
index uid eq
"""
_ROOT: Final = """\
dn: {base}
objectClass: dcObject
objectClass: organization
dc: example
o: Example
"""
_USER: Final = """\

dn: uid={name},{base}
objectClass: inetOrgPerson
uid: {name}
cn: {name}
sn: {name}
userPassword: {password}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """One that runs.

    Attributes:
        url: Where.
        password: Of ``ADMIN``, who may look up everybody.
    """

    url: str
    password: str


@contextmanager
def directory(folder: Path, person: Person) -> Iterator[Directory]:
    """Run one in *folder* as long as the context lasts.

    All its users have the password of *person*.

    Raises:
        NotInstalledError: The system does not let it.
    """
    (port,) = free_ports(1)
    own = Directory(url=f"ldap://127.0.0.1:{port}", password=secrets.token_hex(16))
    data = folder / "directory"
    data.mkdir()
    config = folder / "slapd.conf"
    config.write_text(
        _CONFIG.format(base=BASE, admin=ADMIN, password=own.password, folder=data),
        encoding="utf-8",
    )
    entries = folder / "users.ldif"
    entries.write_text(
        _ROOT.format(base=BASE)
        + "".join(
            _USER.format(name=username(number), base=BASE, password=person.password)
            for number in range(USERS)
        ),
        encoding="utf-8",
    )
    # Quick: the file need not outlive the machine.
    filled = subprocess.run(  # noqa: S603 - a fixed program
        [PROGRAMS / "slapadd", "-q", "-f", config, "-l", entries],
        check=False,
        capture_output=True,
        text=True,
    )
    if filled.returncode != 0:
        # As where AppArmor confines it to the folders of the system.
        last = filled.stderr.strip().rpartition("\n")[2]
        raise NotInstalledError(f"slapadd cannot fill a directory: {last}")
    # A level of messages, be it none, keeps it in the foreground.
    with Process(
        "slapd",
        pinned(CLIENT_CORE, PROGRAMS / "slapd", "-d", "0", "-h", own.url, "-f", config),
        log=folder / "slapd.log",
        ports=[port],
    ):
        yield own
