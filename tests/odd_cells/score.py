"""How many entries of the corpus are read right: `python tests/odd_cells/score.py [--wrong] [--write]`."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from odd_cells.corpus import PENDING, entries, pending, wrong


def score() -> None:
    """Read every entry and print the count; with --write, those that are right leave the pending."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wrong", action="store_true", help="say what is wrong with each")
    parser.add_argument("--write", action="store_true", help="take what is right from tests/odd_cells/pending.txt")
    asked = parser.parse_args()
    found = {entry.id: wrong(entry) for entry in entries()}
    faults = {name: fault for name, fault in found.items() if fault}
    if asked.wrong:
        for name, fault in faults.items():
            print(f"{name:<32} {fault}")
    if asked.write:
        PENDING.write_text("".join(f"{name}\n" for name in pending() if name in faults), encoding="utf-8")
    print(f"{len(found) - len(faults)} of {len(found)} are read right")


if __name__ == "__main__":
    score()
