"""A tiny transformer of the library's own kind, made here: nothing is downloaded."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import ReadError
from polyclinic.inputs.text import Text
from polyclinic.layers.text.public_text import cut_public, look
from polyclinic.records.base import ColumnCells
from polyclinic.study.schema import Size

transformers = pytest.importorskip("transformers", reason='the extra "text" is not installed')
tokenizers = pytest.importorskip("tokenizers")

TEXTS = ("No fever. Aspirin 100mg 😀", "患者否认高血压", "fever fever fever fever fever fever fever", None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A BERT of 16 numbers and one layer, with a tokenizer of its own."""
    place = tmp_path_factory.mktemp("table")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "no", "fe", "##ver", ".", "aspirin", "100", "##mg", "患", "者", "否"]
    backend = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({word: k for k, word in enumerate(words)}, unk_token="[UNK]")
    )
    backend.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    ends = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    transformers.PreTrainedTokenizerFast(tokenizer_object=backend, **ends).save_pretrained(place / "tiny")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=8,
    )
    transformers.BertModel(config).save_pretrained(place / "tiny")
    return place


def made(folder: Path, dense: bool = True):
    kind = Text("note", Text.Options(column="t", missing="allow", weights="tiny"))
    kind = kind.facing() if dense else kind
    records = kind.read(ColumnCells(pl.DataFrame({"t": list(TEXTS)}), folder, "cohort.csv"))
    fitted = kind.fit(records, TrainRows(np.arange(3)))
    return fitted, records, fitted.prepare(records)


def test_tokens_are_its_own_with_offsets_in_the_text_as_given(folder):
    public = look(str(folder / "tiny"), "[inputs.note] weights")
    offsets, numbers = cut_public(TEXTS[0], public)
    assert [TEXTS[0][a:b] for a, b in offsets.tolist()] == ["No", "fe", "ver", ".", "Aspirin", "100", "mg", "😀"]
    assert numbers[:3] == [4, 5, 6]
    assert public.most == 6


def test_it_says_what_the_library_itself_says(folder):
    fitted, _, ready = made(folder)
    encoder = fitted.encoder(8, Size.TINY, 0.0).eval()
    with torch.no_grad():
        network = transformers.AutoModel.from_pretrained(folder / "tiny").eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "tiny")
        numbers = [2, *tokenizer(TEXTS[1][:6])["input_ids"], 3]
        theirs = network(torch.tensor([numbers])).last_hidden_state[0, 1:-1]
    assert ready.lengths(np.array([1])).tolist() == [7]
    windows = list(ready.windows(1))
    assert windows[0][0].read.shape[1] == 6
    with torch.no_grad():
        first = encoder(windows[0][0]).maps[0][0].T
    torch.testing.assert_close(first, theirs, rtol=1e-4, atol=1e-5)


def test_a_bundle_needs_neither_folder_nor_hub(folder):
    fitted, _, ready = made(folder)
    state = fitted.encoder(8, Size.TINY, 0.0).state_dict()
    plan = type(fitted.plan).model_validate_json(fitted.plan.model_dump_json())
    revived = Text("note", fitted.options, plan).encoder(8, Size.TINY, 0.0).eval()
    revived.load_state_dict(state)
    tensors, _ = next(ready.windows(0))
    with torch.no_grad():
        again = fitted.encoder(8, Size.TINY, 0.0).eval()
        again.load_state_dict(state)
        assert torch.equal(revived(tensors).maps[0], again(tensors).maps[0])


def test_texts_longer_than_it_can_read_go_through_in_windows(folder):
    fitted, _, ready = made(folder, dense=False)
    encoded = fitted.encoder(8, Size.TINY, 0.0)(ready.collate(np.array([2, 3])))
    assert encoded.present.sum(dim=1).tolist() == [3, 0]
    encoded.tokens.sum().backward()


def test_a_folder_without_a_transformer_is_refused(folder, tmp_path):
    (tmp_path / "tiny").mkdir()
    with pytest.raises(ReadError, match="must be a public transformer"):
        made(tmp_path)
