"""``logout.notify``: who is told of logouts, and over which networks."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forwardauth.config.notify import parse_notify_url
from forwardauth.config.problems import RefusedValueError
from tests.support.configuration import (
    COMPLETE,
    Mistake,
    load_text,
    problems_in,
    warnings_in,
    write_config,
)


def mistake(value: str, name: str, keyword: str) -> Mistake:
    """Return a mistake in ``logout.notify``, on its second line."""
    return Mistake(
        text=f"logout:\n  notify: [{value}]",
        key=f"logout.{name}",
        line=2,
        keyword=keyword,
    )


MISTAKES = {
    "relative": mistake("/logout", "notify.0", "absolute"),
    "no-scheme": mistake("app.example.com/logout", "notify.0", "absolute"),
    "second-place": mistake("https://a.example, mailto:a", "notify.1", "absolute"),
    "http-anywhere": mistake("http://app.example.com/", "notify.0", "anywhere"),
    "userinfo": mistake("'https://me:hunter2@a.example'", "notify.0", "password"),
    "fragment": mistake("'https://app.example.com/#a'", "notify.0", "fragment"),
    "port": mistake("'https://app.example.com:65536/'", "notify.0", "port 65536"),
    "twice": mistake("https://a.example, 'HTTPS://A.example:443/'", "notify", "twice"),
}


@pytest.mark.parametrize("wrong", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_where_it_is(
    wrong: Mistake, check_mistake: Callable[[Mistake], None]
) -> None:
    """One problem, with key, line and reason."""
    check_mistake(wrong)


def test_nobody_is_told_unless_configured(tmp_path: Path) -> None:
    """An existing installation connects to nobody."""
    assert load_text(tmp_path, "").logout.notify == ()


def test_urls_are_read_in_order(tmp_path: Path) -> None:
    """The file and the environment say the same."""
    urls = ("https://a.example/x", "https://b.example/y")

    in_file = load_text(tmp_path, f"logout:\n  notify: [{', '.join(urls)}]\n")
    in_environment = load_text(
        tmp_path, "", {"FORWARDAUTH_LOGOUT__NOTIFY": ",".join(urls)}
    )

    assert in_file.logout.notify == urls
    assert in_environment.logout.notify == urls


def test_a_bad_url_of_the_environment_names_its_variable(tmp_path: Path) -> None:
    """There is no line to name."""
    environ = {"FORWARDAUTH_LOGOUT__NOTIFY": "ftp://a.example"}

    (problem,) = problems_in(write_config(tmp_path, COMPLETE), environ)

    assert str(problem).startswith("FORWARDAUTH_LOGOUT__NOTIFY: logout.notify.0: ")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("https://app.example.com", "https://app.example.com/"),
        ("HTTPS://App.Example.COM:443/A?b=C", "https://app.example.com/A?b=C"),
        ("https://app.example.com?a", "https://app.example.com/?a"),
        ("https://app.example.com:8443/a@b", "https://app.example.com:8443/a@b"),
        ("https://192.0.2.1/%2f", "https://192.0.2.1/%2f"),
        ("https://[2001:DB8::0:1]/", "https://[2001:db8::1]/"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
        ("http://[::1]:80/", "http://[::1]/"),
        ("http://localhost/a", "http://localhost/a"),
        ("http://app.example.localhost:8080/", "http://app.example.localhost:8080/"),
    ],
)
def test_usual_urls_are_accepted(text: str, canonical: str) -> None:
    """One spelling for each place, so that two of them can be told apart."""
    url = parse_notify_url(text)

    assert url.text == canonical
    assert not url.is_exposed


@pytest.mark.parametrize(
    "text",
    [
        "http://wiki:8080/",
        "http://10.0.0.5/",
        "http://192.168.1.2/",
        "http://[fd00::1]/",
        "http://wiki.local/",
        "http://wiki.corp.internal/",
        "http://wiki.home.arpa/",
    ],
)
def test_http_in_a_private_network_is_a_warning(tmp_path: Path, text: str) -> None:
    """The containers of one host speak http to each other."""
    (warning,) = warnings_in(tmp_path, f"logout:\n  notify: ['{text}']\n")

    assert warning.place.key == "logout.notify"
    assert "learns who signs out" in warning.reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "https://",
        "https:///a",
        "https:/a.example",
        "https://a.example/ b",
        "https://a.example/\n",
        "https://a.example\\@b.example/",
        "https://a.example\\.b.example/",
        "https://bücher.example/",
        "https://a..example/",
        "https://.example/",
        "https://a.example./",
        "https://-a.example/",
        "https://a_b.example/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 127 + "example/",
        "https://a.example/" + "a" * 2048,
        "https://a.example:0/",
        "https://a.example:/",
        "https://a.example:+1/",
        "https://a.example/%zz",
        "https://a.example/<b>",
        "https://[::1/",
        "https://[::g]/",
        "https://[fe80::1%25eth0]/",
        "https://256.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://a.0x7f/",
        "https://@a.example/",
        "https://a.example@b.example/",
        "http://8.8.8.8/",
        "http://[2606:4700::1]/",
        "http://example.com/",
        "http://notlocalhost.com/",
        "http://local.example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "unix:/run/app.sock",
        "//a.example/",
    ],
)
def test_other_urls_are_refused(text: str) -> None:
    """Nothing that two readers could take for two places, and no open network."""
    with pytest.raises(RefusedValueError):
        parse_notify_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://me:hunter2@a.example/",
        "https://me:hunter2@a.example/#b",
        "ftp://me:hunter2@a.example/",
        "https://a.example/<?key=hunter2>",
        "http://example.com/?key=hunter2",
        "https:\\\\me:hunter2@a.example/",
    ],
)
def test_a_refused_url_is_not_repeated(text: str) -> None:
    """It may hold a password, and messages are pasted into issues."""
    with pytest.raises(RefusedValueError) as caught:
        parse_notify_url(text)

    assert "hunter2" not in str(caught.value)


def test_the_settings_do_not_show_a_query(tmp_path: Path) -> None:
    """A representation ends in logs."""
    text = "logout:\n  notify: ['https://a.example/?key=hunter2']\n"

    settings = load_text(tmp_path, text)

    assert "hunter2" not in repr(settings)
