"""AdrenalMNIST3D at 28 x 28 x 28, official split, from scratch: test AUC and accuracy over three seeds.

    POLYCLINIC_DATA=... python benchmarks/medmnist3d.py [--seeds 3]

Published (Yang et al., Scientific Data 2023): ResNet-18 with 2.5-D, 3-D and ACS convolutions .718/.772, .827/.721 and
.839/.754, ResNet-50 .732/.763, .828/.745 and .828/.758, auto-sklearn .828/.802, AutoKeras .804/.705. Accuracy is at
probability .5, as published. Data: medmnist.com (CC BY 4.0), laid as volumes/<name>/.
"""

from collections.abc import Iterator
from pathlib import Path

from measure import Asked, Figure, compare, main
from medmnist import METRICS, write

PATH = "volumes/adrenalmnist3d/adrenalmnist3d.npz"
PUBLISHED = {"auroc": "best published .839", "accuracy_at_half": "best published .802"}


def figures(asked: Asked) -> Iterator[Figure]:
    """AUC and accuracy."""
    runs = asked.run("adrenalmnist3d", asked.data(PATH))
    title = "AdrenalMNIST3D, official split"
    yield from compare(runs, "abnormal", METRICS, data=title, leads=2, references=PUBLISHED)


def small(root: Path) -> None:
    """Cubes, some brighter in the middle."""
    write(root / PATH, (28, 28, 28), 16)


if __name__ == "__main__":
    main(figures, __doc__, seeds=3, small=small)
