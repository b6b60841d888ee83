"""Which kinds and forms exist. The folder is the registry: the word in the study file is the file name.

Listing reads file names and entry points and imports nothing; asking for one imports that one file. What a package
offers is held against its base before it is used: one that cannot be loaded, or takes a name that is taken, is named.
"""

import pkgutil
from dataclasses import dataclass, is_dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module, util
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, ClassVar, Literal, get_origin

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
        StudyError: if there is no such name (the message suggests the nearest one), if a package takes a name that is
            taken, or if what it offers cannot be used.
    """
    if name not in names(axis):
        raise StudyError(unknown(f"[{axis}]", AXES[axis].word, name, names(axis)))
    offered = _plugins(axis).get(name, ())
    if offered and _is_taken(axis, name):
        both = "two packages offer it" if len(offered) > 1 else "Polyclinic has one of that name"
        rule = f"no {AXES[axis].word} of a package may take a name that is taken"
        raise StudyError(refused(axis, name, rule, both))
    if offered:
        return _load(axis, offered[0])
    base = _base(axis)
    found = _classes(import_module(f"polyclinic.{axis}.{name}"), base)
    assert len(found) == 1, f"polyclinic.{axis}.{name} must define exactly one {base.__name__}"
    return found[0]


def usable(axis: Axis) -> dict[str, Any]:
    """All along ``axis`` that can be loaded, by name; ``broken`` says what cannot.

    Raises:
        StudyError: if a package takes a name that is taken.
    """
    return {name: find(axis, name) for name in names(axis) if name not in broken(axis)}


@cache
def broken(axis: Axis) -> dict[str, Finding]:
    """Why what packages offer along ``axis`` cannot be used, by name: it stops only those who ask for it."""
    found: dict[str, Finding] = {}
    for name in (name for name in _plugins(axis) if not _is_taken(axis, name)):
        try:
            find(axis, name)
        except StudyError as error:
            found[name] = error.findings[0]
    return found


def package(axis: Axis, name: str) -> str:
    """Which installed package offers ``name``, with its version; for messages."""
    return " and ".join(_package(point) for point in _plugins(axis)[name])


def refused(axis: Axis, name: str, rule: str, found: str) -> Finding:
    """The finding for what a package offers and must not."""
    place = f'package {package(axis, name)}, entry point "{name}" of {AXES[axis].group}'
    return Finding("refused_package", place, rule, found, "Update or remove that package.")


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
def _plugins(axis: Axis) -> dict[str, tuple[EntryPoint, ...]]:
    """What installed packages offer, by name. It is loaded only when asked for, and then loudly."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=AXES[axis].group):
        found[point.name] = (*found.get(point.name, ()), point)
    return found


def _load(axis: Axis, point: EntryPoint) -> Any:
    """What a package offers, held against the base of the axis.

    Raises:
        StudyError: if it cannot be imported, is of another base, or lacks what the base demands.
    """
    place = f'package {_package(point)}, entry point "{point.name}" of {point.group}'
    remedy = "Update or remove that package."
    try:
        loaded = point.load()
    except Exception as error:
        found = f"{point.value} cannot be loaded ({type(error).__name__}: {error})"
        raise StudyError(Finding("broken_package", place, "what it offers must load", found, remedy)) from error
    bases = tuple(_base(one) for one in _of_group(point.group) if AXES[one].base)
    if not bases:
        return loaded
    rule = f"every {AXES[axis].word} must be a whole {' or '.join(base.__name__ for base in bases)}"
    if not (isinstance(loaded, type) and issubclass(loaded, bases)):
        raise StudyError(Finding("broken_package", place, rule, f"{point.value} is none", remedy))
    lacking = _lacking(loaded)
    if lacking:
        found = f"{point.value} lacks {', '.join(lacking)}"
        raise StudyError(Finding("broken_package", place, rule, found, remedy))
    return loaded


def _lacking(kind: type) -> list[str]:
    """Duties that a class leaves undone: abstract methods, and what its bases say of classes without a value.

    A class that only chooses another one by its method ``of`` leaves the rest to that one.
    """
    stated = {
        name
        for base in kind.__mro__
        for name, note in vars(base).get("__annotations__", {}).items()
        if get_origin(note) is ClassVar or (base is not kind and not is_dataclass(base))
    }
    abstract: frozenset[str] = getattr(kind, "__abstractmethods__", frozenset())
    if "of" in vars(kind) and "of" not in abstract and abstract:
        return sorted(name for name in ("metrics", "words") if not hasattr(kind, name))
    return sorted(abstract | {name for name in stated if not hasattr(kind, name)})


def _is_taken(axis: Axis, name: str) -> bool:
    """Whether a package and we, or two packages, offer something under one name: nobody could say who is meant."""
    return len(_plugins(axis)[name]) > 1 or any(name in _files(one) for one in _of_group(AXES[axis].group))


def _of_group(group: str) -> tuple[Axis, ...]:
    """The axes that share a group of entry points: the three families of formats do."""
    return tuple(axis for axis, growth in AXES.items() if growth.group == group)


def _base(axis: Axis) -> type:
    base: type = getattr(import_module(f"polyclinic.{axis}.base"), AXES[axis].base)
    return base


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value
