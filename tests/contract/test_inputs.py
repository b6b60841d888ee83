"""What every kind of input promises. A new file in inputs/ is under test the moment it exists."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
import torch

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import Severity
from polyclinic.heads.classify import Classify
from polyclinic.inputs.base import Input, Prepared
from polyclinic.model import build
from polyclinic.records.base import ColumnCells, Records
from polyclinic.study import catalogue
from polyclinic.study.schema import ModelSection, Size

ROWS = 48
TRAIN = TrainRows(np.arange(32))
BATCH = np.arange(6)
WIDTH = 32

KINDS = catalogue.names("inputs")


class Case(NamedTuple):
    """A kind on synthetic cells, read and fitted."""

    kind: Input
    cells: ColumnCells
    records: Records
    fitted: Input
    ready: Prepared


def open_case(word: str, folder: Path) -> Case:
    cls = catalogue.find("inputs", word)
    rng = np.random.default_rng(7)
    frame, keys = cls.example(rng, rng.standard_normal(ROWS), folder, "it")
    options = cls.Options.model_validate_json(json.dumps(keys))
    kind = cls("it", options)
    frame = frame.select(kind.columns(tuple(frame.columns)))
    cells = ColumnCells(frame, folder, "cohort.csv", None)
    records = kind.read(cells)
    fitted = kind.fit(records, TRAIN)
    return Case(kind, cells, records, fitted, fitted.prepare(records))


@pytest.fixture(params=KINDS)
def case(request, tmp_path) -> Case:
    return open_case(request.param, tmp_path)


def encode(case: Case, index: np.ndarray, tensors=None):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        encoder = case.fitted.encoder(WIDTH, Size.TINY, 0.0).eval()
    with torch.no_grad():
        return encoder(case.ready.collate(index) if tensors is None else tensors)


def test_every_option_has_a_line_of_help(case):
    for key, field in type(case.kind.options).model_fields.items():
        assert field.description, key


def test_the_example_is_found_faultless(case):
    assert len(case.records) == ROWS
    found = [f for f in case.records.check() if f.severity in (Severity.ERROR, Severity.REFUSED)]
    assert found == []


def test_tokens_have_the_promised_shape(case):
    encoded = encode(case, BATCH)
    members = case.fitted.members(Size.TINY)
    assert encoded.members == members
    assert encoded.tokens.shape[0] == len(BATCH) * members
    assert encoded.tokens.shape[2] == WIDTH
    assert encoded.present.shape == encoded.tokens.shape[:2]
    assert torch.isfinite(encoded.tokens).all()


def test_a_record_is_encoded_the_same_whoever_else_is_in_the_batch(case):
    members = case.fitted.members(Size.TINY)
    together, alone = encode(case, BATCH), encode(case, BATCH[:1])
    torch.testing.assert_close(together.tokens[:members], alone.tokens, rtol=1e-4, atol=1e-5)


def test_an_absent_record_is_masked_and_changes_nobody_else(case, tmp_path):
    columns = case.cells.frame.columns
    blank = pl.int_range(pl.len()) == 2
    frame = case.cells.frame.with_columns(pl.when(blank).then(None).otherwise(pl.col(c)).alias(c) for c in columns)
    cls = type(case.kind)
    allowed = cls("it", case.kind.options.model_copy(update={"missing": "allow"}), case.fitted.plan)
    records = allowed.read(ColumnCells(frame, tmp_path, "cohort.csv", None))
    absent = Case(allowed, case.cells, records, allowed, allowed.prepare(records))
    tensors = absent.ready.collate(BATCH)
    assert tensors.present.tolist() == [True, True, False, True, True, True]
    members = allowed.members(Size.TINY)
    before, after = encode(case, BATCH).tokens, encode(absent, BATCH).tokens
    others = [row for row in range(len(BATCH) * members) if row // members != 2]
    torch.testing.assert_close(before[others], after[others], rtol=1e-4, atol=1e-5)
    assert not encode(absent, BATCH).present[2 * members : 3 * members].any()
    assert records.fingerprints()[2] == 0


def test_nothing_is_learned_from_other_rows(case, tmp_path):
    """Poison what is not for training: the plan must not notice."""
    index = np.concatenate([TRAIN.index, np.full(ROWS - len(TRAIN), TRAIN.index[0])])
    cells = ColumnCells(case.cells.frame[index], tmp_path, "cohort.csv", None)
    assert case.kind.fit(case.kind.read(cells), TRAIN).plan == case.fitted.plan


def test_the_plan_survives_json(case):
    plan = type(case.fitted.plan).model_validate_json(case.fitted.plan.model_dump_json())
    assert plan == case.fitted.plan
    revived = type(case.kind)("it", case.kind.options, plan)
    ready = revived.prepare(revived.read(case.cells))
    again = Case(revived, case.cells, case.records, revived, ready)
    assert torch.equal(encode(again, BATCH).tokens, encode(case, BATCH).tokens)


def test_augmenting_follows_its_generator_and_keeps_the_shape(case):
    tensors = case.ready.collate(BATCH)
    moved = [case.ready.augment(tensors, torch.Generator().manual_seed(5))[0] for _ in range(2)]
    first, second = (encode(case, BATCH, one).tokens for one in moved)
    assert torch.equal(first, second)
    assert first.shape == encode(case, BATCH).tokens.shape


def test_gradients_reach_every_weight(case):
    rng = np.random.default_rng(0)
    frame, keys = Classify.example(rng, rng.standard_normal(ROWS), "sick")
    head = Classify("sick", Classify.Options.model_validate_json(json.dumps(keys)))
    target = head.read_target(frame, "cohort.csv")
    head = head.fit(target, TRAIN)
    model = build({"it": case.fitted}, {"sick": head}, ModelSection(size=Size.TINY), seed=1)
    index = TRAIN.index
    outputs = model({"it": case.ready.collate(index)}).outputs["sick"]
    head.loss(outputs, head.collate(target, index)).mean().backward()
    unreached = [name for name, weight in model.named_parameters() if weight.grad is None]
    # With one token of one input there is nobody to attend to, and nobody who lacks everything.
    assert unreached == []


def test_the_summary_for_plain_models(case):
    features = case.records.summarise()
    assert features.matrix.shape == (ROWS, len(features.names))
    assert len(features.categorical) == len(features.names)
    assert np.isfinite(features.matrix).any(axis=0).all()


def test_fingerprints_are_by_content(case, tmp_path):
    doubled = case.cells.frame[np.concatenate([np.arange(ROWS), [0]])]
    prints = case.kind.read(ColumnCells(doubled, tmp_path, "cohort.csv", None)).fingerprints()
    assert prints[0] == prints[-1]
    assert len(set(prints.tolist())) == ROWS


def test_a_record_can_be_shown(case):
    picture = case.records.show(0)
    assert picture.media_type in ("image/png", "image/svg+xml", "text/html")
    assert len(picture.content) > 100
    assert b"<script" not in picture.content
