"""Synthetic masks of what is known to be in synthetic pictures and scans. No torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from polyclinic.formats.scans import nifti
from polyclinic.geometry import GridKnown

_FLAT = 2


def write(known: Sequence[GridKnown], folder: Path, name: str) -> list[str]:
    """One mask of all objects for each record: PNG for pictures, NIfTI for scans.

    Returns:
        Paths relative to ``folder``.
    """
    (folder / name).mkdir(parents=True, exist_ok=True)
    paths = []
    for number, one in enumerate(known):
        mask = (one.objects > 0).astype(np.uint8)
        flat = mask.ndim == _FLAT
        path = f"{name}/{number:05d}{'.png' if flat else '.nii.gz'}"
        if flat:
            Image.fromarray(mask).save(folder / path)
        else:
            (folder / path).write_bytes(nifti.nifti_bytes(mask, None, one.geometry.affine))
        paths.append(path)
    return paths
