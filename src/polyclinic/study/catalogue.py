"""Which kinds and forms exist. The folder is the registry: the word in the study file is the file name.

Listing reads file names and entry points and imports nothing; asking for one imports that one file.
"""

import pkgutil
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module, util
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, Literal

from polyclinic.errors import Finding, StudyError

Axis = Literal[
    "inputs",
    "heads",
    "answers",
    "evidence.forms",
    "delivery.forms",
    "metrics",
    "formats.tables",
    "formats.images",
    "formats.scans",
    "baselines.questions",
    "networks",
]
"""Along these the house grows; an installed package adds to one with an entry point of its group (``Growth.group``)."""

_MOST_LISTED = 40
"""Words on offer in a message: more than there are kinds, fewer than the columns of a wide table. A round number."""


@dataclass(frozen=True)
class Growth:
    """How what stands along one axis is found.

    Attributes:
        word: What one of them is called in a message.
        base: The class in the ``base.py`` of the axis that each of our files has one of; "" where there is no folder
            and only installed packages add to the axis.
        group: The entry points of installed packages.
    """

    word: str
    base: str
    group: str


AXES: dict[Axis, Growth] = {
    "inputs": Growth("input kind", "Input", "polyclinic.inputs"),
    "heads": Growth("target kind", "Head", "polyclinic.heads"),
    "answers": Growth("form of answer", "Answer", "polyclinic.answers"),
    "evidence.forms": Growth("form of answer that can be judged", "Judge", "polyclinic.evidence_forms"),
    "delivery.forms": Growth("form of answer that can be delivered", "Delivery", "polyclinic.delivery_forms"),
    "metrics": Growth("metric of an installed package", "", "polyclinic.metrics"),
    "formats.tables": Growth("format of tables", "TableFormat", "polyclinic.formats"),
    "formats.images": Growth("format of images", "ImageFormat", "polyclinic.formats"),
    "formats.scans": Growth("format of scans or masks", "GridFormat", "polyclinic.formats"),
    "baselines.questions": Growth("kind with plain models", "PlainModels", "polyclinic.baselines"),
    "networks": Growth("network of an installed package", "", "polyclinic.networks"),
}


@cache
def names(axis: Axis) -> tuple[str, ...]:
    """All that is on offer along ``axis``, sorted: our own files and those of installed packages."""
    return tuple(sorted(_files(axis) | set(_plugins(axis))))


@cache
def find(axis: Axis, name: str) -> Any:
    """The one public class that the file of ``name`` defines, or what an installed package offers by that name.

    Raises:
        StudyError: if there is no such name; the message suggests the nearest one.
    """
    if name not in names(axis):
        raise StudyError(unknown(f"[{axis}]", AXES[axis].word, name, names(axis)))
    plugin = _plugins(axis).get(name)
    if plugin is not None:
        return plugin.load()
    base: type = getattr(import_module(f"polyclinic.{axis}.base"), AXES[axis].base)
    found = _classes(import_module(f"polyclinic.{axis}.{name}"), base)
    assert len(found) == 1, f"polyclinic.{axis}.{name} must define exactly one {base.__name__}"
    return found[0]


def unknown(place: str, what: str, word: str, offered: tuple[str, ...]) -> Finding:
    """The finding for a word that is not on offer, with the nearest one that is."""
    folded = {word.casefold(): word for word in offered}
    near = get_close_matches(word.casefold(), folded, n=1, cutoff=0.5)
    listed = ", ".join(offered) or "none that may be listed here"
    if len(offered) > _MOST_LISTED:  # a table may have thousands of columns
        listed = f"{', '.join(offered[:_MOST_LISTED])} and {len(offered) - _MOST_LISTED} more"
    hint = f'Did you mean "{folded[near[0]]}"? ' if near else ""
    return Finding(
        name="unknown_word",
        place=place,
        rule=f"every {what} must be one that exists",
        found=f'no {what} "{word}"',
        remedy=f"{hint}On offer: {listed}.",
    )


@cache
def _files(axis: Axis) -> frozenset[str]:
    """The files of the axis' own folder; a kind that needs several files is a folder in it."""
    if not AXES[axis].base:
        return frozenset()
    spec = util.find_spec(f"polyclinic.{axis}")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return frozenset(module.name for module in pkgutil.iter_modules(spec.submodule_search_locations)) - {"base"}


def _classes(module: ModuleType, base: type) -> list[type]:
    """The public classes of that base which the module, or a file of its folder, defines."""
    return [
        value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, base)
        and not name.startswith("_")
        and f"{value.__module__}.".startswith(f"{module.__name__}.")
    ]


@cache
def _plugins(axis: Axis) -> dict[str, EntryPoint]:
    """What installed packages offer, by name. It is loaded only when asked for, and then loudly."""
    return {point.name: point for point in entry_points(group=AXES[axis].group)}
