"""How the tests check shapes and types at run time: beartype, taught two things that the static checker knows.

``Self`` has no meaning to it outside classes that it decorates, and an int is a float wherever one is asked for.
"""

from typing import Any, Self, TypeVar

from beartype import BeartypeConf, beartype

Checked = TypeVar("Checked")

_typed = beartype(conf=BeartypeConf(is_pep484_tower=True))


def check(function: Checked) -> Checked:
    """``beartype``, with ``Self`` left to the static checker."""
    annotations = getattr(function, "__annotations__", {})
    annotations.update({name: Any for name, hint in annotations.items() if hint is Self})
    return _typed(function)
