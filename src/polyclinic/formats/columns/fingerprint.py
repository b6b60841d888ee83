"""Fingerprints: the same content gives the same letters on every machine, another content gives others."""

import hashlib
from pathlib import Path

import numpy as np
import polars as pl

_PIECE = 2**20


def file_fingerprint(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def frame_fingerprint(frame: pl.DataFrame) -> str:
    """SHA-256 of names, types and cells of a table, whatever file format it came in."""
    total = hashlib.sha256()
    for column in frame:
        total.update(column.name.encode() + b"\0" + str(column.dtype).encode() + b"\0")
        total.update(column_digest(column))
    return total.hexdigest()


def column_digest(column: pl.Series) -> bytes:
    """SHA-256 of the cells of one column: what is missing, and every known value with its length."""
    digest = hashlib.sha256(np.packbits(column.is_null().to_numpy()).tobytes())
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        filled = column.fill_null(0 if column.dtype.is_numeric() else False)
        digest.update(filled.to_numpy().tobytes())
    else:
        text = _as_text(column)
        digest.update(text.str.len_bytes().to_numpy().astype("<u4").tobytes())
        digest.update(str(text.str.join("").item()).encode())
    return digest.digest()


def _as_text(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String:
        return column.fill_null("")
    if column.dtype.is_temporal():
        return column.to_physical().cast(pl.String).fill_null("")
    return pl.Series([repr(value) for value in column.to_list()], dtype=pl.String)
