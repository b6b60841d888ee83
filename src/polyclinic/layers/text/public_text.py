"""A public transformer for texts, from a folder or from the Hugging Face hub: its words, its shape, its weights.

What a plan keeps is the tokenizer and the shape, as JSON: a bundle needs neither the folder nor the hub again.
Needs the extra "text". Code that comes with weights is never run.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from polyclinic.errors import Finding, MissingPackage, ReadError
from polyclinic.layers.text.text_encoder import Around, Features, Numbers, Present, Slots

_EXTRA = ("transformers", "text", "study.toml [inputs] weights")
_MOST = 512  # tokens that encoders such as BERT have places for


class PublicText(BaseModel):
    """A transformer without its weights.

    Attributes:
        config: Its shape, as the library writes it.
        tokenizer: Its tokenizer, as the library writes it.
        width: Numbers per token.
        most: Tokens that it can read in one go, the two at the ends left out.
        first: Number of the token that it wants before a text.
        last: Number of the token after it.
        vocabulary: Numbers that there are.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: str
    tokenizer: str
    width: int
    most: int
    first: int
    last: int
    vocabulary: int


def look(name: str, place: str) -> PublicText:
    """The shape and the tokenizer of a public transformer; ``place`` is what names it in the study file.

    Raises:
        MissingPackage: without the extra "text".
        ReadError: nothing there, nothing that fits, or a tokenizer without offsets.
    """
    library = _library()
    local = Path(name).is_dir()
    try:
        config = library.AutoConfig.from_pretrained(name, local_files_only=local)
        tokenizer = library.AutoTokenizer.from_pretrained(name, local_files_only=local, use_fast=True)
    except (OSError, ValueError, KeyError) as error:
        raise _misfit(place, f"no transformer with its tokenizer can be read ({type(error).__name__})") from None
    backend = getattr(tokenizer, "backend_tokenizer", None)
    ends = (tokenizer.cls_token_id, tokenizer.sep_token_id)
    if backend is None or None in ends:
        raise _misfit(place, "its tokenizer does not know offsets, or not what begins and ends a text")
    positions = getattr(config, "max_position_embeddings", _MOST + 2)
    return PublicText(
        config=json.dumps(config.to_dict(), sort_keys=True, default=str),
        tokenizer=backend.to_str(),
        width=config.hidden_size,
        # RoBERTa counts places from the padding's number on.
        most=min(_MOST, positions - (4 if "roberta" in config.model_type else 2)),
        first=ends[0],
        last=ends[1],
        vocabulary=config.vocab_size,
    )


def _misfit(place: str, found: str) -> ReadError:
    remedy = "Name a folder that save_pretrained wrote, with its tokenizer, or a name on the hub."
    return ReadError(Finding("weights_differ", place, "must be a public transformer", found, remedy))


def cut_public(text: str, public: PublicText) -> tuple[Int64[np.ndarray, "token 2"], list[int]]:
    """Where the tokens of a text stand by the transformer's own tokenizer, without outer spaces; and their numbers."""
    encoding = _tokenizer(public.tokenizer).encode(text, add_special_tokens=False)
    places, numbers = [], []
    for (start, end), number in zip(encoding.offsets, encoding.ids, strict=True):
        word = text[start:end]
        begin = start + len(word) - len(word.lstrip())
        if word.strip():
            places.append((begin, begin + len(word.strip())))
            numbers.append(number)
    return np.array(places, dtype=np.int64).reshape(-1, 2), numbers


class PublicReader(nn.Module):
    """A public transformer in place of a reader of ours. Tokens come as their own numbers plus 1; 0 = padding.

    Args:
        public: Its shape.
        start: Folder or name of its weights; None = drawn at random, to be loaded from a bundle.
    """

    def __init__(self, public: PublicText, start: str | None) -> None:
        super().__init__()
        library = _library()
        if start is None:
            shape = json.loads(public.config)
            self.network = library.AutoModel.from_config(library.AutoConfig.for_model(**shape))
        else:
            self.network = library.AutoModel.from_pretrained(start, local_files_only=Path(start).is_dir())
        self.network.float()
        for name, weight in self.network.named_parameters():
            weight.requires_grad_("pooler" not in name)
        self.first, self.last, self.out = public.first, public.last, public.width

    def forward(
        self, spelling: Numbers, pieces: Slots, neighbours: Around, word: Numbers, present: Present
    ) -> Features:
        """Every token in the light of the others, between the two that the transformer wants at the ends."""
        tokens = spelling.shape[1]
        length = present.sum(dim=1, keepdim=True)
        place = torch.arange(tokens + 2, device=spelling.device)[None]
        inner = nn.functional.pad((spelling - 1).clamp(min=0), (1, 1))
        numbers = torch.where(place == 0, self.first, torch.where(place == length + 1, self.last, inner))
        outputs: Any = self.network(input_ids=numbers, attention_mask=(place <= length + 1).long())
        read: Tensor = outputs.last_hidden_state[:, 1 : tokens + 1]
        return read * present[:, :, None]


def _tokenizer(written: str) -> Any:
    if written not in _KEPT:
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise MissingPackage(*_EXTRA) from error
        _KEPT.clear()
        _KEPT[written] = Tokenizer.from_str(written)
        _KEPT[written].no_truncation()
    return _KEPT[written]


_KEPT: dict[str, Any] = {}
"""The tokenizer used last: reading it again for every text would cost more than using it."""


def _library() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise MissingPackage(*_EXTRA) from error
    return transformers
