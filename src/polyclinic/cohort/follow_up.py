"""Follow-up: which column holds the time to an event, which says whether it was seen, and from when a row is watched.

How long a patient was watched is known only afterwards. As the input of a classifier it tells the outcome: who was
censored was watched longer (or shorter), and only who lives long can be watched for long (immortal time).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Bool, Float

from polyclinic.cohort.field_words import Tokens, consists_of, is_called, mentions, tokens
from polyclinic.cohort.outcome_coding import EventCoding, event_coding, is_by_then, is_event_name

UNITS = ("days", "weeks", "months", "years", "hours")

_PLAINLY = 3
"""A name that can only be that of a follow-up time."""

_SAID = 2
"""The same of an event: see ``is_event_name``."""

_FEWEST_TIMES = 10
"""Distinct times of a follow-up; fewer are a score or a visit. A round number."""

_FEWEST_PLAIN_TIMES = 5
"""The same where the name is plain: small tables tie."""

_MOSTLY = 0.9
"""Slips happen: a time of 0 or below in a few rows, a start after its stop, does not hide what the columns are."""

_MOST_SUMMED = 60
"""Columns among which sums are looked for; every pair of them is."""

_ENOUGH_ROWS = 1000
"""Rows on which a sum is looked for."""

_ROUNDING = 1e-6
"""Of sums of numbers with a few decimals in floating point."""

_CALENDAR = {"month": 12, "day": 31, "hour": 24}
"""Largest numbers of months, days and hours that are read off a calendar or a clock."""

_FIRST_YEAR = 1850
"""Numbers above are years of a calendar, not years of follow-up."""

_TELLING = 3
"""Letters of an event's name that, within another name, are no chance."""

_LETTER = r"[decs]([a-z0-9]{1,2})"
"""Events as textbooks abbreviate them: d1 for the death whose time is t1."""

_TIME_MARKS = ("time", "days", "months", "weeks", "years", "t")

_DEATH = {"os", "overall", "death", "dead", "died", "deceased", "vital", "dss", "css", "mort", "tod", "muerte", "deces"}
_RETURN = {
    "dfs",
    "rfs",
    "pfs",
    "efs",
    "dmfs",
    "ttp",
    "pfi",
    "dfi",
    "relapse",
    "recurrence",
    "progression",
    "recur",
    "free",
}


@dataclass(frozen=True)
class FollowUp:
    """An event with its time.

    Attributes:
        event: Column that says whether the event was seen.
        time: Column of the time to the event or to the last contact.
        coding: What the values of the event mean.
        start: Column of the time from which a row is watched, where rows are intervals of follow-up; or None.
    """

    event: str
    time: str
    coding: EventCoding
    start: str | None = None

    @property
    def unit(self) -> str:
        """Unit of the time by its name, "" where it does not say."""
        return unit_of(self.time)


def follow_ups(frame: pl.DataFrame) -> tuple[FollowUp, ...]:
    """Every event of the table that has a time of its own, by names and content."""
    partners = _partners(frame)
    times = [column for column in frame if plainness(frame, column) or column.name in partners.values()]
    events = [column for column in frame if is_event_name(column.name) or column.name in partners]
    found = (_best(frame, event, times, events) for event in events)
    return tuple(one for one in found if one is not None)


def follow_up_of(frame: pl.DataFrame, column: str) -> FollowUp | None:
    """The event and time of which a column is one; None where it has no such partner.

    A column that is no event by its name may still be one if a time stands beside it that can only be a follow-up.
    """
    known = follow_ups(frame)
    if any(pair.event == column for pair in known):
        return next(pair for pair in known if pair.event == column)
    own = [pair for pair in known if pair.time == column]
    if own:
        return max(own, key=lambda pair: _fit(frame, frame[column], frame[pair.event]))
    times = [time for time in frame if plainness(frame, time)]
    return _of_the_same(frame, frame[column], times) or _by_content(frame, frame[column], times, known)


def pair_of(frame: pl.DataFrame, one: str, other: str) -> FollowUp | None:
    """Two columns named together, if one holds an event and the other its time; whatever they are called."""
    for event, time in ((one, other), (other, one)):
        coding = event_coding(frame[event])
        times = frame[time].dtype.is_numeric() and event_coding(frame[time]) is None
        if coding is not None and times:
            return FollowUp(event, time, coding, start_of(frame, time))
    return None


def known_afterwards(frame: pl.DataFrame, outcome: Sequence[str]) -> dict[str, str]:
    """Columns that are known only once the follow-up is over, each with the reason; the outcome itself aside."""
    own = [pair for name in outcome if (pair := follow_up_of(frame, name)) is not None]
    reasons: dict[str, str] = {}
    for pair in [*own, *follow_ups(frame)]:
        reasons.setdefault(pair.time, f"the follow-up time of {pair.event}: known only afterwards")
        reasons.setdefault(pair.event, f"an event with a follow-up time ({pair.time}): known only afterwards")
        if pair.start is not None:
            reasons.setdefault(pair.start, f"where the interval of follow-up begins that ends at {pair.time}")
    for pair in own:
        for name in _sums(frame, pair):
            reasons.setdefault(name, f"another column plus {pair.time}: where the follow-up ended")
    fatal = any(mentions(name, "event", "by_then") for name in outcome)
    for column in frame:
        if plainness(frame, column) == _PLAINLY:
            reasons.setdefault(column.name, "a follow-up time: known only afterwards")
        elif fatal and is_called(column.name, "stay"):
            reasons.setdefault(column.name, "how long the stay was: whoever died could not stay on")
        elif fatal and mentions(column.name, "until_discharge"):
            reasons.setdefault(column.name, "of the discharge: known only when the outcome is")
    return {name: why for name, why in reasons.items() if name not in outcome}


def may_be_its_time(frame: pl.DataFrame, outcome: str) -> list[str]:
    """Columns that may be the follow-up of an outcome of two values, though no name says so: a person has to know."""
    coding = event_coding(frame[outcome])
    if coding is None or len(coding.occurred) != 1 or is_by_then(outcome) or mentions(outcome, "not_event"):
        return []
    taken = {name for pair in follow_ups(frame) for name in (pair.event, pair.time)}
    free = [column for column in frame if column.name not in taken and is_called(column.name, "time")]
    return [] if outcome in taken else [column.name for column in free if plainness(frame, column)]


def _sums(frame: pl.DataFrame, pair: FollowUp) -> list[str]:
    """Columns that are another one plus the follow-up time, such as the age at death beside that at entry."""
    apart = (pair.event, pair.time, pair.start)
    free = [column for column in frame if column.dtype.is_numeric() and column.name not in apart][:_MOST_SUMMED]
    if len(free) < 2:
        return []
    rows = pl.DataFrame([frame[pair.time], *free]).drop_nulls().head(_ENOUGH_ROWS)
    value = rows.to_numpy().astype(np.float64)
    if len(value) < _FEWEST_TIMES:
        return []
    time, others = value[:, :1], value[:, 1:]
    ends = [np.any(_equal(others[:, [k]], others + time)) for k in range(others.shape[1])]
    return [column.name for column, end in zip(free, ends, strict=True) if end]


def _equal(one: Float[np.ndarray, "row 1"], others: Float[np.ndarray, "row column"]) -> Bool[np.ndarray, " column"]:
    """Which columns are the same as one in nearly every row, up to rounding."""
    return np.asarray((np.abs(one - others) <= _ROUNDING).mean(axis=0) >= _MOSTLY)


def other_events(frame: pl.DataFrame, outcome: Sequence[str]) -> dict[str, str]:
    """Columns that name another event than the outcome, if the outcome is one: they may have come later."""
    family = _family(frame)
    if not any(is_event_name(name) or is_by_then(name) or name in family for name in outcome):
        return {}
    late = [c for c in frame if is_event_name(c.name) == _SAID or _by_then(c) or c.name in family]
    why = "another event: known only afterwards? Name it under columns if it lay before"
    return {c.name: why for c in late if c.name not in outcome and event_coding(c) is not None}


def _family(frame: pl.DataFrame) -> set[str]:
    """Events of one letter and a mark, such as d1, d2 and d3, once two of them have times such as t1 and t2."""
    paired = [pair.event for pair in follow_ups(frame) if re.fullmatch(_LETTER, pair.event.casefold())]
    first = {name[0] for name in paired} if len(paired) > 1 else set()
    alike = [column for column in frame if column.name[0:1] in first and re.fullmatch(_LETTER, column.name.casefold())]
    return {column.name for column in alike if _is_switch(column)}


def _by_then(column: pl.Series) -> bool:
    return is_by_then(column.name) and mentions(column.name, "event", "by_then")


def start_of(frame: pl.DataFrame, stop: str) -> str | None:
    """The column from whose time a row is watched until ``stop``; None where rows are watched from the beginning."""
    starts = (column for column in frame if is_called(column.name, "start") and column.dtype.is_numeric())
    for start in starts:
        ordered = (start < frame[stop]).drop_nulls()
        if start.name != stop and len(ordered) and float(ordered.mean()) >= _MOSTLY and bool((start > 0).any()):  # type: ignore[arg-type]
            return start.name
    return None


def unit_of(name: str) -> str:
    """The unit that a name states: "days", "weeks", "months", "years" or "hours"; "" where it states none."""
    return next((unit for unit in UNITS if mentions(name, unit)), "")


def plainness(frame: pl.DataFrame, column: pl.Series) -> int:
    """How plainly a column is a follow-up time: 3 = it can be nothing else, 2 or 1 = if an event is there, 0 = no."""
    if not column.dtype.is_numeric():
        return 0
    by_name = _by_name(column.name)
    if by_name < _PLAINLY and (is_called(column.name, "time") or tokens(column.name) == ("end",)):
        by_name = _PLAINLY if start_of(frame, column.name) is not None else by_name
    return by_name if by_name and _holds_times(column, by_name) else 0


def _by_name(name: str) -> int:
    words = tokens(name)
    if mentions(name, "not_follow_up") and not mentions(name, "follow_up"):
        return 0
    if is_called(name, "follow_up") or (mentions(name, "follow_up") and (unit_of(name) or mentions(name, "time"))):
        return _PLAINLY
    if mentions(name, "endpoint") and (unit_of(name) or mentions(name, "time")):
        return _PLAINLY
    if _prefix(words) is not None:
        return _PLAINLY if mentions(str(_prefix(words)), "endpoint") else 1
    if consists_of(name, "time", "filler", *UNITS):
        return 2 if mentions(name, "time") or name.casefold().endswith("s") else 1  # years last, a year may be a date
    return 0


def _prefix(words: Tokens) -> str | None:
    """What stands before "time" in names such as futime, dtime or "d.time"."""
    glued = re.fullmatch(r"([a-z]{1,5}?)(time|days|months|weeks|years|yrs)", words[0]) if len(words) == 1 else None
    if glued:
        return glued[1]
    return words[0] if len(words) == 2 and words[1] == "time" and len(words[0]) <= len("surv") else None


def _holds_times(column: pl.Series, plain: int) -> bool:
    known = column.drop_nulls()
    fewest = _FEWEST_PLAIN_TIMES if plain == _PLAINLY else _FEWEST_TIMES
    if not len(known) or known.n_unique() < fewest or float((known >= 0).mean()) < _MOSTLY:  # type: ignore[arg-type]
        return False
    largest = float(known.max())  # type: ignore[arg-type]
    if mentions(column.name, "years") and float(known.median()) > _FIRST_YEAR:  # type: ignore[arg-type]
        return False
    return largest > _CALENDAR.get(" ".join(tokens(column.name)), 0)


def _best(
    frame: pl.DataFrame, event: pl.Series, times: Sequence[pl.Series], events: Sequence[pl.Series]
) -> FollowUp | None:
    """The time of an event, unless every time that fits belongs to another event with which it fits better."""
    coding = event_coding(event)
    if coding is None:
        return None
    fits = [(_fit(frame, time, event), time) for time in times if time.name != event.name]
    fits = [(fit, time) for fit, time in fits if fit[0] > 0]
    for fit, time in sorted(fits, key=lambda one: one[0], reverse=True):
        rivals = (_fit(frame, time, other) for other in events if other.name not in (event.name, time.name))
        if all(rival[:2] <= fit[:2] for rival in rivals):
            return FollowUp(event.name, time.name, coding, start_of(frame, time.name))
    return None


def _fit(frame: pl.DataFrame, time: pl.Series, event: pl.Series) -> tuple[int, int, int, int]:
    """How well a time and an event belong together; the first number is 0 where they do not."""
    if event_coding(event) is None or _conflict(time.name, event.name):
        return (0, 0, 0, 0)
    prefix = _prefix(tokens(time.name))
    plain = plainness(frame, time)
    begins = prefix is not None and "".join(tokens(event.name)).startswith(prefix)
    named_alike = _named_alike(time.name, event.name) and _holds_times(time, plain)
    if not named_alike and (not plain or (plain == 1 and prefix is not None and not begins)):
        return (0, 0, 0, 0)
    mine, others = _stem(time.name), _stem(event.name)
    shared = 3 if begins or named_alike or (mine and mine & others) else 2 if mine == others else 1
    apart = abs(frame.columns.index(time.name) - frame.columns.index(event.name))
    return (shared, is_event_name(event.name), plain, -apart)


def _partners(frame: pl.DataFrame) -> dict[str, str]:
    """Times of events by how the two are named, such as t1 and d1, srv and srv.s, rectime and censrec."""
    names = {"".join(tokens(column.name)): column for column in frame if column.dtype.is_numeric()}
    found: dict[str, str] = {}
    for event in frame:
        for glued in _times_named_after(event.name, names if is_event_name(event.name) else ()):
            time = names.get(glued)
            if time is not None and time.name != event.name and _holds_times(time, 2) and _is_switch(event):
                found[event.name] = time.name
    return found


def _named_alike(time: str, event: str) -> bool:
    glued = "".join(tokens(time))
    return glued in _times_named_after(event, (glued,) if is_event_name(event) else ())


def _times_named_after(event: str, names: Iterable[str]) -> set[str]:
    """How the time of an event may be called, in one piece; of ``names`` those that hold the name of the event."""
    words = tokens(event)
    glued = "".join(words)
    found = {name for name in names if len(glued) >= _TELLING and glued in name and name != glued}
    if len(words) > 1 and is_called(words[-1], "event_mark"):
        found |= {"".join(words[:-1]), *("".join(words[:-1]) + mark for mark in _TIME_MARKS)}
    if short := re.fullmatch(_LETTER, glued):
        found.add(f"t{short[1]}")
    if marked := re.fullmatch(r"(?:cens|stat|ind)([a-z]{2,})|([a-z]{2,})(?:cens|stat|ind|status)", glued):
        found |= {f"{marked[1] or marked[2]}{mark}" for mark in _TIME_MARKS}
    return found


def _is_switch(column: pl.Series) -> bool:
    """Whether a column is 0 or 1 and nothing else: names alone prove little."""
    coding = event_coding(column)
    return coding is not None and len(coding.occurred) == 1


def _conflict(time: str, event: str) -> bool:
    """Whether one speaks of death and the other of relapse, as OS_MONTHS and DFS_STATUS do."""
    a, b = set(tokens(time)), set(tokens(event))
    return bool((a & _DEATH and b & _RETURN and not b & _DEATH) or (a & _RETURN and b & _DEATH and not b & _RETURN))


def _stem(name: str) -> frozenset[str]:
    """What a name says beyond that it is a time or an event."""
    lists = ("time", "status", "censoring", "filler", *UNITS)
    words = (re.sub(r"(?<=[a-z]{2})[0-9]$", "", word) for word in tokens(name))  # status2 beside status
    return frozenset(word for word in words if not is_called(word, *lists))


def _of_the_same(frame: pl.DataFrame, event: pl.Series, times: Sequence[pl.Series]) -> FollowUp | None:
    """A second way to write an event whose time another column shares, as a vital status beside OS_STATUS."""
    coding = event_coding(event)
    plain = [time for time in times if plainness(frame, time) == _PLAINLY and _fit(frame, time, event)[0] > 0]
    if coding is None or not plain or not is_event_name(event.name):
        return None
    time = max(plain, key=lambda one: _fit(frame, one, event))
    return FollowUp(event.name, time.name, coding, start_of(frame, time.name))


def _by_content(
    frame: pl.DataFrame, column: pl.Series, times: Sequence[pl.Series], known: Sequence[FollowUp]
) -> FollowUp | None:
    """An outcome of two values whose name says nothing, beside a time that can only be a follow-up of it."""
    coding = event_coding(column)
    taken = {pair.time for pair in known}
    free = [time for time in times if time.name not in taken and plainness(frame, time) == _PLAINLY]
    usable = [time for time in free if not _conflict(time.name, column.name)]
    if coding is None or not usable or mentions(column.name, "not_event") or is_by_then(column.name):
        return None
    return FollowUp(column.name, usable[0].name, coding, start_of(frame, usable[0].name))
