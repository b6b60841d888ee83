"""A linear-chain conditional random field: how likely is a whole sequence of tags, and each stretch of it.

Potentials are given, not held: ``emission`` says how well a tag suits a token, ``transition`` how well it follows the
tag before. Everything in float32 and in logarithms. Sequences of a batch are padded at their end.

Source: Lafferty J, McCallum A, Pereira F. Conditional random fields. ICML 2001.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Emission = Float[Tensor, "batch token tag"]
Transition = Float[Tensor, "batch tag tag"]
Mask = Bool[Tensor, "batch token"]


def log_likelihood(
    emission: Emission, transition: Transition, tags: Int[Tensor, "batch token"], mask: Mask
) -> Float[Tensor, " batch"]:
    """Logarithm of the chance of the given tags; 0 for an empty sequence.

    Args:
        emission: How well each tag suits each token.
        transition: From the tag before (first axis) to the tag (second axis).
        tags: The tags; those of padding do not count.
        mask: False = padding; no sequence begins with padding unless it is empty.
    """
    return _score(emission, transition, tags, mask) - log_partition(emission, transition, mask)


def log_partition(emission: Emission, transition: Transition, mask: Mask) -> Float[Tensor, " batch"]:
    """Logarithm of the sum over all sequences of tags; 0 for an empty one."""
    alpha = emission[:, 0]
    for k in range(1, emission.shape[1]):
        onward = torch.logsumexp(alpha[:, :, None] + transition, dim=1) + emission[:, k]
        alpha = torch.where(mask[:, k, None], onward, alpha)
    return torch.where(mask[:, 0], torch.logsumexp(alpha, dim=1), 0.0)


def _score(
    emission: Emission, transition: Transition, tags: Int[Tensor, "batch token"], mask: Mask
) -> Float[Tensor, " batch"]:
    own = emission.gather(2, tags[:, :, None])[:, :, 0]
    row = transition.gather(1, tags[:, :-1, None].expand(-1, -1, transition.shape[2]))
    step = row.gather(2, tags[:, 1:, None])[:, :, 0]
    return torch.where(mask, own, 0.0).sum(dim=1) + torch.where(mask[:, 1:], step, 0.0).sum(dim=1)
