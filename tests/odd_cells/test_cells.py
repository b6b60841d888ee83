"""Every entry of the corpus of odd cells is read as a careful data manager would, but for those that are pending.

The list of the pending may only shrink: an entry that is read right must leave it (`score.py --write` takes it out).
"""

import pytest

from odd_cells.corpus import entries, pending, wrong

MOST_PENDING = 0
ENTRIES = entries()


def test_the_corpus_has_three_hundred_entries_with_names_of_their_own():
    assert len(ENTRIES) == 300
    assert len({entry.id for entry in ENTRIES}) == 300


def test_the_pending_are_entries_and_no_more_than_there_were():
    names = {entry.id for entry in ENTRIES}
    assert [name for name in pending() if name not in names] == []
    assert len(set(pending())) == len(pending()) <= MOST_PENDING


@pytest.mark.parametrize("entry", [pytest.param(entry, id=entry.id) for entry in ENTRIES])
def test_cells_are_read_as_written(entry):
    fault = wrong(entry)
    if entry.id in pending():
        assert fault, f"{entry.id} is read right: take it from pending.txt"
    else:
        assert not fault
