import numpy as np

from polyclinic.evidence.records import Subgroup
from polyclinic.evidence.subgroups import MOST, levels, multiplicity_note
from polyclinic.predictions.record import Samples


def _samples(strata, site=None):
    n = len(next(iter(strata.values()))) if strata else len(site)
    zero = np.zeros(n, dtype=int)
    words = np.array(["x"] * n, dtype=object)
    return Samples(zero + 1, words, words, zero, zero, site, strata)


def test_levels_are_sorted_and_what_is_not_known_comes_last():
    values = np.array(["b", None, "a", "b"], dtype=object)
    found = levels(_samples({"ward": values}, site=np.array(["n", "s", "n", "s"])))
    assert [(level.column, level.value, level.members.tolist()) for level in found] == [
        ("site", "n", [0, 2]),
        ("site", "s", [1, 3]),
        ("ward", "a", [2]),
        ("ward", "b", [0, 3]),
        ("ward", "not known", [1]),
    ]


def test_numbers_are_sorted_as_numbers():
    found = levels(_samples({"stage": np.array([10.0, 2.0, np.nan, 2.0])}))
    assert [level.value for level in found] == ["2", "10", "not known"]


def test_a_column_with_one_value_has_no_subgroups():
    assert levels(_samples({"sex": np.array(["f", "f"])})) == ()


def test_many_values_are_cut_to_the_largest_and_it_is_said():
    values = np.array([f"w{k:02d}" for k in range(20)] * 2 + ["w19"] * 5)
    samples = _samples({"ward": values})
    found = levels(samples)
    assert len(found) == MOST
    assert found[-1].value == "w19"
    note = multiplicity_note((Subgroup("ward", "w19", 7, {}),), 6, 0.95, samples)
    assert 'Of column "ward" only the 12 largest' in note


def test_note_counts_intervals_that_miss_by_chance():
    group = Subgroup("sex", "f", 7, {})
    assert "make 60 intervals" in multiplicity_note((group,) * 10, 6, 0.95, _samples({"sex": np.array(["f"])}))
    assert "about 3 of them" in multiplicity_note((group,) * 10, 6, 0.95, _samples({"sex": np.array(["f"])}))
    assert multiplicity_note((), 6, 0.95, _samples({"sex": np.array(["f"])})).startswith("No subgroups")
