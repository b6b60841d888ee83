import numpy as np
import polars as pl
import pytest

from polyclinic.cohort.follow_up import (
    follow_up_of,
    follow_ups,
    known_afterwards,
    may_be_its_time,
    other_events,
    pair_of,
    plainness,
    start_of,
    unit_of,
)

RNG = np.random.default_rng(0)
ROWS = 120
TIMES = (RNG.random(ROWS) * 900 + 1).round(1)
YES_NO = RNG.integers(0, 2, ROWS)


def table(**columns: object) -> pl.DataFrame:
    """Columns by name; a text such as "0|1" gives these values in turn."""
    cells = {
        name: [one.split("|")[row % len(one.split("|"))] for row in range(ROWS)] if isinstance(one, str) else one
        for name, one in columns.items()
    }
    return pl.DataFrame(cells)


CBIOPORTAL = table(
    OS_STATUS="0:LIVING|1:DECEASED",
    OS_MONTHS=TIMES,
    DFS_STATUS="0:DiseaseFree|1:Recurred/Progressed",
    DFS_MONTHS=TIMES[::-1],
    DSS_STATUS="0:ALIVE OR DEAD TUMOR FREE|1:DEAD WITH TUMOR",
    DSS_MONTHS=TIMES / 2,
    age=RNG.integers(20, 90, ROWS),
)


@pytest.mark.parametrize(
    ("event", "time"),
    [
        ("arrest", "week"),
        ("cens", "time"),
        ("status", "futime"),
        ("fustat", "futime"),
        ("DEATH_EVENT", "time"),
        ("E", "T"),
        ("observed", "duration"),
        ("death", "d.time"),
        ("died", "followup_days"),
        ("dead", "Follow.up..months."),
        ("status", "tte"),
        ("outcome", "days_to_death"),
        ("Rezidiv", "Zeit"),
        ("tot", "Überlebenszeit_Tage"),
        ("décès", "délai"),
        ("décès", "suivi_mois"),
        ("fallecido", "tiempo_meses"),
        ("evento", "seguimiento"),
        ("死亡", "随访时间_天"),
        ("复发", "月数"),
        ("cancer", "follow_up_years"),
        ("status", "stop"),
        ("relapse", "pfs_months"),
    ],
)
@pytest.mark.parametrize("asked", ["event", "time"])
def test_an_event_and_its_time_find_each_other(event: str, time: str, asked: str) -> None:
    if (event, asked) == ("cancer", "time"):
        pytest.skip("a time alone does not make an event of whatever stands beside it")
    found = follow_up_of(
        table(**{time: TIMES, "age": TIMES[::-1], event: YES_NO}), {"event": event, "time": time}[asked]
    )
    assert found is not None
    assert (found.event, found.time, found.start) == (event, time, None)


@pytest.mark.parametrize(
    ("event", "time"),
    [
        ("death", "prothrombin_time"),
        ("death", "age"),
        ("death", "time_since_diagnosis"),
        ("death", "years_smoking"),
        ("readmitted", "time_in_hospital"),
        ("diagnosis", "time"),
        ("marital_status", "time"),
        ("prior_relapse", "time"),
        ("death_30d", "followup_days"),
    ],
)
def test_what_is_no_follow_up(event: str, time: str) -> None:
    assert follow_up_of(table(**{time: TIMES, event: YES_NO}), event) is None


def test_a_calendar_is_no_follow_up() -> None:
    frame = table(month=RNG.integers(1, 13, ROWS), year=RNG.integers(1962, 1978, ROWS), day=RNG.integers(1, 32, ROWS))
    assert [plainness(frame, column) for column in frame] == [0, 0, 0]


def test_each_end_point_has_its_own_time_and_the_others_are_known_afterwards() -> None:
    pairs = {pair.event: (pair.time, pair.coding.occurred) for pair in follow_ups(CBIOPORTAL)}
    assert pairs == {
        "OS_STATUS": ("OS_MONTHS", ("1:DECEASED",)),
        "DFS_STATUS": ("DFS_MONTHS", ("1:Recurred/Progressed",)),
        "DSS_STATUS": ("DSS_MONTHS", ("1:DEAD WITH TUMOR",)),
    }
    late = known_afterwards(CBIOPORTAL, ["OS_STATUS", "OS_MONTHS"])
    assert set(late) == {"DFS_STATUS", "DFS_MONTHS", "DSS_STATUS", "DSS_MONTHS"}


def test_two_times_with_a_letter_of_their_event() -> None:
    frame = table(rtime=TIMES, recur=YES_NO, dtime=TIMES[::-1], death=YES_NO[::-1], year=RNG.integers(1978, 1993, ROWS))
    assert {pair.event: pair.time for pair in follow_ups(frame)} == {"recur": "rtime", "death": "dtime"}


def test_a_second_spelling_of_the_same_event_shares_its_time() -> None:
    frame = table(
        **{"Overall Survival (Months)": TIMES, "Overall Survival Status": "Living|Deceased"},
        **{"Patient's Vital Status": "Living|Died of Disease|Died of Other Causes"},
    )
    found = follow_up_of(frame, "Patient's Vital Status")
    assert found is not None
    assert found.time == "Overall Survival (Months)"


def test_intervals_of_follow_up_have_a_start() -> None:
    start = TIMES * YES_NO
    frame = table(start=start, stop=start + 5, event=YES_NO)
    found = follow_up_of(frame, "event")
    assert found is not None
    assert (found.time, found.start) == ("stop", "start")
    assert start_of(frame, "stop") == "start"
    assert start_of(table(start=start * 0, stop=TIMES, event=YES_NO), "stop") is None


def test_two_columns_named_together_need_no_telling_names() -> None:
    frame = table(x=TIMES, y=YES_NO)
    for one, other in (("x", "y"), ("y", "x")):
        found = pair_of(frame, one, other)
        assert found is not None
        assert (found.event, found.time) == ("y", "x")
    assert pair_of(table(a=YES_NO, b=YES_NO[::-1]), "a", "b") is None


def test_whoever_died_could_not_stay_on() -> None:
    frame = table(los=RNG.integers(1, 40, ROWS), died=YES_NO, readmitted=YES_NO[::-1])
    assert set(known_afterwards(frame, ["died"])) == {"los"}
    assert known_afterwards(frame, ["readmitted"]) == {}


def test_other_events_are_told_where_the_outcome_is_one() -> None:
    frame = table(death=YES_NO, hospdead=YES_NO, relapse=YES_NO[::-1], sex=YES_NO)
    assert set(other_events(frame, ["death"])) == {"hospdead", "relapse"}
    assert other_events(frame, ["sex"]) == {}


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("os_months", "months"),
        ("Zeit (Tage)", "days"),
        ("jours", "days"),
        ("年数_年", "years"),
        ("time", ""),
        ("week", "weeks"),
    ],
)
def test_units_by_name(name: str, unit: str) -> None:
    assert unit_of(name) == unit


@pytest.mark.parametrize(
    ("event", "time"),
    [("d1", "t1"), ("dp", "tp"), ("srv.s", "srv"), ("censrec", "rectime"), ("rel", "edrel"), ("censdead", "survtime")],
)
def test_names_made_of_each_other_belong_together(event: str, time: str) -> None:
    found = follow_up_of(table(**{"age": TIMES[::-1], time: TIMES, event: YES_NO}), event)
    assert found is not None
    assert (found.event, found.time) == (event, time)


def test_a_status_with_a_number_is_one_too() -> None:
    frame = table(years=TIMES, status="alive|dead|transplanted", year=TIMES[::-1], status2=YES_NO)
    found = follow_up_of(frame, "status2")
    assert found is not None
    assert found.time == "years"
    assert "status" in known_afterwards(frame, ["status2", "years"])


def test_what_is_another_column_plus_the_time_tells_the_time() -> None:
    frame = table(ageentry=TIMES[::-1], time=TIMES, age=TIMES + TIMES[::-1], death=YES_NO)
    assert set(known_afterwards(frame, ["death", "time"])) == {"age"}


def test_events_of_one_family_are_events_all() -> None:
    frame = table(t1=TIMES, d1=YES_NO, t2=TIMES[::-1], d2=YES_NO[::-1], d3=np.maximum(YES_NO, YES_NO[::-1]), z3=YES_NO)
    assert "d3" in other_events(frame, ["d1", "t1"])
    assert "z3" not in other_events(frame, ["d1", "t1"])


def test_what_is_known_at_discharge_comes_with_the_death_in_hospital() -> None:
    frame = table(discharge_location="home|ward", hospital_expire_flag=YES_NO, admission="a|b")
    assert set(known_afterwards(frame, ["hospital_expire_flag"])) == {"discharge_location"}


def test_a_time_that_nobody_claims_may_be_that_of_the_outcome() -> None:
    frame = table(rinfct=YES_NO, time=TIMES, age=TIMES[::-1])
    assert may_be_its_time(frame, "rinfct") == ["time"]
    assert may_be_its_time(frame, "age") == []
    assert may_be_its_time(table(rinfct=YES_NO, time=TIMES, death=YES_NO), "rinfct") == []
