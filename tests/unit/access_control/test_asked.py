"""A path has one reading or none, and so has a query."""

import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwardauth.access_control.asked import Asked, read_path, read_query
from tests.support.access import ask
from tests.support.path_oracles import readings
from tests.support.targets import Listed, read_list

FRAGMENTS = st.sampled_from(
    [
        *("/", "/", "/", "//", ".", "..", "...", ";", "\\", "%", "?", "#", "+", ":"),
        *("a", "admin", "public", "~", "@", "&", "=", "*", "|", '"', "é", " ", "\n"),
        *("%2f", "%2F", "%5c", "%2e", "%2E", "%25", "%252f", "%00", "%0a", "%3b"),
        *("%3f", "%23", "%20", "%61", "%41", "%7e", "%c3%a9", "%ff", "%c0%af"),
        *("%e2%80%a5", "%ef%bc%8f", "%c2%a0", "%f0%9f%98%80", "%2", "%zz", "%2B"),
    ]
)
AMBIGUOUS = list(read_list("paths-ambiguous.txt"))
RAW_PATHS = st.lists(FRAGMENTS, max_size=8).map(lambda parts: "/" + "".join(parts))


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/", "/"),
        ("/admin", "/admin"),
        ("/admin/", "/admin/"),
        ("/%61dmin", "/admin"),
        ("/a%20b+c", "/a b+c"),
        ("/caf%c3%a9", "/café"),
        ("/caf%C3%A9/", "/café/"),
        ("/%f0%9f%98%80", "/😀"),
        ("/...", "/..."),
        ("/.well-known/x", "/.well-known/x"),
        ("/a.b/c..d/e.", "/a.b/c..d/e."),
        ("/~u/@x/a:b,c=d&e(f)!'*$", "/~u/@x/a:b,c=d&e(f)!'*$"),
        ('/{a}|[b]^`<c>"', '/{a}|[b]^`<c>"'),
        ("/%e2%84%96", "/№"),
    ],
)
def test_plain_path_is_decoded_once(raw: str, path: str) -> None:
    """Rules see what people read, whichever way a browser encoded it (V-19)."""
    assert read_path(raw) == path


@pytest.mark.parametrize("case", AMBIGUOUS, ids=str)
def test_path_with_two_readings_has_none(case: Listed) -> None:
    """What a proxy or application could read otherwise is not guessed at (V-19)."""
    assert read_path(case.text) is None


@given(raw=RAW_PATHS)
def test_every_program_reads_an_unambiguous_path_alike(raw: str) -> None:
    """No accepted path is taken for another by any reader (V-19)."""
    path = read_path(raw)

    if path is not None:
        assert set(readings(raw).values()) == {path.rstrip("/") or "/"}


@given(path=st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_no_text_smuggles_a_separator(path: str) -> None:
    """Whatever is encoded, an accepted path has its segments and no more (V-19)."""
    raw = "/x/" + quote(path, safe="")

    found = read_path(raw)

    if found is not None:
        folded = unicodedata.normalize("NFKC", found)
        assert found == f"/x/{path}"
        assert folded.count("/") == 2
        assert not set("\\%;?#") & set(folded)


def test_every_path_that_people_write_is_read() -> None:
    """Letters of any script, digits and common signs are no trouble."""
    for text in ("straße", "日本語", "ελληνικά", "a-b_c", "x@y", "1,5", "naïve café"):
        assert read_path("/" + quote(text)) == f"/{text}"


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        ("", {}),
        ("a", {"a": ("",)}),
        ("a=", {"a": ("",)}),
        ("a=1&b=2", {"a": ("1",), "b": ("2",)}),
        ("a=1&a=2", {"a": ("1", "2")}),
        ("a=b=c", {"a": ("b=c",)}),
        ("&&a=1&", {"a": ("1",)}),
        ("%61=%31+2", {"a": ("1 2",)}),
        ("=x", {"": ("x",)}),
        ("A=1&a=2", {"A": ("1",), "a": ("2",)}),
    ],
)
def test_query_is_read_as_forms_are(raw: str, values: dict[str, object]) -> None:
    """Keys and values are decoded, and every value is kept."""
    assert read_query(raw) == values


def test_query_that_says_one_thing_all_along_is_read() -> None:
    """The longest query that is let in has 4095 values of one key (V-42)."""
    values = read_query("a&" * 4095)

    assert values == {"a": ("",) * 4095}


@pytest.mark.parametrize("raw", ["a=1;b=2", "a=%ff", "%c0%af=1", ";"])
def test_query_with_two_readings_has_none(raw: str) -> None:
    """Some programs split at a semicolon, and bytes that are no text are anything."""
    assert read_query(raw) is None


def test_request_is_read_when_it_is_asked() -> None:
    """Path and query are those of the original request."""
    asked = Asked(ask(uri="/%61?b=c"))

    assert (asked.path, asked.query) == ("/a", {"b": ("c",)})
    assert Asked(ask(uri="/")).query == {}
