"""What every tier shares: no test passes by not running where it counts."""

import os
from collections.abc import Generator

import pytest
from coverage import Coverage
from hypothesis import settings

from tests.support.core_coverage import CoreCoverage

# A deadline would measure the machine, not the property.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Where coverage is measured, measure the core alone."""
    measuring = Coverage.current()
    if measuring is not None:
        config.pluginmanager.register(CoreCoverage(measuring))


def _fail_where_ci_is_set(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure: in CI a missing program is a broken setup."""
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which counts as a failure in CI: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[
    None, pytest.TestReport, pytest.TestReport
]:
    """Judge the report of one phase of one test."""
    report = yield
    _fail_where_ci_is_set(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[
    None, pytest.CollectReport, pytest.CollectReport
]:
    """Judge the report of a module, which may skip itself as a whole."""
    report = yield
    _fail_where_ci_is_set(report)
    return report
