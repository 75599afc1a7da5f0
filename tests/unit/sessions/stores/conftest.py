"""Lets pytest explain the assertions of the contract."""

import pytest

pytest.register_assert_rewrite("tests.unit.sessions.contract")
