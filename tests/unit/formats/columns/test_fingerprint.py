from datetime import date
from pathlib import Path

import polars as pl
import pytest

from polyclinic.formats.columns.fingerprint import column_digest, file_fingerprint, frame_fingerprint

FRAME = pl.DataFrame({"a": [1, None], "b": ["x", "yz"], "c": [True, None], "d": [date(2020, 1, 1), None]})


def test_the_same_content_gives_the_same_letters() -> None:
    assert frame_fingerprint(FRAME) == frame_fingerprint(FRAME.clone())


@pytest.mark.parametrize(
    "other",
    [
        FRAME.rename({"a": "A"}),
        FRAME.with_columns(pl.Series("a", [1, 0])),
        FRAME.with_columns(pl.Series("b", ["xy", "z"])),
        FRAME.with_columns(pl.Series("c", [False, None])),
        FRAME.with_columns(pl.Series("d", [date(2020, 1, 2), None])),
        FRAME.with_columns(pl.col("a").cast(pl.Float64)),
        FRAME[::-1],
        FRAME.select("b", "a", "c", "d"),
    ],
)
def test_another_content_gives_others(other: pl.DataFrame) -> None:
    assert frame_fingerprint(other) != frame_fingerprint(FRAME)


def test_lists_have_a_fingerprint_too() -> None:
    assert column_digest(pl.Series([[1, 2], [3]])) != column_digest(pl.Series([[1], [2, 3]]))


def test_a_slice_is_the_column_it_shows() -> None:
    assert column_digest(pl.Series(["a", "b", "c"])[1:]) == column_digest(pl.Series(["b", "c"]))


def test_a_file_is_hashed_as_everywhere(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_fingerprint(tmp_path / "a") == known
