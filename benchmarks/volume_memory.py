"""Peak memory and time of answering where an organ is in a CT of 512 x 512 x 400 voxels, in a process of its own.

    python benchmarks/volume_memory.py [--shape 512 512 400] [--size small]

The model is trained for one epoch on small synthetic scans: what it answers means nothing, what it needs does. Goal:
below 3 GB, which is 2.79 GiB. No data needed.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool
from measure import Asked, Figure, main

import polyclinic
from polyclinic.records.examples.scans import nifti_bytes

STUDY = """
[study]
name = "memory"
title = "Where is the organ?"
seed = 1
[cohort]
table = "cohort.csv"
patient = "row"
[inputs.ct]
kind = "volume"
column = "image"
[targets.organ]
kind = "segment"
on = "ct"
column = "mask"
[model]
size = "SIZE"
[training]
epochs = 1
[evidence]
resamples = 0
baselines = false
"""
ANSWER = """
import sys
from pathlib import Path
import polyclinic
polyclinic.predict(*(Path(word) for word in sys.argv[1:]))
"""


def write_scan(path: Path, shape: Sequence[int], rng: np.random.Generator) -> Bool[np.ndarray, "..."]:
    """Noise in Hounsfield units with a ball of soft tissue; returns the ball."""
    axes = [np.linspace(-1, 1, side, dtype=np.float32) for side in shape]
    ball = axes[0][:, None, None] ** 2 + axes[1][None, :, None] ** 2 + axes[2][None, None, :] ** 2 < 0.2
    values = rng.integers(-1000, -800, tuple(shape), dtype=np.int16)
    values[ball] += 950
    path.write_bytes(nifti_bytes(values, np.diag([0.8, 0.8, 1.0, 1.0])))
    inside: Bool[np.ndarray, ...] = ball
    return inside


def write_cohort(folder: Path, shape: Sequence[int]) -> None:
    """Twelve small scans with their masks."""
    rng = np.random.default_rng(0)
    lines = ["image,mask"]
    for number in range(12):
        ball = write_scan(folder / f"image{number}.nii.gz", shape, rng)
        (folder / f"mask{number}.nii.gz").write_bytes(nifti_bytes(ball.astype(np.int16), np.diag([0.8, 0.8, 1.0, 1.0])))
        lines.append(f"image{number}.nii.gz,mask{number}.nii.gz")
    (folder / "cohort.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def figures(asked: Asked) -> Iterator[Figure]:
    """Gibibytes and minutes."""
    shape = (40, 40, 30) if asked.small else asked.own.shape
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_cohort(folder, (24, 24, 20) if asked.small else (80, 80, 70))
        (folder / "study.toml").write_text(
            STUDY.replace("SIZE", "tiny" if asked.small else asked.own.size), encoding="utf-8"
        )
        done = polyclinic.run(folder / "study.toml", folder / "run")
        write_scan(folder / "large.nii.gz", shape, np.random.default_rng(1))
        (folder / "new.csv").write_text("image\nlarge.nii.gz\n", encoding="utf-8")
        start = time.monotonic()
        paths = (done.folder, folder / "new.csv", folder / "answers.parquet")
        subprocess.run([sys.executable, "-c", ANSWER, *map(str, paths)], check=True)
        minutes = (time.monotonic() - start) / 60
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    voxels = f"{' x '.join(str(side) for side in shape)} voxels"
    yield Figure(voxels, "peak GiB of an answer", (peak,), reference="goal 2.79", leads=True, minutes=(minutes,))


def add(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark is asked."""
    parser.add_argument("--shape", type=int, nargs=3, default=(512, 512, 400))
    parser.add_argument("--size", default="small", help="of the network")


if __name__ == "__main__":
    main(figures, __doc__, add=add)
