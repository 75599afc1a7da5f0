"""Password files of Apache and nginx become a users file."""

from pathlib import Path

import pytest

from forwardauth.errors import ConfigError
from forwardauth.migration.htpasswd import read_htpasswd
from forwardauth.users.hashes import Hasher
from forwardauth.users.reader import parse_users
from tests.support.users import BCRYPT

APACHE = BCRYPT.replace("$2a$", "$2y$")


def test_bcrypt_is_read(tmp_path: Path) -> None:
    """As ``htpasswd -B`` writes it; comments and what follows the hash are not."""
    path = tmp_path / ".htpasswd"
    path.write_text(f"# people\nalice:{APACHE}\nbob:{BCRYPT}:a comment\n")

    outcome = read_htpasswd(path)

    users = parse_users(outcome.users or "", place="users.yaml").users
    assert list(users) == ["alice", "bob"]
    assert Hasher().verify(users["alice"].password_hash, b"U*U")
    assert outcome.config == ()


def test_every_line_that_cannot_be_carried_over_is_told(tmp_path: Path) -> None:
    """All at once; none of the others is written then."""
    path = tmp_path / ".htpasswd"
    path.write_text(f"alice:$apr1$a$b\nnonsense\nbob:{APACHE}\n:x\ncarol:crypted\n")

    with pytest.raises(ConfigError) as caught:
        read_htpasswd(path)

    told = sorted(str(problem) for problem in caught.value.problems)
    assert [each.partition(": ")[0] for each in told] == [
        f"{path}:{line}" for line in (1, 2, 4, 5)
    ]


def test_refused_users_can_be_left_out(tmp_path: Path) -> None:
    """A line that is no user still is a mistake."""
    path = tmp_path / ".htpasswd"
    path.write_text(f"alice:$apr1$a$b\nbob:{APACHE}\n")

    outcome = read_htpasswd(path, skips=True)

    assert list(parse_users(outcome.users or "", place="u").users) == ["bob"]
