import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, Severity
from polyclinic.inputs.expression import Expression
from polyclinic.layers.tables.components import principal_components
from polyclinic.records.base import ColumnCells
from polyclinic.study.schema import Size

FOLDER = Path()


def kind(**keys):
    return Expression("rna", Expression.Options.model_validate_json(json.dumps(keys), strict=True))


def cells(frame):
    return ColumnCells(frame, FOLDER, "cohort.csv")


def table(values):
    return pl.DataFrame({f"g{i}": pl.Series(column).fill_nan(None) for i, column in enumerate(np.asarray(values).T)})


def fitted(frame, train, **keys):
    records = kind(**keys).read(cells(frame))
    return kind(**keys).fit(records, TrainRows(np.arange(train))), records


@pytest.fixture
def example():
    rng = np.random.default_rng(2)
    signal = rng.standard_normal(90)
    return Expression.example(rng, signal, FOLDER, "rna")[0], signal


def test_columns_by_rest_by_prefix_and_by_name():
    offered = ("id", "ENSG1", "ENSG2")
    assert kind().columns(offered) == offered
    assert kind(prefix="ENSG").columns(offered) == ("ENSG1", "ENSG2")
    assert kind(columns=["ENSG2"]).columns(offered) == ("ENSG2",)
    assert kind(leave_out=["id"]).columns(offered) == ("ENSG1", "ENSG2")
    assert kind(prefix="ENSG", leave_out=["*1"]).columns(offered) == ("ENSG2",)


def test_unknown_genes_get_a_suggestion_and_none_at_all_an_error():
    frame = pl.DataFrame({"TP53": [1.0], "BRCA1": [2.0]})
    with pytest.raises(CohortError, match=r'Did you mean "BRCA1"'):
        kind(columns=["BRCA"]).read(cells(frame))
    with pytest.raises(CohortError, match='no column begins with "ENSG"'):
        kind(prefix="ENSG").read(cells(frame))


def test_text_among_the_numbers_is_an_error_that_names_rows_and_no_content():
    with pytest.raises(CohortError) as error:
        kind().read(cells(pl.DataFrame({"a": ["1", "SECRET", "3"], "b": [1.0, 2.0, np.inf]})))
    assert [finding.rows for finding in error.value.findings] == [(2,), (3,)]
    assert "SECRET" not in str(error.value)


def test_constants_come_from_training_rows_only(example):
    frame, _ = example
    poisoned = frame.with_columns(pl.when(pl.int_range(pl.len()) < 60).then(pl.all()).otherwise(pl.all() * 1e6))
    (clean, records), (dirty, other) = fitted(frame, 60), fitted(poisoned, 60)
    assert clean.plan == dirty.plan
    assert torch.equal(clean.prepare(records).tensors.values[:60], dirty.prepare(other).tensors.values[:60])
    assert not torch.equal(clean.prepare(records).tensors.values[60:], dirty.prepare(other).tensors.values[60:])


def test_the_plan_does_see_the_training_rows(example):
    frame, _ = example
    assert fitted(frame, 60)[0].plan != fitted(frame, 61)[0].plan


def test_logarithms_are_taken_of_raw_values_only(example):
    frame, _ = example
    assert fitted(frame, 60)[0].plan.log
    assert fitted(frame, 60)[0].plan.level
    assert not fitted(frame.select(pl.all().log(2)), 60)[0].plan.log
    assert not fitted(frame, 60, log="no", level="no")[0].plan.log


def test_training_rows_of_the_panel_are_standardised(example):
    plan, records = fitted(example[0], 60)
    values = plan.prepare(records).tensors.values[:60]
    assert len(plan.plan.genes) == 600
    torch.testing.assert_close(values.mean(0), torch.zeros(600), atol=1e-5, rtol=0)
    assert float(values.std(0, unbiased=False).median()) == pytest.approx(1, abs=0.01)


def test_values_below_zero_and_counts_survive_the_logarithm():
    rng = np.random.default_rng(0)
    for values in (rng.normal(100, 300, (20, 30)), rng.poisson(3, (20, 30)) * 200.0, rng.normal(-1e6, 1e3, (20, 4))):
        one, records = fitted(table(np.vstack([values, [[500.0] * values.shape[1]]])), 20, log="yes")
        assert torch.isfinite(one.prepare(records).tensors.values).all()


def test_the_level_of_a_sample_does_not_matter_once_taken_out(example):
    frame, _ = example
    more = frame.with_columns(pl.when(pl.int_range(pl.len()) == 70).then(pl.all() * 8).otherwise(pl.all()))
    one, records = fitted(frame, 60)
    other = one.prepare(one.read(cells(more))).tensors.values[70]
    torch.testing.assert_close(one.prepare(records).tensors.values[70], other, atol=0.05, rtol=0)


def test_the_panel_holds_the_genes_that_vary_most():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((40, 50)) * np.where(np.arange(50) % 5 == 0, 4.0, 1.0)
    one, _ = fitted(table(values), 40, genes=10)
    assert one.plan.genes == tuple(range(0, 50, 5))


def test_a_missing_gene_adds_nothing_and_a_sample_without_any_is_absent():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((30, 40))
    values[29, :5], values[28] = np.nan, np.nan
    one, records = fitted(table(values), 25)
    ready = one.prepare(records)
    assert ready.tensors.values[29, :5].abs().max() == 0
    assert ready.tensors.present.tolist() == [True] * 28 + [False, True]
    encoded = one.encoder(16, Size.SMALL, None)(ready.collate(np.array([27, 28])))
    assert encoded.present[:, 0].tolist() == [True, False]


@pytest.mark.parametrize("encoder", ["auto", "mlp", "linear"])
@pytest.mark.parametrize("size", list(Size))
def test_gradients_reach_every_parameter(example, encoder, size):
    one, records = fitted(example[0], 80, encoder=encoder)
    torch.manual_seed(0)
    module = one.encoder(24, size, None)
    encoded = module(one.prepare(records).collate(np.arange(80)))
    assert encoded.tokens.shape == (80, 1, 24)
    encoded.tokens.square().sum().backward()
    assert [name for name, p in module.named_parameters() if p.grad is None or not p.grad.abs().any()] == []


def test_the_components_find_the_signal(example):
    frame, signal = example
    one, records = fitted(frame, 60)
    network = one.encoder(8, Size.SMALL, None).eval().network
    scores = one.prepare(records).tensors.values @ network.loadings.T
    design = np.column_stack([scores.numpy()[:, :32], np.ones(90)])
    weights = np.linalg.lstsq(design[:60], signal[:60], rcond=None)[0]
    assert np.corrcoef(design[60:] @ weights, signal[60:])[0, 1] > 0.6


def test_components_are_those_of_a_singular_value_decomposition():
    rng = np.random.default_rng(0)
    for shape in ((30, 12), (12, 30)):
        values = rng.standard_normal(shape)
        _, spread, right = np.linalg.svd(values - values.mean(0), full_matrices=False)
        ours = principal_components(torch.from_numpy(values), 5).numpy()
        expected = right[:5] / (spread[0] / np.sqrt(len(values)))
        np.testing.assert_allclose(np.abs(ours), np.abs(expected), atol=1e-5)
        assert (ours[np.arange(5), np.abs(ours).argmax(1)] > 0).all()


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_handful_of_rows_does_not_break_it(rows):
    one, records = fitted(table(np.random.default_rng(0).standard_normal((3, 9))), rows)
    assert torch.isfinite(one.encoder(8, Size.SMALL, None)(one.prepare(records).tensors).tokens).all()


def test_findings_on_doubtful_expression():
    values = np.random.default_rng(0).lognormal(6, 1, (12, 20))
    values[3] = np.log2(values[3])
    values[:, 4] = np.nan
    values[5, :15] = np.nan
    found = {finding.name: finding.rows for finding in kind().read(cells(table(values))).check()}
    assert found == {"empty_genes": (), "sparse_samples": (6,), "mixed_units": (4,)}
    empty = kind().read(cells(table(np.full((5, 4), np.nan)))).check()
    assert [(finding.name, finding.severity) for finding in empty] == [("empty_column", Severity.ERROR)]
    assert kind().read(cells(table(np.random.default_rng(0).lognormal(6, 1, (12, 20))))).check() == []


def test_a_fitted_input_warns_of_samples_in_another_unit(example):
    one, _ = fitted(example[0], 60)
    logged = one.read(cells(example[0].head(3).select(pl.all().log(2))))
    assert [finding.name for finding in logged.check()] == ["mixed_units"]


def test_the_plan_survives_json_and_the_same_seed_gives_the_same_encoder(example):
    one, records = fitted(example[0], 60)
    assert Expression.Plan.model_validate_json(one.plan.model_dump_json()) == one.plan
    tokens = []
    for _ in range(2):
        torch.manual_seed(1)
        tokens.append(one.encoder(16, Size.SMALL, None).eval()(one.prepare(records).tensors).tokens)
    assert torch.equal(*tokens)


def test_nothing_is_augmented(example):
    one, records = fitted(example[0], 60)
    ready = one.prepare(records)
    assert ready.augment(ready.tensors, torch.Generator())[0] is ready.tensors


def test_plain_features_fingerprints_and_picture(example):
    frame = pl.concat([example[0], example[0].head(1)])
    _, records = fitted(frame, 60)
    features = records.summarise()
    assert features.matrix.shape == (91, 600)
    assert features.matrix[~np.isnan(features.matrix)].max() < 20
    prints = records.fingerprints()
    assert prints[90] == prints[0]
    assert len(set(prints.tolist())) == 90
    text = records.show(0, np.arange(600.0)).content.decode()
    assert text.count("<tr>") == 20
    assert text.index("rna_gene_600") < text.index("rna_gene_599")


def test_the_example_carries_the_signal_in_the_first_ten_genes(example):
    frame, signal = example
    values = np.log2(frame.to_numpy())
    strength = np.array([abs(np.ma.corrcoef(np.ma.masked_invalid(v), signal)[0, 1]) for v in values.T])
    assert strength[:10].min() > 0.6
    assert np.median(strength[10:]) < 0.15
    assert 0 < np.isnan(values).mean() < 0.01


def test_a_sample_far_from_training_in_many_genes_names_them(example):
    frame, _ = example
    input_, _ = fitted(frame, 60)
    assert input_.read(cells(frame)).far
    assert not any(odd.rows.any() for odd in input_.read(cells(frame)).odd_values())
    genes = frame.columns
    odd = frame.with_columns(
        [pl.when(pl.int_range(pl.len()) == 3).then(1e9).otherwise(pl.col(g)).alias(g) for g in genes[:9]]
    )
    found = {one.column: one.rows.tolist() for one in input_.read(cells(odd)).odd_values() if one.rows.any()}
    assert set(found) == set(genes[:9])
    assert all([row for row, is_odd in enumerate(rows) if is_odd] == [3] for rows in found.values())
    few = frame.with_columns(pl.when(pl.int_range(pl.len()) == 3).then(1e9).otherwise(pl.col(genes[0])).alias(genes[0]))
    assert not any(one.rows.any() for one in input_.read(cells(few)).odd_values())
