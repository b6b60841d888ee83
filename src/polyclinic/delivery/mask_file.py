"""The file of a mask, in the geometry and format of the record that it is about."""

from importlib.metadata import version
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from polyclinic.errors import ReadError
from polyclinic.formats.read_scan import read_scan
from polyclinic.formats.write_mask import write_mask


def write_like(mask: Shaped[np.ndarray, "*grid"], source: str | None, out: Path, names: tuple[str, ...]) -> str:
    """Write a mask like its source; its name. DICOM in one file becomes NIfTI: no segmentation object is about it."""
    release = version("polyclinic")
    try:
        return write_mask(mask, source, out, names, release).name
    except ReadError as refusal:
        if refusal.findings[0].name != "unknown_form" or source is None:
            raise
    return write_mask(mask, read_scan(source), out, names, release).name
