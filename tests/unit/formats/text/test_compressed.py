import gzip
import zipfile
from pathlib import Path

import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.text import compressed as module
from polyclinic.formats.text.compressed import unpack


@pytest.fixture
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HARMLESS_BYTES", 1000)


@pytest.mark.usefixtures("small_bounds")
def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"0" * 10_000_000)
    with pytest.raises(CohortError, match="decompression bomb"):
        unpack(tmp_path / "a.zip", SUFFIXES)


@pytest.mark.usefixtures("small_bounds")
def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"0" * 10_000_000))
    with pytest.raises(CohortError, match="decompression bomb"):
        unpack(tmp_path / "a.csv.gz", SUFFIXES)


SUFFIXES = (".arff", ".csv", ".tsv")


def test_nothing_grows_beyond_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(bytes(range(200))))
    with pytest.raises(CohortError, match="decompression bomb"):
        unpack(tmp_path / "a.csv.gz", SUFFIXES)


def test_a_table_that_compresses_well_is_no_bomb(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"0" * 1_000_000))
    assert len(unpack(tmp_path / "a.csv.gz", SUFFIXES).raw) == 1_000_000


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a,b\n" * 100)[:-10])
    with pytest.raises(CohortError, match="damaged, truncated"):
        unpack(tmp_path / "a.csv.gz", SUFFIXES)


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(CohortError, match=r"must be a whole \.zip file"):
        unpack(tmp_path / "a.zip", SUFFIXES)


def test_hidden_and_other_files_of_a_zip_do_not_count(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("__MACOSX/._a.csv", ".hidden.csv", "README.md", "folder/a.CSV"):
            archive.writestr(name, "x\n1\n")
    assert unpack(tmp_path / "a.zip", SUFFIXES).path.suffix == ".CSV"


def test_a_zip_without_a_table_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("README.md", "x")
    with pytest.raises(CohortError, match=r"it holds 0 \(none\)"):
        unpack(tmp_path / "a.zip", SUFFIXES)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "x\n1\n")
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(CohortError, match="it asks for a password"):
        unpack(path, SUFFIXES)
