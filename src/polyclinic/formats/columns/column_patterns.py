"""Columns by name, or by a pattern with * for any signs: thousands of genes are not written out one by one."""

import re
from collections.abc import Iterable, Sequence


def left_in(names: Iterable[str], leave_out: Sequence[str]) -> tuple[str, ...]:
    """The names that no entry means, in their order. An entry that is a name means that one only, as HLA-A*02 does."""
    known = dict.fromkeys(names)
    gone = _pattern([entry for entry in leave_out if entry not in known])
    return tuple(name for name in known if name not in leave_out and gone.fullmatch(name) is None)


def means_none(names: Iterable[str], leave_out: Sequence[str]) -> tuple[str, ...]:
    """The entries that mean none of the names: rather misspelt."""
    known = tuple(names)
    return tuple(entry for entry in leave_out if len(left_in(known, (entry,))) == len(known))


def _pattern(entries: Sequence[str]) -> re.Pattern[str]:
    r"""One pattern for all entries. A star is any signs; every other sign is itself.

    Example:
        >>> _pattern(["AFFX-*", "age"]).pattern
        'AFFX\\-.*|age'
    """
    each = (".*".join(map(re.escape, re.split(r"\*+", entry))) for entry in entries)
    return re.compile("|".join(each) or r"(?!)", re.DOTALL)
