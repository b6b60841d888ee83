"""Many correlated measurements to a vector by way of a few fixed components, for when patients are few."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ComponentNetwork(nn.Module):
    """Project on components that were found without the outcome, then learn a little: a linear and a curved path.

    Thousands of weights on a few dozen patients would fit noise; 32 components leave little of it to fit. Leaving out
    half of the measurements at random while training keeps any one of them from carrying the answer alone.

    Args:
        loadings: The components; their scores should be of about unit size.
        width: Length of the vector.
        dropout: Share of the measurements left out while training.
        curved: Whether to add a hidden layer beside the linear path.
    """

    loadings: Tensor

    def __init__(
        self, loadings: Float[Tensor, "component measurement"], width: int, dropout: float, curved: bool
    ) -> None:
        super().__init__()
        self.register_buffer("loadings", loadings)
        self.drop = nn.Dropout(dropout)
        self.linear = nn.Linear(len(loadings), width)
        hidden = (nn.Linear(len(loadings), width), nn.ReLU(), nn.Linear(width, width))
        self.curved = nn.Sequential(*hidden) if curved else None

    def forward(self, values: Float[Tensor, "batch measurement"]) -> Float[Tensor, "batch width"]:
        """Standardised measurements, 0 where missing (which adds nothing to any component), to one vector per row."""
        scores = nn.functional.linear(self.drop(values), self.loadings)
        straight: Tensor = self.linear(scores)
        return straight if self.curved is None else straight + self.curved(scores)


def principal_components(values: Float[Tensor, "row measurement"], most: int) -> Float[Tensor, "component measurement"]:
    """Directions in which the rows vary most, at most ``most`` and one fewer than rows, at least one.

    All are divided by the spread of the first, so that its scores have unit size and later ones less: what varies
    little weighs little. Signs are fixed: the largest loading of each is positive.
    """
    centred = (values - values.mean(0)).double()
    count = max(1, min(most, len(values) - 1, values.shape[1]))
    if len(values) <= values.shape[1]:
        spread, left = torch.linalg.eigh(centred @ centred.T)
        directions = left.flip(1)[:, :count].T @ centred
    else:
        spread, right = torch.linalg.eigh(centred.T @ centred)
        directions = right.flip(1)[:, :count].T
    directions = nn.functional.normalize(directions, dim=1)
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    first = (spread[-1].clamp_min(torch.finfo(torch.float64).tiny) / len(values)).sqrt()
    loadings: Tensor = directions * torch.where(largest < 0, -1.0, 1.0) / first
    return loadings.float()
