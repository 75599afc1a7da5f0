"""Lets pytest explain the assertions of the stores' contract."""

import pytest

pytest.register_assert_rewrite("tests.unit.sessions.contract")
