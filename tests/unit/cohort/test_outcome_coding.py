import polars as pl
import pytest

from polyclinic.cohort.outcome_coding import (
    EventCoding,
    Side,
    cell_meant,
    codes,
    event_coding,
    guess_positive,
    is_by_then,
    is_event_name,
    side,
)

PAIRS = [
    ("yes", "no"),
    ("ja", "nein"),
    ("si", "no"),
    ("sí", "no"),
    ("oui", "non"),
    ("sim", "não"),
    ("y", "n"),
    ("present", "absent"),
    ("dead", "alive"),
    ("Deceased", "Living"),
    ("pos", "neg"),
    ("+", "-"),
    ("阳性", "阴性"),
    ("是", "否"),
    ("死亡", "未死亡"),
    ("case", "control"),
    ("malignant", "benign"),
    ("M", "B"),
    ("disease", "healthy"),
    ("relapse", "no relapse"),
    ("recurrence-events", "no-recurrence-events"),
    ("1:DECEASED", "0:LIVING"),
    ("ckd", "notckd"),
    ("abnormal", "normal"),
    ("Parkinson", "control"),
    ("True", "False"),
    (1, 0),
    (True, False),
    (1, -1),
    ("1:grey", "0:green"),
]


@pytest.mark.parametrize("many", [(5, 3), (3, 5)])
@pytest.mark.parametrize(("ill", "well"), PAIRS)
def test_the_ill_class_is_positive_whether_rare_or_common(
    ill: str | int | bool, well: str | int | bool, many: tuple[int, int]
) -> None:
    found = guess_positive(pl.Series("outcome", [ill] * many[0] + [well] * many[1]))
    assert (found.value, found.sure) == (ill, True)


@pytest.mark.parametrize(("name", "positive"), [("alive", "no"), ("survived", "no"), ("sick", "yes")])
def test_yes_to_being_well_is_not_positive(name: str, positive: str) -> None:
    assert guess_positive(pl.Series(name, ["yes", "no"])).value == positive


def test_words_that_say_nothing_give_the_rarer_and_a_doubt() -> None:
    found = guess_positive(pl.Series("arm", ["blue"] * 3 + ["red"] * 2))
    assert (found.value, found.sure) == ("red", False)
    assert not guess_positive(pl.Series("x", [1, 2])).sure


@pytest.mark.parametrize(
    ("name", "values", "occurred", "asks"),
    [
        ("arrest", [0, 1], (1,), False),
        ("dead", [False, True], (True,), False),
        ("status", [1, 2], (2,), False),
        ("status", [0, 1, 2], (1, 2), True),
        ("status", [1, 2, 3], (), True),
        ("cens", [0, 1], (1,), True),
        ("censored", [0, 1], (0,), True),
        ("censorship", [0, 1], (0,), True),
        ("os_censored", [False, True], (False,), True),
        ("not_censored", [0, 1], (1,), True),
        ("oscens", [0, 1], (1,), True),
        ("uncensored", [0, 1], (1,), False),
        ("censored", ["yes", "no"], ("no",), False),
        ("alive", [0, 1], (0,), True),
        ("OS_STATUS", ["0:LIVING", "1:DECEASED"], ("1:DECEASED",), False),
        ("PFS_STATUS", ["0:CENSORED", "1:PROGRESSION"], ("1:PROGRESSION",), False),
        ("DSS_STATUS", ["0:ALIVE OR DEAD TUMOR FREE", "1:DEAD WITH TUMOR"], ("1:DEAD WITH TUMOR",), False),
        (
            "vital",
            ["Living", "Died of Disease", "Died of Other Causes"],
            ("Died of Disease", "Died of Other Causes"),
            True,
        ),
        ("event", ["censored", "death", "ltx"], ("death",), True),
        ("event", ["censored", "uncensored"], ("uncensored",), False),
        ("dead", [0.0, 1.0, None], (1,), False),
        ("status", ["1.0", "2.0"], (2,), False),
    ],
)
def test_codes_of_events(name: str, values: list[object], occurred: tuple[object, ...], asks: bool) -> None:
    found = event_coding(pl.Series(name, values))
    assert found is not None
    assert set(found.occurred) == set(occurred)
    assert bool(found.doubt) == asks


@pytest.mark.parametrize("values", [[1.5, 2.5], ["north", "south"], list(range(30)), [0, 9], [1], [[1], [2]]])
def test_what_is_no_event(values: list[object]) -> None:
    assert event_coding(pl.Series("status", values)) is None


def test_only_one_or_true_need_no_word_in_the_study() -> None:
    assert EventCoding((1,)).plain
    assert EventCoding((True,)).plain
    assert not EventCoding((2,)).plain
    assert not EventCoding((1,), "why").plain


def test_a_word_between_the_lists_stays_open() -> None:
    assert side("green") is Side.OPEN
    assert side("not normal") is Side.ILL


@pytest.mark.parametrize(
    ("value", "held", "cell"),
    [
        (True, {"True"}, "True"),
        (True, {"1", "0"}, "1"),
        (2, {"1", "2"}, "2"),
        (2.0, {"2"}, "2"),
        ("x", {"y"}, None),
        (1, {"1.00", "2.00"}, "1.00"),
        (1, {"1.0", "1.00"}, None),
    ],
)
def test_the_cell_that_a_study_means(value: str | int | bool, held: set[str], cell: str | None) -> None:
    assert cell_meant(value, held) == cell


def test_whole_numbers_are_codes_as_such() -> None:
    assert codes(pl.Series([2.0, 1.0, None])) == [1, 2]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("death", 2),
        ("DEATH_EVENT", 2),
        ("status", 1),
        ("OS_STATUS", 1),
        ("vital_status", 1),
        ("fustat", 2),
        ("pstat", 1),
        ("status2", 1),
        ("censdead", 2),
        ("death30", 0),
        ("smoking_status", 0),
        ("prior_relapse", 0),
        ("cause of death", 0),
        ("death_30d", 0),
        ("age", 0),
    ],
)
def test_names_of_events(name: str, plain: int) -> None:
    assert is_event_name(name) == plain


@pytest.mark.parametrize(
    ("name", "fixed"), [("death_30d", True), ("hospdead", True), ("day30", False), ("death", False)]
)
def test_events_up_to_a_fixed_moment(name: str, fixed: bool) -> None:
    assert is_by_then(name) is fixed
