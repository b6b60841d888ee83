"""A little data without meaning, for the small mode of the benchmarks: one hidden number drives all of a patient."""

from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float, UInt8
from PIL import Image

SEED = 1


def hidden(rows: int) -> Float[np.ndarray, " row"]:
    """The number that everything else follows."""
    return np.random.default_rng(SEED).standard_normal(rows)


def numbers(signal: Float[np.ndarray, " row"], names: list[str]) -> pl.DataFrame:
    """Columns that carry the signal with as much noise."""
    rng = np.random.default_rng(SEED + 1)
    return pl.DataFrame({name: np.round(signal + rng.standard_normal(len(signal)), 3) for name in names})


def write_arff(path: Path, frame: pl.DataFrame) -> None:
    """A table as an ARFF file; text columns are nominal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["@relation made_up"]
    for name, column in zip(frame.columns, frame.iter_columns(), strict=True):
        nominal = column.dtype == pl.String
        kind = "{" + ",".join(f"'{level}'" for level in column.unique().sort()) + "}" if nominal else "numeric"
        lines.append(f"@attribute {name} {kind}")
    rows = (",".join(f"'{v}'" if isinstance(v, str) else str(v) for v in row) for row in frame.iter_rows())
    path.write_text("\n".join([*lines, "@data", *rows]) + "\n", encoding="utf-8")


def disc(side: int, centre: tuple[float, float], radius: float) -> Float[np.ndarray, "side side"]:
    """1 within a circle, 0 outside."""
    row, column = np.mgrid[:side, :side]
    inside = (row - centre[0]) ** 2 + (column - centre[1]) ** 2 < radius**2
    return np.where(inside, 1.0, 0.0)


def noisy(picture: Float[np.ndarray, "..."], rng: np.random.Generator) -> UInt8[np.ndarray, "..."]:
    """A picture of values from 0 to 1 as bytes, with noise."""
    return np.clip(40 + 150 * picture + 15 * rng.standard_normal(picture.shape), 0, 255).astype(np.uint8)


def save(path: Path, pixels: UInt8[np.ndarray, "..."]) -> None:
    """A picture in the format that its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
