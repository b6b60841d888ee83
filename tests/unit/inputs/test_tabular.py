import json
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from pydantic import ValidationError
from scipy.stats import spearmanr

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, Severity, StudyError
from polyclinic.inputs.tabular import Tabular
from polyclinic.records.base import ColumnCells
from polyclinic.study.schema import Size

FOLDER = Path()


def rows(count):
    return TrainRows(np.arange(count))


def kind(**keys):
    return Tabular("labs", Tabular.Options.model_validate_json(json.dumps(keys), strict=True))


def cells(frame):
    return ColumnCells(frame, FOLDER, "cohort.csv")


def made(frame, train, **keys):
    """The fitted input and all rows as tensors."""
    fitted, prepared = prepared_of(frame, train, **keys)
    return fitted, prepared.tensors


def prepared_of(frame, train, **keys):
    records = kind(**keys).read(cells(frame))
    fitted = kind(**keys).fit(records, rows(train))
    return fitted, fitted.prepare(records)


@pytest.fixture
def frame():
    rng = np.random.default_rng(3)
    return Tabular.example(rng, rng.standard_normal(120), FOLDER, "labs")[0]


def names(error):
    return [finding.name for finding in error.value.findings]


def test_types_follow_the_table():
    frame = pl.DataFrame(
        {"age": [30, 40, 50], "sex": ["f", "m", None], "fever": [True, None, False], "lactate": [1.5, None, 2.0]}
    )
    records = kind().read(cells(frame))
    assert records.numeric == ("age", "lactate")
    assert np.isnan(records.numbers[1, 1])
    assert list(records.categories) == ["sex", "fever"]
    assert records.categories["fever"].words == ("false", "true")
    assert records.categories["sex"].codes.tolist() == [0, 1, -1]


def test_few_whole_numbers_stay_numbers_unless_the_study_says_otherwise():
    frame = pl.DataFrame({"grade": [1, 2, 3, 2, 1]})
    assert kind().read(cells(frame)).numeric == ("grade",)
    assert kind(categorical=["grade"]).read(cells(frame)).categories["grade"].words == ("1", "2", "3")


def test_a_category_reads_the_same_from_whole_numbers_floats_and_text():
    words = [
        kind(categorical=["code"]).read(cells(pl.DataFrame({"code": values}))).categories["code"].words
        for values in ([1, 2, None], [1.0, 2.0, None], ["1", "2", None])
    ]
    assert words == [("1", "2")] * 3


def test_text_in_a_number_column_is_an_error_that_names_the_rows_and_no_content():
    values = [str(value) for value in range(20)]
    values[6] = "SECRET"
    with pytest.raises(CohortError) as error:
        kind(numeric=["age"]).read(cells(pl.DataFrame({"age": values})))
    assert names(error) == ["text_in_number_column"]
    assert error.value.findings[0].rows == (7,)
    assert "SECRET" not in str(error.value)
    assert kind(categorical=["age"]).read(cells(pl.DataFrame({"age": values}))).categories["age"].codes.max() == 19


def test_text_stays_text_for_its_type_was_decided_when_the_table_was_read():
    values = [str(value) for value in range(20)]
    assert "age" in kind().read(cells(pl.DataFrame({"age": values}))).categories


def test_words_and_numbers_are_what_the_study_names_then_what_was_learned(frame):
    assert kind(categorical=["a"], numeric=["b"]).words() == ("a",)
    assert kind(categorical=["a"], numeric=["b"]).numbers() == ("b",)
    fitted, _ = made(frame, 80)
    assert set(fitted.words()) == {"labs_stage", "labs_ward"}
    assert "labs_marker" in fitted.numbers()


def test_a_column_declared_numeric_refuses_text_and_infinity():
    frame = pl.DataFrame({"a": ["x", "y", "1"], "b": [1.0, np.inf, np.nan]})
    with pytest.raises(CohortError) as error:
        kind(numeric=["a"]).read(cells(frame))
    assert [finding.rows for finding in error.value.findings] == [(1, 2), (2,)]


def test_diagnosis_codes_are_categories_although_most_look_like_numbers():
    codes = [f"{250 + i % 40}.{i % 9}" for i in range(180)] + [f"V{i}" for i in range(20)]
    assert "code" in kind().read(cells(pl.DataFrame({"code": codes}))).categories
    padded = [f"{i:03d}" for i in range(200)]
    assert "code" in kind().read(cells(pl.DataFrame({"code": padded}))).categories


def test_dates_are_refused(frame):
    frame = frame.with_columns(born=pl.date(1950, 1, 1))
    with pytest.raises(CohortError) as error:
        kind().read(cells(frame))
    assert names(error) == ["neither_number_nor_category"]


@pytest.mark.parametrize("key", ["columns", "numeric", "categorical"])
def test_unknown_columns_get_a_suggestion(frame, key):
    with pytest.raises(CohortError, match=r'Did you mean "labs_marker"') as error:
        kind(**{key: ["labs_markr"]}).read(cells(frame))
    assert f"[inputs.labs] {key}" in error.value.findings[0].place


def test_rest_is_what_is_offered_but_what_is_left_out():
    assert kind(leave_out=["id"]).columns(("id", "age")) == ("age",)
    assert kind(columns=["sex"]).columns(("id", "age")) == ("sex",)


def test_constants_come_from_training_rows_only(frame):
    poisoned = frame.with_columns(
        labs_marker=pl.when(pl.int_range(pl.len()) < 80).then("labs_marker").otherwise(1e9),
        labs_ward=pl.when(pl.int_range(pl.len()) < 80).then("labs_ward").otherwise(pl.lit("0 new")),
    )
    clean, ready = made(frame, 80)
    dirty, poisoned_ready = made(poisoned, 80)
    assert clean.plan == dirty.plan
    for one, other in zip(vars(ready).values(), vars(poisoned_ready).values(), strict=True):
        torch.testing.assert_close(one[:80], other[:80], rtol=0, atol=0)


def test_the_plan_does_see_the_training_rows(frame):
    poisoned = frame.with_columns(labs_marker=pl.col("labs_marker") * 2)
    assert made(frame, 80)[0].plan != made(poisoned, 80)[0].plan


def test_scaling_is_robust_and_bends_outliers():
    values = [*map(float, range(101)), 1e12]
    _, ready = made(pl.DataFrame({"x": values}), 101)
    assert ready.numbers[50, 0] == 0
    assert ready.numbers[101, 0] == pytest.approx(3, abs=1e-3)
    assert bool((ready.numbers[1:, 0] > ready.numbers[:-1, 0]).all())


def test_missing_numbers_are_marked_and_never_look_like_a_value():
    frame = pl.DataFrame({"x": [1.0, 2.0, 3.0, None, 5.0, 6.0], "y": [1.0, 2.0, 1.0, 2.0, 3.0, 1.0]})
    fitted, ready = made(frame, 6)
    torch.manual_seed(0)
    encoder = fitted.encoder(16, Size.SMALL, None).eval()
    assert ready.missing[:, 0].tolist() == [False, False, False, True, False, False]
    filled = made(frame.with_columns(pl.col("x").fill_null(3.0)), 6)[1]  # 3 is the median
    assert not torch.allclose(encoder(ready).tokens[3 * 8], encoder(filled).tokens[3 * 8])


def test_what_stands_in_place_of_a_missing_number_does_not_matter(frame):
    fitted, ready = made(frame, 120)
    encoder = fitted.encoder(16, Size.SMALL, None).eval()
    other = ready.numbers.masked_fill(ready.missing, 99.0)
    torch.testing.assert_close(encoder(ready).tokens, encoder(type(ready)(**{**vars(ready), "numbers": other})).tokens)


def test_rare_unseen_and_missing_words_have_levels_of_their_own():
    words = ["a"] * 5 + ["b"] * 5 + ["c"] + [None] + ["new"]
    fitted, ready = made(pl.DataFrame({"w": words}), 12)
    plan = fitted.plan.few[0]
    assert (plan.words, plan.other, plan.absent, plan.levels) == (("a", "b"), True, True, 4)
    assert ready.few[:, 0].tolist() == [0] * 5 + [1] * 5 + [2, 3, 2]


def test_a_level_that_training_never_saw_says_nothing():
    fitted, ready = made(pl.DataFrame({"w": ["a"] * 5 + ["b"] * 5 + ["new", None]}), 10)
    assert ready.few[10:, 0].tolist() == [2, 2]
    encoder = fitted.encoder(16, Size.SMALL, None).eval()
    assert encoder.network._ones(ready.few, torch.zeros(1))[10:].sum() == 0
    notes = fitted.read(cells(pl.DataFrame({"w": ["a", "new"]}))).check()
    assert [(note.name, note.severity, note.rows) for note in notes if note.name == "new_category"] == [
        ("new_category", Severity.NOTE, (2,))
    ]


def test_new_values_unlike_those_of_training_are_told_by_column():
    frame = pl.DataFrame({"size": [1.0, 2.0, 3.0, 4.0] * 5, "age": [30, 50, 60, 80] * 5, "w": ["a", "b"] * 10})
    fitted, _ = made(frame, 20)
    new = pl.DataFrame({"size": [2.0, -20.0, None], "age": [400, 55, 120], "w": ["a", "new", None]})
    found = {(odd.oddity.name, odd.column): odd.rows.tolist() for odd in fitted.read(cells(new)).odd_values()}
    assert found == {
        ("IMPOSSIBLE", "size"): [False, False, False],
        ("IMPOSSIBLE", "age"): [True, False, False],
        ("OUTSIDE", "size"): [False, True, False],
        ("OUTSIDE", "age"): [True, False, True],
        ("UNSEEN", "w"): [False, True, False],
    }
    assert made(frame, 20)[0].read(cells(frame)).check() == []


def test_another_unit_is_told_of_new_patients():
    frame = pl.DataFrame({"size": np.linspace(1, 4, 40)})
    notes = made(frame, 40)[0].read(cells(frame * 1000)).check()
    assert [(note.name, note.severity) for note in notes] == [("another_unit", Severity.WARNING)]
    assert 'column "size"' in notes[0].place


def test_many_levels_are_embedded():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"icd": rng.choice([f"K{i}" for i in range(60)], 600), "age": rng.normal(size=600)})
    fitted, ready = prepared_of(frame, 500)
    assert [plan.name for plan in fitted.plan.many] == ["icd"]
    assert fitted.encoder(16, Size.SMALL, None)(ready.collate(np.arange(7))).tokens.shape[2] == 16


def test_a_fitted_input_reads_a_new_table_as_it_read_the_first(frame):
    fitted, ready = made(frame, 120)
    columns = [*reversed(frame.columns), "stranger"]
    new = frame.head(4).with_columns(labs_noise_1=pl.lit(None), stranger=pl.lit(1)).select(columns)
    again = fitted.prepare(fitted.read(cells(new))).tensors
    assert fitted.columns(tuple(columns)) == fitted.plan.names
    torch.testing.assert_close(again.numbers[:, :2], ready.numbers[:4, :2])
    assert bool(again.missing[:, 2].all())
    assert [f.severity for f in fitted.read(cells(new)).check() if f.name == "empty_column"] == [Severity.WARNING]


def test_a_row_without_any_value_is_absent(frame):
    blank = frame.with_columns(pl.when(pl.int_range(pl.len()) != 3).then(pl.all()))
    fitted, ready = prepared_of(blank, 120)
    assert ready.tensors.present.tolist() == [row != 3 for row in range(120)]
    encoded = fitted.encoder(16, Size.SMALL, None)(ready.collate(np.array([2, 3])))
    members = fitted.members(Size.SMALL)
    assert encoded.members == members
    assert encoded.present[:, 0].tolist() == [True] * members + [False] * members


def test_empty_constant_and_name_like_columns_are_found():
    frame = pl.DataFrame({"none": [None] * 60, "same": [2.0] * 60, "name": [f"w{i}" for i in range(60)]})
    found = {finding.name: finding.severity for finding in kind().read(cells(frame)).check()}
    assert found == {
        "empty_column": Severity.ERROR,
        "constant_column": Severity.WARNING,
        "words_without_repeats": Severity.WARNING,
    }


def test_columns_that_say_nothing_do_not_break_the_network():
    frame = pl.DataFrame({"none": [None] * 9, "same": [2.0] * 9, "bit": [0, 1, 1] * 3, "word": ["a"] * 9})
    fitted, ready = made(frame, 6)
    assert torch.isfinite(fitted.encoder(16, Size.SMALL, None)(ready).tokens).all()


@pytest.mark.parametrize("encoder", ["auto", "tabm", "mlp", "linear"])
@pytest.mark.parametrize("size", list(Size))
def test_gradients_reach_every_parameter(frame, encoder, size):
    frame = frame.with_columns(icd=pl.Series([f"K{i % 40}" for i in range(120)]))
    fitted, ready = prepared_of(frame, 120, encoder=encoder, rare=1)
    torch.manual_seed(0)
    module = fitted.encoder(32, size, None)
    encoded = module(ready.collate(np.arange(120)))
    assert encoded.members == fitted.members(size)
    assert encoded.tokens.shape == (120 * encoded.members, 1, 32)
    encoded.tokens.square().sum().backward()
    assert [name for name, p in module.named_parameters() if p.grad is None or not p.grad.abs().any()] == []


class _Mean(torch.nn.Module):
    def __init__(self, columns, width, size):
        super().__init__()
        self.out = torch.nn.Linear(len(columns.edges), width)

    def forward(self, numbers, missing, few, many):
        return self.out(numbers)


class _Wrong(_Mean):
    def forward(self, numbers, missing, few, many):
        return numbers[:, :1]


def offer(monkeypatch, network):
    """A network under the name "theirs", as if a package had it."""
    catalogue = sys.modules["polyclinic.study.catalogue"]
    point = EntryPoint("theirs", "theirs:Theirs", "polyclinic.networks")
    monkeypatch.setattr(catalogue, "_plugins", lambda axis: {"theirs": (point,)} if axis == "networks" else {})
    monkeypatch.setattr(catalogue, "_load", lambda axis, point: network)
    catalogue.find.cache_clear()
    catalogue.names.cache_clear()


@pytest.fixture
def clean_catalogue():
    yield
    catalogue = sys.modules["polyclinic.study.catalogue"]
    catalogue.find.cache_clear()
    catalogue.names.cache_clear()


@pytest.mark.usefixtures("clean_catalogue")
def test_a_network_of_a_package_by_its_name(frame, monkeypatch):
    offer(monkeypatch, _Mean)
    fitted, ready = prepared_of(frame, 120, encoder="theirs")
    encoded = fitted.encoder(16, Size.SMALL, None)(ready.collate(np.arange(7)))
    assert encoded.members == fitted.members(Size.SMALL) == 1
    assert encoded.tokens.shape == (7, 1, 16)


@pytest.mark.usefixtures("clean_catalogue")
@pytest.mark.parametrize(("network", "words"), [(_Wrong, "16 numbers for each row"), (len, "class of torch modules")])
def test_a_network_that_is_none_is_refused(frame, monkeypatch, network, words):
    offer(monkeypatch, network)
    fitted, ready = prepared_of(frame, 120, encoder="theirs")
    with pytest.raises(StudyError, match=words):
        fitted.encoder(16, Size.SMALL, None)(ready.collate(np.arange(7)))


def test_a_network_that_nobody_offers(frame):
    with pytest.raises(ValidationError, match="tabm"):
        prepared_of(frame, 120, encoder="tabn")


def test_dropout_of_the_study_is_obeyed(frame):
    fitted, ready = made(frame, 120)
    module = fitted.encoder(16, Size.SMALL, 0.0)
    torch.testing.assert_close(module(ready).tokens, module(ready).tokens)
    module = fitted.encoder(16, Size.SMALL, 0.5)
    assert not torch.allclose(module(ready).tokens, module(ready).tokens)


def test_collate_takes_the_rows_asked_for(frame):
    _, ready = prepared_of(frame, 120)
    batch = ready.collate(np.array([5, 2, 5]))
    torch.testing.assert_close(batch.numbers, ready.tensors.numbers[[5, 2, 5]])
    assert batch.few.tolist() == ready.tensors.few[[5, 2, 5]].tolist()


def test_augmentation_is_off_by_default_and_repeats_with_its_generator(frame):
    _, still = prepared_of(frame, 120)
    ready = still.tensors
    assert still.augment(ready, torch.Generator().manual_seed(1))[0] is ready
    noisy, changing = prepared_of(frame, 120, noise=0.1, forget=0.3)
    one, two = (changing.augment(ready, torch.Generator().manual_seed(1))[0] for _ in range(2))
    torch.testing.assert_close(one.numbers, two.numbers)
    lost = (one.missing & ~ready.missing).float().mean() / (~ready.missing).float().mean()
    assert lost == pytest.approx(0.3, abs=0.06)
    assert (one.few == sum(plan.levels for plan in noisy.plan.few)).float().mean() == pytest.approx(0.3, abs=0.1)


def test_the_same_seed_gives_the_same_encoder(frame):
    fitted, ready = made(frame, 120)
    tokens = []
    for _ in range(2):
        torch.manual_seed(4)
        tokens.append(fitted.encoder(16, Size.SMALL, None).eval()(ready).tokens)
    assert torch.equal(*tokens)


def test_the_plan_survives_json(frame):
    plan = made(frame, 120)[0].plan
    assert Tabular.Plan.model_validate_json(plan.model_dump_json()) == plan


def test_plain_features_keep_what_is_missing(frame):
    fitted, _ = made(frame, 120)
    features = fitted.read(cells(frame)).summarise()
    assert features.matrix.shape == (120, 7)
    assert features.categorical == (False,) * 5 + (True,) * 2
    assert np.isnan(features.matrix[:, 0]).sum() == frame["labs_marker"].null_count()


def test_equal_rows_have_equal_fingerprints_and_equal_halves():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({**{c: rng.normal(size=50) for c in "abcd"}, "sex": rng.choice(["f", "m"], 50)})
    frame = pl.concat([frame, frame.head(1)])
    prints = kind().read(cells(frame)).fingerprints()
    assert prints[50] == prints[0]
    assert len(set(prints.tolist())) == 50
    assert prints.min() > 0
    halves = kind().read(cells(frame)).halves()
    assert (halves.one[50], halves.other[50]) == (halves.one[0], halves.other[0])


def test_a_picture_is_escaped_and_puts_the_strongest_first(frame):
    frame = frame.select("labs_marker").with_columns(pl.lit("<script>").alias("<b>"))
    records = kind().read(cells(frame))
    text = records.show(0, np.array([0.1, -2.0])).content.decode()
    assert "<script>" not in text
    assert "<b>" not in text
    assert text.index("&lt;b&gt;") < text.index("labs_marker")
    assert "<svg" not in records.show(0).content.decode()


def test_the_example_carries_the_signal_where_it_says():
    rng = np.random.default_rng(1)
    signal = rng.standard_normal(500)
    frame, keys = Tabular.example(rng, signal, FOLDER, "labs")
    records = kind(**keys).read(cells(frame))
    strength = {}
    for i, name in enumerate(records.numeric):
        known = ~np.isnan(records.numbers[:, i])
        strength[name] = abs(spearmanr(records.numbers[known, i], signal[known])[0])
    assert strength["labs_marker"] > 0.8
    assert strength["labs_ratio"] > 0.6
    assert max(strength[f"labs_noise_{i}"] for i in (1, 2, 3)) < 0.15
    assert abs(spearmanr(records.categories["labs_stage"].codes, signal)[0]) > 0.6
    assert frame["labs_marker"].null_count() > 10
