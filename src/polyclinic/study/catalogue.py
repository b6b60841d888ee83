"""Which kinds exist. The folder is the registry: the word in the study file is the file name.

Listing reads file names and entry points and imports nothing; asking for one kind imports that one file.
"""

import pkgutil
from difflib import get_close_matches
from functools import cache
from importlib import import_module, util
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from polyclinic.errors import Finding, StudyError

Axis = Literal["inputs", "heads"]

_MOST_LISTED = 40
_WORDS: dict[Axis, str] = {"inputs": "input kind", "heads": "target kind"}
_BASES: dict[Axis, str] = {"inputs": "Input", "heads": "Head"}


@cache
def names(axis: Axis) -> tuple[str, ...]:
    """All kinds on offer along ``axis``, sorted: our own files and those of installed packages."""
    spec = util.find_spec(f"polyclinic.{axis}")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    ours = {module.name for module in pkgutil.iter_modules(spec.submodule_search_locations)} - {"base"}
    return tuple(sorted(ours | set(_plugins(axis))))


@cache
def find(axis: Axis, kind: str) -> Any:
    """The one public class that the file of ``kind`` defines.

    Raises:
        StudyError: if there is no such kind; the message suggests the nearest one.
    """
    if kind not in names(axis):
        raise StudyError(unknown(f"[{axis}]", _WORDS[axis], kind, names(axis)))
    plugin = _plugins(axis).get(kind)
    if plugin is not None:
        return plugin.load()
    module = import_module(f"polyclinic.{axis}.{kind}")
    base: type = getattr(import_module(f"polyclinic.{axis}.base"), _BASES[axis])
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    ]
    assert len(found) == 1, f"{module.__name__} must define exactly one kind"
    return found[0]


def unknown(place: str, what: str, word: str, offered: tuple[str, ...]) -> Finding:
    """The finding for a word that is not on offer, with the nearest one that is."""
    folded = {word.casefold(): word for word in offered}
    near = get_close_matches(word.casefold(), folded, n=1, cutoff=0.5)
    hint = f'Did you mean "{folded[near[0]]}"? ' if near else ""
    return Finding(
        name="unknown_word",
        place=place,
        rule=f"every {what} must be one that exists",
        found=f'no {what} "{word}"',
        remedy=f"{hint}On offer: {_listed(offered)}.",
    )


def _listed(offered: tuple[str, ...]) -> str:
    """Words for a message: all of them, or the first ones where a table has thousands of columns."""
    if len(offered) <= _MOST_LISTED:
        return ", ".join(offered) or "none that may be listed here"
    return f"{', '.join(offered[:_MOST_LISTED])} and {len(offered) - _MOST_LISTED} more"


def _plugins(axis: Axis) -> dict[str, EntryPoint]:
    """Kinds that installed packages offer, by name. They are loaded only when asked for, and then loudly."""
    return {point.name: point for point in entry_points(group=f"polyclinic.{axis}")}
