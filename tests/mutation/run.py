"""Break the wiring one line at a time, and see whether the quick tests notice: `python tests/mutation/run.py`.

`wiring.toml` lists the lines: where, as it is, as it is broken, what that would mean, and which tests are likely to
notice. Each is broken in a copy of the tree in a folder of its own: the tree itself is never touched. First those tests
are run, and only if they notice nothing all that `make check` runs. What no test notices wants a new test.

    python tests/mutation/run.py                    all of them, about an hour
    python tests/mutation/run.py --only "tune"      those in whose meaning the word occurs
    python tests/mutation/run.py --likely           the likely tests only, a few minutes
    python tests/mutation/run.py --jobs 2           two at a time

It leaves with 0 if all but two are noticed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("wiring.toml")
MAY_SURVIVE = 2
"""Of about forty: a line may be broken in a way that changes no behaviour on the small studies of the tests."""
OPTIONS = "--import-mode=importlib"
"""Shapes are not checked at run time here: it takes half the time, and what is noticed without is noticed with them."""
TOO_LONG_S = 900
"""A mutant that makes a test wait forever is noticed too; `make check` takes minutes."""


@dataclass(frozen=True)
class Mutation:
    """One line of wiring, broken.

    Attributes:
        file: Where it stands, below ``src/polyclinic``.
        old: The text as it is; it occurs once in the file.
        new: The text as it is broken.
        means: What would be wrong with the house.
        likely: Tests that should notice, as pytest is given them.
    """

    file: str
    old: str
    new: str
    means: str
    likely: tuple[str, ...]

    def broken(self, root: Path) -> str:
        """The whole file with the line broken.

        Raises:
            ValueError: if the line is not there once.
        """
        text = self.path(root).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file}: this occurs {text.count(self.old)} times, not once:\n{self.old}")
        return text.replace(self.old, self.new)

    def path(self, root: Path) -> Path:
        """The file in one tree."""
        return root / "src" / "polyclinic" / self.file


@dataclass(frozen=True)
class Verdict:
    """Whether a mutation was noticed, and by which test."""

    mutation: Mutation
    noticed: bool
    by: str
    seconds: float


def read_mutations() -> list[Mutation]:
    """The list, as it stands in the file."""
    entries = tomllib.loads(LIST.read_text(encoding="utf-8"))["mutation"]
    return [Mutation(**{**entry, "likely": tuple(entry["likely"])}) for entry in entries]


@contextmanager
def copied_tree() -> Iterator[Path]:
    """The tree as it is now, without what git ignores, in a folder that vanishes."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        for path in filter(None, listed.decode().split("\0")):
            target = Path(name) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / path).is_file():
                shutil.copy2(ROOT / path, target)
        yield Path(name)


def try_mutation(mutation: Mutation, tree: Path, *, likely_only: bool = False) -> Verdict:
    """Break the line in a copy of the tree, run the tests there, and mend it again."""
    began = time.monotonic()
    path = mutation.path(tree)
    whole = path.read_text(encoding="utf-8")
    path.write_text(mutation.broken(tree), encoding="utf-8")
    try:
        by = _first_failure(tree, mutation.likely)
        if not by and not likely_only:
            by = _first_failure(tree, ("tests",))
    finally:
        path.write_text(whole, encoding="utf-8")
    return Verdict(mutation, bool(by), by, time.monotonic() - began)


def try_all(mutations: Sequence[Mutation], jobs: int, *, likely_only: bool) -> Iterator[Verdict]:
    """Try them in order, as many at a time as there are jobs, each job in a tree of its own."""
    trees: SimpleQueue[Path] = SimpleQueue()

    def attempt(mutation: Mutation) -> Verdict:
        tree = trees.get()
        try:
            return try_mutation(mutation, tree, likely_only=likely_only)
        finally:
            trees.put(tree)

    with ExitStack() as stack:
        for _ in range(jobs):
            trees.put(stack.enter_context(copied_tree()))
        _refuse_broken(mutations, trees)
        yield from stack.enter_context(ThreadPoolExecutor(jobs)).map(attempt, mutations)


def _refuse_broken(mutations: Sequence[Mutation], trees: "SimpleQueue[Path]") -> None:
    """A test that fails anyway would seem to notice everything.

    Raises:
        RuntimeError: naming the first one.
    """
    tree = trees.get()
    failed = _first_failure(tree, sorted({test for mutation in mutations for test in mutation.likely}))
    trees.put(tree)
    if failed:
        raise RuntimeError(f"{failed} fails although nothing is broken: mend that first.")


def _first_failure(tree: Path, tests: Sequence[str]) -> str:
    """The first test that fails, or "" where all pass."""
    options = ["-q", "-x", "--tb=no", "-m", "not slow", "-p", "no:cacheprovider", "-o", f"addopts={OPTIONS}"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=TOO_LONG_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"(ran for more than {TOO_LONG_S} s)"
    if done.returncode == 0:
        return ""
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode not in (1, 2) or not failed:
        raise RuntimeError(f"pytest left with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return failed[0].split(" - ")[0].split(maxsplit=1)[1]


def main() -> int:
    """Try all, print a table, and say how many were noticed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="a word of the meaning")
    parser.add_argument("--likely", action="store_true", help="run the likely tests only")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    asked = parser.parse_args()
    chosen = [one for one in read_mutations() if asked.only in one.means]
    noticed = 0
    for number, verdict in enumerate(try_all(chosen, asked.jobs, likely_only=asked.likely), 1):
        noticed += verdict.noticed
        word = "noticed " if verdict.noticed else "SURVIVED"
        print(f"{number:2d} {word} {verdict.mutation.file}: {verdict.mutation.means}", flush=True)
        print(f"            {verdict.by or '-'} ({verdict.seconds:.0f} s)", flush=True)
    print(f"{noticed} of {len(chosen)} were noticed.")
    return 0 if noticed >= len(chosen) - MAY_SURVIVE else 1


if __name__ == "__main__":
    sys.exit(main())
