"""Write docs/reference/structure.md: the house measured from its own code, before the rebuilding and now.

    make docs
    python docs/reference/structure.py [--root TREE] [--json]

With ``--json`` nothing is written: the measures of a tree (a checkout of any commit) are printed. That is how the
column "before" was measured on commit e3bc604; structure.json keeps it, with what cannot be counted from one tree.
"""

import argparse
import ast
import json
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
PAGE = Path(__file__).with_name("structure.md")
KEPT = Path(__file__).with_name("structure.json")
PACKAGE = "polyclinic"
KINDS = {"Kind", "Input", "Located", "Head", "Global", "Dense"}
Arrow = tuple[str, str]


@dataclass(frozen=True)
class Room:
    """A folder or a loose file of the package, and the rooms that it imports."""

    name: str
    files: int
    lines: int
    floor: int
    imports: tuple[str, ...]


@dataclass(frozen=True)
class Structure:
    """What is counted in one tree.

    Attributes:
        rooms: From the ground up.
        arrows: Pairs of rooms one of which imports the other.
        back: Arrows that would have to go so that all others run down.
        circles: Files that import each other in a ring, each ring once.
        bodies: Lines of every function body, without its docstring.
        methods: Methods of every class that is a kind of input or question, or what these promise.
        twice: Public class names that occur more than once.
        loose: Files at the root of the package, without those whose name the language gives.
        lines: Lines of all files.
        comments: Lines that are a comment.
        bare_numbers: Constants that are a number, with no reason beside them.
        dense_asked: How often the code asks whether something is a dense question.
    """

    rooms: tuple[Room, ...]
    arrows: int
    back: tuple[str, ...]
    circles: tuple[tuple[str, ...], ...]
    bodies: tuple[int, ...] = field(repr=False)
    methods: Mapping[str, int]
    twice: Mapping[str, int]
    loose: tuple[str, ...]
    lines: int
    comments: int
    bare_numbers: int
    dense_asked: int

    @property
    def floors(self) -> int:
        """How many stand above one another."""
        return max(room.floor for room in self.rooms)

    def percentile(self, share: float) -> int:
        """The length that this share of all function bodies does not exceed."""
        return sorted(self.bodies)[int(share * (len(self.bodies) - 1))]


def structure(root: Path = ROOT) -> Structure:
    """Count everything in the tree at ``root``."""
    source = root / "src" / PACKAGE
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(source.rglob("*.py"))}
    imports = _imports(root)
    arrows = _arrows(imports)
    back = back_arrows(arrows)
    text = "\n".join(path.read_text(encoding="utf-8") for path in trees)
    loose = (path.name for path in sorted(source.glob("*.py")) if not path.name.startswith("__"))
    return Structure(
        rooms=_rooms(source, arrows, back),
        arrows=len(arrows),
        back=tuple(f"{one} -> {other}" for one, other in back),
        circles=tuple(circles(imports)),
        bodies=tuple(length for tree in trees.values() for length in _bodies(tree)),
        methods=methods_of_kinds(source),
        twice=class_names(trees.values()),
        loose=tuple(loose),
        lines=sum(len(path.read_text(encoding="utf-8").splitlines()) for path in trees),
        comments=sum(line.lstrip().startswith("#") for line in text.splitlines()),
        bare_numbers=sum(len(bare_numbers(path)) for path in trees),
        dense_asked=sum(_asks_for_dense(node) for tree in trees.values() for node in ast.walk(tree)),
    )


# Imports -------------------------------------------------------------------------------------------------------------
def _imports(root: Path) -> dict[str, set[str]]:
    sys.path.insert(0, str(root / "src"))
    try:
        graph = grimp.build_graph(PACKAGE, cache_dir=None)
    finally:
        sys.path.pop(0)
    return {module: set(graph.find_modules_directly_imported_by(module)) for module in sorted(graph.modules)}


def _room(module: str) -> str:
    """The package itself is a room as well: what stands in its ``__init__``."""
    return module.split(".")[1] if "." in module else "__init__"


def _arrows(imports: Mapping[str, Iterable[str]]) -> Counter[Arrow]:
    """Pairs of rooms, with the number of imports between their files."""
    pairs = ((_room(one), _room(other)) for one, others in imports.items() for other in others)
    return Counter(pair for pair in pairs if pair[0] != pair[1])


def back_arrows(arrows: Counter[Arrow]) -> list[Arrow]:
    """Of every ring of rooms the arrow that stands for the fewest imports, until no ring is left."""
    left = Counter(arrows)
    removed: list[Arrow] = []
    while True:
        rings = _rings(_followers(left))
        inside = [arrow for arrow in left if any(set(arrow) <= ring for ring in rings)]
        if not inside:
            return removed
        weakest = min(inside, key=lambda arrow: (left[arrow], arrow))
        removed.append(weakest)
        del left[weakest]


def _followers(arrows: Iterable[Arrow]) -> dict[str, set[str]]:
    followers: dict[str, set[str]] = defaultdict(set)
    for one, other in arrows:
        followers[one].add(other)
    return followers


def circles(imports: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """Rings of files."""
    return [tuple(sorted(ring)) for ring in _rings(imports)]


def _rings(followers: Mapping[str, set[str]]) -> list[set[str]]:
    """Groups each of whose members reaches every other."""
    reached = {one: _reached(one, followers) for one in followers}
    groups = {frozenset(other for other in reached[one] if one in reached.get(other, ())) for one in followers}
    return [set(group) for group in groups if len(group) > 1]


def _reached(start: str, followers: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for other in followers.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _rooms(source: Path, arrows: Counter[Arrow], back: Iterable[Arrow]) -> tuple[Room, ...]:
    down = _followers(set(arrows) - set(back))
    names = {path.stem for path in source.iterdir() if path.suffix == ".py" or any(path.glob("*.py"))}
    rooms = (Room(name, *_size(source, name), _floor(name, down), tuple(sorted(down[name]))) for name in names)
    return tuple(sorted(rooms, key=lambda room: (room.floor, room.name)))


def _floor(name: str, down: Mapping[str, set[str]]) -> int:
    """1 where nothing is imported; else one above the highest that is."""
    return 1 + max((_floor(other, down) for other in down.get(name, ())), default=0)


def _size(source: Path, name: str) -> tuple[int, int]:
    files = sorted((source / name).rglob("*.py")) or [source / f"{name}.py"]
    return len(files), sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)


# Code ----------------------------------------------------------------------------------------------------------------
def _bodies(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield body_lines(node)


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its head and its docstring."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def methods_of_kinds(source: Path) -> dict[str, int]:
    """Methods of every class in the rooms of kinds that is a kind, or that says what kinds promise."""
    found = {}
    for room in ("inputs", "heads"):
        for path in sorted((source / room).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and (node.name in KINDS or _names_of_bases(node) & KINDS):
                    found[f"{room}.{node.name}"] = sum(isinstance(member, ast.FunctionDef) for member in node.body)
    return found


def _names_of_bases(node: ast.ClassDef) -> set[str]:
    return {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}


def class_names(trees: Iterable[ast.Module]) -> dict[str, int]:
    """Public class names that stand at the head of a file more than once."""
    names = Counter(node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    return {name: count for name, count in sorted(names.items()) if count > 1 and not name.startswith("_")}


def bare_numbers(path: Path) -> list[str]:
    """Constants of a file that are numbers, with neither a comment nor a docstring that says why."""
    text = path.read_text(encoding="utf-8")
    lines, body = text.splitlines(), ast.parse(text).body
    found = []
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign | ast.AnnAssign) and _is_number(node.value):
            name = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
            commented = any("#" in line for line in lines[node.lineno - 1 : node.end_lineno])
            commented |= lines[node.lineno - 2].startswith("#")
            described = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            if name.isupper() and not commented and not described:
                found.append(name)
    return found


def _is_number(value: ast.expr | None) -> bool:
    """A number, or several, and nothing else."""
    if value is None:
        return False
    leaves = [node for node in ast.walk(value) if isinstance(node, ast.Constant | ast.Name | ast.Call | ast.Attribute)]
    return bool(leaves) and all(isinstance(leaf, ast.Constant) and type(leaf.value) in (int, float) for leaf in leaves)


def parameters(trees: Iterable[ast.Module]) -> Counter[str]:
    """How many functions have a parameter of each name."""
    return Counter(node.arg for tree in trees for node in ast.walk(tree) if isinstance(node, ast.arg))


def _asks_for_dense(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"isinstance", "issubclass"}
        and any(isinstance(part, ast.Name) and part.id == "Dense" for part in ast.walk(node.args[1]))
    )


# Page ----------------------------------------------------------------------------------------------------------------
_HEAD = """# The structure, measured

<!-- Written by `make docs` from the code; change `structure.py` or `structure.json` beside this page instead. -->

Rooms are the folders and loose files of the package; an arrow is a room that imports another; a floor is one above the
highest room that is imported. A circle is a ring of files that import each other. *Before* is commit {before}.
"""


def figures(found: Structure) -> dict[str, int]:
    """What the table compares."""
    return {
        "rooms": len(found.rooms),
        "floors": found.floors,
        "arrows": found.arrows,
        "back_arrows": len(found.back),
        "circles": len(found.circles),
        "loose_files": len(found.loose),
        "body_median": found.percentile(0.5),
        "body_p95": found.percentile(0.95),
        "body_longest": max(found.bodies),
        "most_methods": max(found.methods.values()),
        "names_twice": len(found.twice),
        "dense_asked": found.dense_asked,
        "lines": found.lines,
        "comments": found.comments,
        "bare_numbers": found.bare_numbers,
    }


_ROWS = {
    "rooms": ("rooms", ""),
    "floors": ("floors", ""),
    "arrows": ("arrows", ""),
    "back_arrows": ("arrows that run back up", "0"),
    "circles": ("circles of files", "0"),
    "loose_files": ("loose files at the root", "at most 8"),
    "body_median": ("lines of a function body, median", "4 to 8"),
    "body_p95": ("lines of a function body, 95 of 100 have at most", "20"),
    "body_longest": ("lines of the longest function body", "60"),
    "most_methods": ("most methods of a kind", "14"),
    "names_twice": ("public class names that occur twice", "0"),
    "dense_asked": ("times that code asks whether a question is dense", ""),
    "lines": ("lines of `src`", "fewer, by the rebuilding alone: 44,436"),
    "comments": ("lines that are a comment", ""),
    "bare_numbers": ("constants that are a number without a reason beside them", "fewer"),
}


def page() -> str:
    """The whole page."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    found = structure()
    return "\n".join(
        [
            _HEAD.format(before=kept["before"]["commit"]),
            *_measures(figures(found), kept["before"]["figures"], kept["mutants"]),
            *_rooms_table(found.rooms),
            *_additions(kept["additions"]),
        ]
    )


def _measures(now: Mapping[str, int], before: Mapping[str, int], mutants: Mapping[str, int]) -> Iterator[str]:
    yield "| measure | before | now | to hold |\n|---|---|---|---|"
    for key, (words, goal) in _ROWS.items():
        yield f"| {words} | {before[key]:,} | {now[key]:,} | {goal} |"
    noticed = f"{mutants['noticed']} of {mutants['of']}" if mutants else "not measured"
    yield f"| changes of the wiring that `make check` notices | 1 of 8 | {noticed} | 28 of 30 |\n"


def _rooms_table(rooms: Iterable[Room]) -> Iterator[str]:
    yield "## Rooms, from the top\n\n| floor | room | files | lines | imports |\n|---|---|---|---|---|"
    for room in sorted(rooms, key=lambda room: (-room.floor, room.name)):
        yield f"| {room.floor} | `{room.name}` | {room.files} | {room.lines:,} | {', '.join(room.imports)} |"
    yield ""


def _additions(additions: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """What the example package adds is counted; the rest is kept."""
    yield "## Files touched by one addition\n"
    yield "Without tests and pages. A package touches no file of the house; the third column counts its own.\n"
    yield "| addition | before | in a package now | in the house now | seen in |\n|---|---|---|---|---|"
    modules = example_modules()
    for group, one in additions.items():
        found = modules.get(group, [])
        files = ", ".join(f"`{name}.py`" for name in found)
        yield f"| {one['what']} | {one['before']} | {len(found) or '-'} | {one['house']} | {files or one['seen']} |"
    yield ""


def example_modules() -> dict[str, list[str]]:
    """The files of the example package by what they add: groups of entry points, a form's three as one."""
    project = tomllib.loads((ROOT / "docs" / "examples" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    modules: dict[str, list[str]] = defaultdict(list)
    forms = ("answers", "evidence_forms", "delivery_forms")
    for group, points in project["entry-points"].items():
        word = group.removeprefix("polyclinic.")
        first = next(iter(points.values())).partition(":")[0]
        modules["form" if word in forms else word].append(first)
    return modules


def main() -> None:
    """Write the page, or print the measures of a tree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.json:
        found = structure(asked.root)
        names = {
            "twice": found.twice,
            "methods": found.methods,
            "back": found.back,
            "rooms": [asdict(r) for r in found.rooms],
        }
        print(json.dumps({"figures": figures(found), **names}, indent=2))
    else:
        PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
