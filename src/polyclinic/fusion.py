"""Attention over the tokens of all inputs. An absent input is masked, never filled with zeros that look like data."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from polyclinic.tensors import Encoded, Fused, layer_name

_HEADS = 4


class Fusion(nn.Module):
    """From the tokens of every input to one summary per patient, with the attention that made it.

    With several inputs the tokens first exchange what they know in one transformer layer; a learned query then
    pools them. With one input there is nothing to exchange and the query alone pools. A patient without any input
    gets a learned vector of its own.

    Source: pooling by a learned query after Ilse, Tomczak & Welling, ICML 2018, eq. 8 (without the gate).
    """

    def __init__(self, names: tuple[str, ...], width: int, dropout: float) -> None:
        super().__init__()
        self.names = names
        self.nobody = nn.Parameter(torch.zeros(width))
        self.origin = nn.ParameterDict({layer_name(name): nn.Parameter(torch.zeros(width)) for name in names})
        self.exchange = None
        if len(names) > 1:
            self.exchange = nn.TransformerEncoderLayer(
                width, _HEADS, 2 * width, dropout, activation="gelu", batch_first=True, norm_first=True
            )
        self.score = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, inputs: Mapping[str, Encoded]) -> Fused:
        """Inputs by the user's names, all of the same width, to what the heads receive."""
        members = max(encoded.members for encoded in inputs.values())
        spread = [_spread(inputs[name], members) for name in self.names]
        tokens = torch.cat(
            [t + self.origin[layer_name(n)] for n, (t, _) in zip(self.names, spread, strict=True)], dim=1
        )
        present = torch.cat([mask for _, mask in spread], dim=1)
        if self.exchange is not None:
            # A row without any token would make the attention divide by zero; let it look at its padding, which the
            # pooling ignores anyway.
            tokens = self.exchange(tokens, src_key_padding_mask=~present & present.any(dim=1, keepdim=True))
        scores = self.score(tokens).squeeze(-1).masked_fill(~present, -torch.inf).float()
        weights = torch.where(present, scores.softmax(dim=1), 0.0).to(tokens.dtype)
        pooled = torch.einsum("rt,rtw->rw", weights, tokens)
        summary = torch.where(present.any(dim=1, keepdim=True), pooled, self.nobody.to(pooled.dtype))
        return Fused(summary.reshape(-1, members, summary.shape[-1]), tokens, present, weights, dict(inputs))


def _spread(encoded: Encoded, members: int) -> tuple[Tensor, Tensor]:
    """Tokens and mask with ``members`` rows per patient; an encoder with fewer members repeats them in turn."""
    if encoded.members == members:
        return encoded.tokens, encoded.present
    member = torch.arange(members, device=encoded.tokens.device) % encoded.members
    tokens = encoded.tokens.reshape(-1, encoded.members, *encoded.tokens.shape[1:])[:, member].flatten(0, 1)
    present = encoded.present.reshape(-1, encoded.members, encoded.present.shape[1])[:, member].flatten(0, 1)
    return tokens, present
