from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError
from polyclinic.geometry import SpanMarks
from polyclinic.inputs import text as text_input
from polyclinic.inputs.text import Text
from polyclinic.records.base import ColumnCells
from polyclinic.study.schema import Size

TEXTS = ("No fever. 😀 aspirin 100mg", "患者否认高血压，服用阿司匹林", "MI in 2015, MI again", None, "  \n")
TRAIN = TrainRows(np.arange(3))


def made(texts=TEXTS, dense=False, **keys):
    kind = Text("note", Text.Options(column="t", missing="allow", **keys))
    kind = kind.facing() if dense else kind
    records = kind.read(ColumnCells(pl.DataFrame({"t": list(texts)}, schema={"t": pl.String}), Path(), "cohort.csv"))
    fitted = kind.fit(records, TRAIN)
    return fitted, records, fitted.prepare(records)


def encoder(kind: Text, width: int = 8):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return kind.encoder(width, Size.TINY, 0.0).eval()


def test_empty_texts_are_absent():
    _, records, ready = made()
    assert records.texts[3:] == [None, None]
    assert ready.collate(np.arange(5)).present.tolist() == [True, True, True, False, False]
    assert records.check() == []
    assert [f.rows for f in replace(records, required=True).check()] == [(4, 5)]


def test_a_column_of_numbers_is_no_text():
    with pytest.raises(CohortError, match="must hold text"):
        Text("n", Text.Options(column="t")).read(ColumnCells(pl.DataFrame({"t": [1, 2]}), Path(), "cohort.csv"))
    with pytest.raises(CohortError, match="no column"):
        Text("n", Text.Options(column="t")).read(ColumnCells(pl.DataFrame({"u": ["a"]}), Path(), "cohort.csv"))


def test_places_are_those_of_the_text_as_given():
    _, _, ready = made(lower_case=True)
    place = ready.places()[0]
    words = [place.source.text[a:b] for a, b in place.offsets.tolist()]
    assert words == ["No", "fever", ".", "😀", "aspirin", "100", "mg"]
    assert ready.values(0)[0] == "no"
    assert ready.places()[3] is None


def test_a_plan_holds_no_word_of_a_text():
    plan = made(texts=["Zygmunt has gout", "Zygmunt has gout", "Zygmunt has gout"])[0].plan.model_dump_json()
    assert "ygmunt" not in plan
    assert "gout" not in plan


@pytest.mark.parametrize("kind", ["cnn", "bilstm", "transformer"])
def test_every_encoder_reads_each_text_by_itself(kind):
    fitted, _, ready = made(dense=True, encoder=kind)
    network = encoder(fitted)
    with torch.no_grad():
        together = network(ready.collate(np.array([0, 1, 3])))
        alone = network(ready.collate(np.array([0])))
    torch.testing.assert_close(together.tokens[:1], alone.tokens, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together.maps[0][:1, :, :7], alone.maps[0], rtol=1e-4, atol=1e-5)
    assert together.present[:, 0].tolist() == [True, True, False]
    assert together.maps[0].shape[1] == fitted.sight(Size.TINY).channels[0]
    assert torch.isfinite(together.tokens).all()


@pytest.mark.parametrize("kind", ["cnn", "bilstm", "transformer"])
def test_gradients_reach_every_weight_of_every_encoder(kind):
    fitted, _, ready = made(texts=[f"no fever {k % 3} fever no" for k in range(6)], encoder=kind)
    network = encoder(fitted)
    network(ready.collate(np.arange(6))).tokens.square().sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_the_same_word_elsewhere_is_heard():
    """Beyond the reach of convolutions only the echo can tell."""
    filler = " ".join(f"w{k}" for k in range(60))
    texts = [f"gout {filler} pain", f"gout {filler} gout", f"pain {filler} pain"]
    fitted, _, ready = made(texts=texts, dense=True, encoder="cnn")
    with torch.no_grad():
        first = encoder(fitted)(ready.collate(np.arange(3))).maps[0][:, :, 0]
    assert not torch.allclose(first[0], first[1])


def test_a_hundred_thousand_characters_are_read_to_the_end():
    text = "word " * 19_999 + "gout!"
    fitted, _, ready = made(texts=[text, "gout", "word"], window=512)
    with torch.no_grad():
        encoded = encoder(fitted)(ready.collate(np.array([0, 1])))
    windows = -(-len(ready.readable.words[0]) // 512)
    assert encoded.tokens.shape[1] == windows
    assert encoded.present.sum(dim=1).tolist() == [windows, 1]
    covered = np.zeros(len(ready.readable.words[0]), dtype=bool)
    for tensors, movement in ready.windows(0):
        assert tensors.read.shape[1] <= 512
        for start in movement.start[:, 0].tolist():
            covered[start : start + 512] = True
    assert covered.all()


def test_a_view_of_a_long_text_holds_what_it_is_aimed_at():
    _, _, ready = made(texts=["a b c d e f " * 20, "a b", "c"], dense=True, window=16)
    aim = np.array([[100.0], [1.0], [np.nan]])
    for seed in range(5):
        tensors, movement = ready.draw(np.arange(3), aim, torch.Generator().manual_seed(seed), change=True)
        start = movement.start[:, 0].tolist()
        assert start[0] <= 100 < start[0] + 16
        assert start[1:] == [0, 0]
        assert tensors.read.sum(dim=1).tolist() == [16, 2, 1]


def test_what_is_shown():
    _, records, _ = made()
    page = records.show(0, np.arange(7.0)).content
    assert page.count(b"<span") == 7
    marks = SpanMarks(("drug",), np.array([[12, 19, 0]]), np.array([[12, 19, 0]]))
    assert b"aspirin<sup" in records.show_marks(0, marks).content
    absent = records.show(3)
    assert (absent.content, absent.caption) == (b"", "no text")


def test_the_card_says_how_texts_were_read():
    assert any("window" in sentence for sentence in made()[0].parameters_note())
    assert made(tokens="character")[0].plan.manner == "character"
    assert made(texts=[TEXTS[1]] * 3)[0].plan.language == "zh"


def test_many_windows_in_parts_give_the_same_gradients_as_at_once(monkeypatch):
    fitted, _, ready = made(texts=["no fever " * 60, "gout " * 40, "pain no"], window=16)
    gradients = []
    for together in (1000, 2):
        monkeypatch.setattr(text_input, "_TOGETHER", together)
        network = encoder(fitted).train()
        network(ready.collate(np.arange(3))).tokens.square().sum().backward()
        gradients.append([weight.grad.clone() for weight in network.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
