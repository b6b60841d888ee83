"""Peak memory and time of answering where an organ is in a CT of 512 x 512 x 400 voxels, in a process of its own.

    python benchmarks/volume_memory.py [--shape 512 512 400] [--size small]

The model is trained for one epoch on small synthetic scans: what it answers means nothing, what it needs does. Goal:
below 3 GB. No data needed.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

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


def write_scan(path: Path, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Noise in Hounsfield units with a ball of soft tissue; returns the ball."""
    axes = [np.linspace(-1, 1, side, dtype=np.float32) for side in shape]
    ball = axes[0][:, None, None] ** 2 + axes[1][None, :, None] ** 2 + axes[2][None, None, :] ** 2 < 0.2
    values = rng.integers(-1000, -800, shape, dtype=np.int16)
    values[ball] += 950
    path.write_bytes(nifti_bytes(values, np.diag([0.8, 0.8, 1.0, 1.0])))
    return ball


def write_cohort(folder: Path) -> None:
    """Twelve small scans with their masks."""
    rng = np.random.default_rng(0)
    lines = ["image,mask"]
    for number in range(12):
        ball = write_scan(folder / f"image{number}.nii.gz", (80, 80, 70), rng)
        (folder / f"mask{number}.nii.gz").write_bytes(nifti_bytes(ball, np.diag([0.8, 0.8, 1.0, 1.0])))
        lines.append(f"image{number}.nii.gz,mask{number}.nii.gz")
    (folder / "cohort.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", type=int, nargs=3, default=(512, 512, 400))
    parser.add_argument("--size", default="small")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_cohort(folder)
        (folder / "study.toml").write_text(STUDY.replace("SIZE", asked.size), encoding="utf-8")
        done = polyclinic.run(folder / "study.toml", folder / "run")
        write_scan(folder / "large.nii.gz", tuple(asked.shape), np.random.default_rng(1))
        (folder / "new.csv").write_text("image\nlarge.nii.gz\n", encoding="utf-8")
        start = time.monotonic()
        command = [sys.executable, "-c", ANSWER, done.folder, folder / "new.csv", folder / "answers.parquet"]
        subprocess.run(command, check=True)
        minutes = (time.monotonic() - start) / 60
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    voxels = " x ".join(str(side) for side in asked.shape)
    print(f"{voxels} voxels, {asked.size}: {minutes:.1f} minutes, peak {peak:.2f} GiB (goal 2.79)")


if __name__ == "__main__":
    main()
