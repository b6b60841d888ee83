"""How the tests check shapes and types at run time: beartype, which cannot see ``Self`` outside its own classes."""

from typing import Any, Self, TypeVar

from beartype import beartype

Checked = TypeVar("Checked")


def check(function: Checked) -> Checked:
    """``beartype``, with ``Self`` left to the static checker."""
    annotations = getattr(function, "__annotations__", {})
    annotations.update({name: Any for name, hint in annotations.items() if hint is Self})
    return beartype(function)
