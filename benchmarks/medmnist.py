"""BreastMNIST and PneumoniaMNIST at 28 x 28, official split, from scratch: test AUC and accuracy over three seeds.

    POLYCLINIC_DATA=... python benchmarks/medmnist.py [breastmnist] [pneumoniamnist] [--seeds 3]

Published (Yang et al., Scientific Data 2023): ResNet-18 .901/.863 and .944/.854; the best published on BreastMNIST is
.919/.861 (Google AutoML) and .901/.863, on PneumoniaMNIST .991/.946 (Google AutoML). Accuracy is at probability .5,
as published. Data: medmnist.com (CC BY 4.0), laid as images/<name>/.
"""

from collections.abc import Iterator
from pathlib import Path

import made_up
import numpy as np
from measure import Asked, Figure, compare, main

SETS = {
    "breastmnist": ("BreastMNIST", "images/breastmnist/breastmnist.npz", (".901", ".863")),
    "pneumoniamnist": ("PneumoniaMNIST", "images/pneumoniamnist/pneumoniamnist_reassembled.npz", (".944", ".854")),
}
METRICS = ("auroc", "accuracy_at_half")


def figures(asked: Asked) -> Iterator[Figure]:
    """AUC and accuracy."""
    for name in asked.names:
        title, path, published = SETS[name]
        runs = asked.run(name, asked.data(path))
        references = {metric: f"ResNet-18 {value}" for metric, value in zip(METRICS, published, strict=True)}
        yield from compare(runs, "positive", METRICS, data=f"{title}, official split", leads=2, references=references)


def small(root: Path) -> None:
    """Pictures with a disc where the label says so."""
    for _, path, _ in SETS.values():
        write(root / path, (28, 28), 40)


def write(path: Path, shape: tuple[int, ...], most: int) -> None:
    """Made-up records in the layout of MedMNIST: some are brighter in the middle."""
    rng = np.random.default_rng(made_up.SEED)
    middle = np.zeros(shape)
    middle[tuple(slice(side // 3, 2 * side // 3) for side in shape)] = 1
    arrays = {}
    for part, rows in (("train", most), ("val", most // 2), ("test", most // 2)):
        labels = rng.integers(0, 2, (rows, 1)).astype(np.uint8)
        labels[:2, 0] = 0, 1
        arrays[f"{part}_labels"] = labels
        arrays[f"{part}_images"] = np.stack([made_up.noisy(middle * label, rng) for label in labels[:, 0]])
    path.parent.mkdir(parents=True)
    np.savez(path, allow_pickle=False, **arrays)


if __name__ == "__main__":
    main(figures, __doc__, sets=tuple(SETS), seeds=3, small=small)
