"""``forwardauth doctor`` before real Caddy, HAProxy and Envoy, set up in all ways."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.certificates import Certificates
from tests.support.consequences import Consequence
from tests.support.doctor import Clinic, clinic
from tests.support.proxies import Edit
from tests.support.shipped_lines import Given, Line, with_given, without

PROXIES = ("caddy", "haproxy", "envoy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistakes:
    """Wrong set-ups that show beside one another.

    Attributes:
        proxy: Name of a folder of ``deploy/``.
        edits: Of its shipped files.
        blames: Part of the name of each check that fails, and of its remedy.
    """

    proxy: str
    edits: tuple[Edit, ...]
    blames: tuple[tuple[str, str], ...]

    def edit(self, file: str, text: str) -> str:
        """Make all mistakes in *file*."""
        for each in self.edits:
            text = each(file, text)
        return text


def missing(file: str, words: str, *, instead: str | None = None) -> Edit:
    """Return the edit that takes the line *words* out of *file*, or replaces it."""
    return without(file, Line(words, Consequence.NO_DIFFERENCE, instead=instead))


def given(file: str, below: str, text: str) -> Edit:
    """Return the edit that adds *text* to *file*."""
    return with_given(Given(file, below, text))


_ADD = "add 127.0.0.9 to FORWARDAUTH_SERVER__TRUSTED_PROXIES: server.trusted_proxies"
NOT_TRUSTED = (("trusted proxies", _ADD), ("https://app1.example.com", _ADD))

MISTAKES = {
    "caddy-headers": Mistakes(
        proxy="caddy",
        edits=(
            missing("Caddyfile", "request_header -Remote-*"),
            missing("Caddyfile", "copy_headers …", instead="copy_headers Remote-User"),
            missing("Caddyfile", "header_up -X-Original-*"),
            given(
                "Caddyfile",
                "header_up -X-Forwarded-Uri",
                "header_up -X-Forwarded-For",
            ),
        ),
        blames=(
            ("forged headers at https://www.example.com", "request_header -Remote-*"),
            ("verify at https://auth.example.com", "header_up -X-Original-*"),
            ("address of the client", "reverse_proxy forwardauth:9091 {"),
        ),
    ),
    "caddy-endpoint": Mistakes(
        proxy="caddy",
        edits=(missing("Caddyfile", "uri /verify/caddy", instead="uri /verify/nginx"),),
        blames=(("https://app1.example.com", "uri /verify/caddy"),),
    ),
    "haproxy-headers": Mistakes(
        proxy="haproxy",
        edits=(
            missing("haproxy.cfg", "http-request del-header remote- -m beg"),
            missing("haproxy.cfg", "http-request del-header [^A-Za-z0-9-] -m reg"),
            missing("haproxy.cfg", "http-request del-header x-original- -m beg"),
            missing("haproxy.cfg", "http-request set-header X-Forwarded-For %[src]"),
            missing(
                "forwardauth.lua",
                "local IDENTITY = …",
                instead='local IDENTITY = { "remote-user" }',
            ),
        ),
        blames=(
            ("forged headers at https://www", "http-request del-header remote- -m beg"),
            ("aliases of headers at https://www", "del-header [^A-Za-z0-9-] -m reg"),
            ("verify at https://auth", "http-request del-header x-original- -m beg"),
            ("address of the client", "set-header X-Forwarded-For %[src]"),
        ),
    ),
    "haproxy-endpoint": Mistakes(
        proxy="haproxy",
        edits=(
            missing(
                "forwardauth.lua",
                "local VERIFY = …",
                instead='local VERIFY = "http://forwardauth/verify/nginx"',
            ),
        ),
        blames=(("https://app1.example.com", 'local VERIFY = "http'),),
    ),
    "envoy-headers": Mistakes(
        proxy="envoy",
        edits=(
            missing(
                "envoy.yaml", "- remove_on_match: {key_matcher: {prefix: remote-}}"
            ),
            missing("envoy.yaml", "- remove_on_match: {key_matcher: {safe_regex: …"),
            missing("envoy.yaml", "headers_with_underscores_action: …"),
            missing(
                "envoy.yaml", "- remove_on_match: {key_matcher: {prefix: x-original-}}"
            ),
            missing("envoy.yaml", "- {exact: remote-groups}"),
            missing("envoy.yaml", "use_remote_address: true"),
        ),
        blames=(
            ("forged headers at https://www", "{key_matcher: {prefix: remote-}}"),
            ("aliases of headers at https://www", "{key_matcher: {safe_regex:"),
            ("verify at https://auth", "{key_matcher: {prefix: x-original-}}"),
            ("address of the client", "use_remote_address: true"),
        ),
    ),
    "envoy-not-trusted": Mistakes(
        # As seen by a service that trusts 127.0.0.1 alone.
        proxy="envoy",
        edits=(
            given(
                "envoy.yaml",
                "- name: forwardauth",
                "      upstream_bind_config: {source_address: {address: 127.0.0.9,"
                " port_value: 0}}",
            ),
        ),
        blames=NOT_TRUSTED,
    ),
    "envoy-endpoint": Mistakes(
        proxy="envoy",
        edits=(
            missing(
                "envoy.yaml",
                "path_prefix: /verify/envoy",
                instead="path_prefix: /verify/nginx",
            ),
        ),
        blames=(("https://app1.example.com", "path_prefix: /verify/envoy"),),
    ),
}


RENAMED = {
    "FORWARDAUTH_HEADERS__USER": "X-Auth-User",
    "FORWARDAUTH_HEADERS__GROUPS": "X-Auth-Groups",
}


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[Clinic]:
    """Run the service and the applications, for all proxies."""
    with clinic(tmp_path_factory.mktemp("doctor"), certificates) as running:
        yield running


@pytest.mark.parametrize("proxy", PROXIES)
def test_right_set_up_has_nothing_wrong(place: Clinic, proxy: str) -> None:
    """As shipped, with a sign-in: every single check is ok, and none is left out."""
    report = place.look(proxy, is_signing_in=True)

    assert report.of("warn", "fail", "skip") == []
    assert report.status == 0
    assert {f"{place.url('app1')} after the sign-out", "trusted proxies"} <= {
        each["check"] for each in report.checks
    }


@pytest.mark.parametrize("mistakes", MISTAKES.values(), ids=list(MISTAKES))
def test_wrong_set_up_is_found_and_names_the_lines(
    place: Clinic, mistakes: Mistakes
) -> None:
    """Each mistake fails a check of its own, with the line that would mend it."""
    report = place.look(mistakes.proxy, mistakes.edit)

    missed = [each for each in mistakes.blames if not report.blames(*each)]
    assert missed == [], report.of("fail", "warn", "skip")
    assert report.status == 1


def test_configured_header_that_a_client_may_send_is_found(place: Clinic) -> None:
    """As shipped, a proxy keeps clients from `Remote-*`, and from nothing else."""
    report = place.look("haproxy", sites=("www",), settings=RENAMED)

    (failed,) = report.of("fail")
    assert failed["check"].startswith("forged headers at https://www")
    assert failed["detail"].startswith("X-AUTH-USER, X-AUTH-GROUPS reach the")
