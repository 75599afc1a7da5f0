"""The lines of ``deploy/envoy``."""

from typing import Final

from tests.support.consequences import Consequence as C  # noqa: N817 - a table's column
from tests.support.shipped_lines import Given, Line, ShippedLines

_GONE: Final = Given(
    "envoy.yaml",
    "cluster: forwardauth",
    "                          cluster: gone",
    instead=True,
    also=Given("envoy.yaml", "clusters:", "    - {name: gone, type: STATIC}"),
)
"""A service that cannot be asked."""

_CONFIGURATION = (
    Line(
        "redirect: {https_redirect: true, …",
        C.PLAIN_HTTP_BROKEN,
        instead="redirect: {path_redirect: /}",
    ),
    Line("use_remote_address: true", C.ADDRESS_LOST),
    Line("normalize_path: true", C.NO_DIFFERENCE),
    Line("headers_with_underscores_action: DROP_HEADER", C.NO_DIFFERENCE),
    Line("early_header_mutation_extensions:", C.IDENTITY_FORGEABLE),
    Line("- remove_on_match: {key_matcher: {prefix: remote-}}", C.CLAIM_PASSED),
    Line("- remove_on_match: {key_matcher: {safe_regex: …", C.IDENTITY_FORGEABLE),
    Line("- remove_on_match: {key_matcher: {prefix: x-forwarded-}}", C.EXPOSED),
    Line("- remove_on_match: {key_matcher: {prefix: x-original-}}", C.EXPOSED),
    *(
        Line(words, C.APPLICATION_MISLED)
        for words in (
            "- remove_on_match: {key_matcher: {prefix: x-rewrite-}}",
            "- remove: forwarded",
            "- remove: x-real-ip",
        )
    ),
    Line("upgrade_configs:", C.APPLICATION_BROKEN),
    Line("ignore_port_in_host_matching: true", C.CLOSED),
    Line("typed_per_filter_config: &open", C.REFUSED_BY_PROXY),
    Line("disabled: true", C.REFUSED_BY_PROXY),
    Line("- name: nobody", C.NO_DIFFERENCE),
    Line("- name: envoy.filters.http.ext_authz", C.OPENED),
    Line("failure_mode_allow: false", C.NO_DIFFERENCE),
    Line(
        "failure_mode_allow: false",
        C.OPENED,
        instead="failure_mode_allow: true",
        given=_GONE,
    ),
    Line("encode_raw_headers: true", C.LONG_ADDRESS_BROKEN),
    Line("- {exact: cookie}", C.CLOSED),
    Line("- {exact: sec-fetch-…", C.LOGOUT_FORCED),
    Line("- {exact: x-forwarded-for}", C.ADDRESS_LOST),
    Line("- {exact: x-forwarded-proto}", C.CLOSED),
    Line("path_prefix: /verify/envoy", C.CLOSED),
    Line("allowed_upstream_headers:", C.IDENTITY_LOST),
    Line(
        "allowed_upstream_headers:",
        C.IDENTITY_LOST,
        instead="allowed_upstream_headers: {patterns: [{exact: remote-user}]}",
    ),
    Line("allowed_client_headers_on_success:", C.NO_DIFFERENCE),
    Line(
        "allowed_client_headers_on_success:",
        C.ANSWER_KEPT,
        instead="allowed_client_headers: {patterns: [{exact: set-cookie}]}",
    ),
)

ENVOY: Final = ShippedLines(
    proxy="envoy",
    lines={"envoy.yaml": _CONFIGURATION},
    set_up={
        "envoy.yaml": (
            "static_resources:",
            # Where browsers connect.
            "listeners:",
            "- name: http",
            "- name: https",
            "address:",
            "socket_address: …",
            "listener_filters:",
            "- name: envoy.filters.listener.tls_inspector",
            "typed_config:",
            '"@type": …',
            "filter_chains:",
            "- filters:",
            "- filter_chain_match:",
            "server_names: …",
            "filters:",
            "- name: envoy.filters.network.http_connection_manager",
            "stat_prefix: …",
            "route_config:",
            "http_filters:",
            "- name: envoy.filters.http.router",
            # Certificates.
            "transport_socket:",
            "name: envoy.transport_sockets.tls",
            "common_tls_context:",
            "alpn_protocols: …",
            "tls_params: …",
            "tls_certificates:",
            "- certificate_chain: …",
            "private_key: …",
            # Logs.
            "access_log:",
            "- name: envoy.access_loggers.stdout",
            # Bounds on waiting, and what a failure is called.
            "stream_idle_timeout: 3600s",
            "request_headers_timeout: 10s",
            "timeout: 5s",
            "connect_timeout: 3s",
            "status_on_error: {code: ServiceUnavailable}",
            # What is in a block of the table.
            "- name: envoy.http.early_header_mutation.header_mutation",
            "mutations:",
            "- upgrade_type: websocket",
            "envoy.filters.http.ext_authz:",
            "typed_per_filter_config: *open",
            "direct_response: {status: 421}",
            "transport_api_version: V3",
            "allowed_headers:",
            "authorization_response:",
            "patterns:",
            "http_service:",
            "server_uri:",
            "uri: http://forwardauth:9091",
            "cluster: forwardauth",
            "- {exact: remote-user}",
            "- {exact: remote-groups}",
            "- {exact: remote-name}",
            "- {exact: remote-email}",
            "- {exact: set-cookie}",
            "common_http_protocol_options:",
            # Paths: tests of their own are about them.
            "merge_slashes: true",
            "path_with_escaped_slashes_action: KEEP_UNCHANGED",
            # Words of the browser that other tests are about.
            "- {exact: accept}",
            "- {exact: accept-language}",
            "- {exact: access-control-request-method}",
            "- {exact: authorization}",
            "- {exact: origin}",
            "- {exact: purpose}",
            "- {exact: referer}",
            "- {exact: sec-purpose}",
            "- {exact: user-agent}",
            "- {exact: x-moz}",
            "- {exact: x-purpose}",
            "- {exact: x-requested-with}",
            # The sites.
            "virtual_hosts:",
            "- name: everything",
            "- name: portal",
            "- name: www",
            "- name: app1",
            "- name: app2",
            "- name: forwardauth",
            "domains: …",
            "routes:",
            "- match: {prefix: /}",
            "route: …",
            "clusters:",
            "type: STRICT_DNS",
            "load_assignment:",
            "cluster_name: …",
            "endpoints:",
            "- lb_endpoints:",
            "- endpoint: …",
        )
    },
)
