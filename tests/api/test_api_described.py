"""The description at /api/v1/openapi.json is complete, and the server keeps to it."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

FEW, MANY = 2, 20
"""Requests to each operation."""
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture(scope="module")
def described(openapi):
    return schemathesis.openapi.from_dict(openapi)


PATHS = [
    "/api/v1/session",
    "/api/v1/services",
    "/api/v1/services/{name}",
    "/api/v1/runtime/{name}",
    "/api/v1/map",
    "/api/v1/map/history",
    "/api/v1/traces",
    "/api/v1/traces/attributes",
    "/api/v1/traces/attributes/values",
    "/api/v1/traces/{trace_id}",
    "/api/v1/traces/{trace_id}/moments",
    "/api/v1/traces/{trace_id}/compare/{other_id}",
    "/api/v1/live",
    "/api/v1/live/stream",
    "/api/v1/nodes",
    "/api/v1/nodes/{host}",
    "/api/v1/nodes/{host}/top",
    "/api/v1/nodes/{host}/top/{pid}",
    "/api/v1/nodejs/instances",
    "/api/v1/nodejs/instances/{app}/{agent}/processes",
    "/api/v1/nodejs/processes",
    "/api/v1/nodejs/instances/{app}/{agent}/processes/{pid}/trend",
    "/api/v1/nodejs/instances/{app}/{agent}/processes/{pid}/status",
    "/api/v1/nodejs/instances/{app}/{agent}/processes/{pid}/actions",
    "/api/v1/nodejs/instances/{app}/{agent}/processes/{pid}/config",
    "/api/v1/nodejs/instances/{app}/{agent}/system",
    "/api/v1/nodejs/instances/{app}/{agent}/os",
    "/api/v1/nodejs/instances/{app}/{agent}/errors",
    "/api/v1/nodejs/instances/{app}/{agent}/errors/logs",
    "/api/v1/nodejs/instances/{app}/{agent}/packages",
    "/api/v1/nodejs/instances/{app}/{agent}/packages/detail",
    "/api/v1/nodejs/instances/{app}/{agent}/cores",
    "/api/v1/nodejs/instances/{app}/{agent}/cores/transfer",
    "/api/v1/nodejs/files",
    "/api/v1/nodejs/files/{file_id}",
    "/api/v1/nodejs/files/{file_id}/transfer",
    "/api/v1/nodejs/files/{file_id}/content",
    "/api/v1/apps",
    "/api/v1/tokens",
    "/api/v1/tokens/{token_id}",
    "/api/v1/apps/{app}/secret",
    "/api/v1/apps/{app}/tokens",
    "/api/v1/connect/ports",
    "/api/v1/connect/arrivals",
    "/api/v1/connect/hints",
    "/api/v1/apps/{app}/services/{service}/sampling",
    "/api/v1/probe-settings",
    "/api/v1/statistics",
    "/api/v1/statistics/series",
    "/api/v1/statistics/day",
    "/api/v1/statistics/histogram",
    "/api/v1/statistics/top",
    "/api/v1/apps/{app}/settings",
    "/api/v1/apps/{app}/names",
    "/api/v1/apps/{app}/names/preview",
    "/api/v1/apps/{app}/names/{rule_id}",
    "/api/v1/processes",
    "/api/v1/processes/{app}/{node}/{pid}/tools",
    "/api/v1/tools",
    "/api/v1/jobs",
    "/api/v1/jobs/{job_id}",
    "/api/v1/jobs/{job_id}/stream",
    "/api/v1/jobs/{job_id}/cancel",
    "/api/v1/jobs/{job_id}/compare/{other_id}",
    "/api/v1/jobs/{job_id}/artifacts/{name}",
    "/api/v1/jobs/{job_id}/export",
    "/api/v1/slow",
    "/api/v1/slow/{group}",
    "/api/v1/traces/{trace_id}/findings",
    "/api/v1/errors",
    "/api/v1/errors/{group}",
    "/api/v1/deploys",
    "/api/v1/dashboards",
    "/api/v1/dashboards/{dashboard_id}",
    "/api/v1/dashboards/panel",
    "/api/v1/dashboards/{dashboard_id}/panels/{panel_id}",
    "/api/v1/dashboards/{dashboard_id}/shares",
    "/api/v1/dashboards/{dashboard_id}/shares/{share_id}",
    "/api/v1/shared/{token}",
    "/api/v1/shared/{token}/panels/{panel_id}",
    "/api/v1/alarms",
    "/api/v1/alarms/summary",
    "/api/v1/alarms/history",
    "/api/v1/alarms/{alarm_id}/acknowledgement",
    "/api/v1/alarms/templates",
    "/api/v1/alarms/rules",
    "/api/v1/alarms/rules/{rule_id}",
    "/api/v1/alarms/rules/export",
    "/api/v1/alarms/rules/import",
    "/api/v1/alarms/backtest",
    "/api/v1/alarms/silences",
    "/api/v1/alarms/silences/{silence_id}",
    "/api/v1/alarms/notifiers",
    "/api/v1/alarms/notifiers/{notifier_id}",
    "/api/v1/alarms/notifiers/{notifier_id}/test",
    "/api/v1/alarms/notifiers/preview",
    "/api/v1/alarms/deliveries",
    "/healthz",
    "/readyz",
    "/metrics",
]

FOR_ANYBODY = {
    ("post", "/api/v1/session"),
    ("get", "/api/v1/shared/{token}"),
    ("get", "/api/v1/shared/{token}/panels/{panel_id}"),
}
"""Who has the address has what they need."""

ENDLESS = {"/api/v1/live/stream"}
"""Answers that go on until somebody hangs up, see test_api_live.py."""


def test_the_description_names_every_address(openapi):
    assert sorted(openapi["paths"]) == sorted(PATHS)


def test_every_operation_says_how_it_is_entered_and_how_it_fails(openapi):
    assert set(openapi["components"]["securitySchemes"]) == {"token", "session", "app"}
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], (path, method)
            assert "422" not in operation["responses"], "an error shape that no answer has"
            if path.startswith("/api/v1") and (method, path) not in FOR_ANYBODY:
                assert operation["security"], (path, method)
                for status in ("400", "401", "403", "503"):
                    content = operation["responses"][status]["content"]["application/json"]
                    assert content["schema"] == {"$ref": "#/components/schemas/ErrorAnswer"}


@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("path", [path for path in PATHS if path not in ENDLESS])
def test_the_server_keeps_to_its_description(described, openapi, server, tokens, path, examples):
    for method in openapi["paths"][path]:
        operation = described[path][method.upper()]

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def keeps(case):
            answer = case.call(base_url=server.url, headers={"Authorization": f"Bearer {tokens['write']}"})
            case.validate_response(answer, checks=list(CHECKS))

        keeps()
