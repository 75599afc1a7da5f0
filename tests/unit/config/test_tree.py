"""Nodes: which text is null."""

import pytest

from forwardauth.config.problems import Place
from forwardauth.config.tree import Scalar


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_plain_nulls_are_null(text: str) -> None:
    """Every spelling of YAML 1.2 counts."""
    assert Scalar(place=Place(), text=text).is_null


@pytest.mark.parametrize("text", ["", "null", "~"])
def test_quoted_nulls_are_text(text: str) -> None:
    """A user may be called null."""
    assert not Scalar(place=Place(), text=text, is_plain=False).is_null


@pytest.mark.parametrize("text", ["no", "nUll", "0", "none"])
def test_other_text_is_not_null(text: str) -> None:
    """Nothing else stands for the absence of a value."""
    assert not Scalar(place=Place(), text=text).is_null


def test_a_scalar_does_not_show_its_text() -> None:
    """A node in a traceback gives no secret away."""
    assert "hunter2" not in repr(Scalar(place=Place(), text="hunter2"))
