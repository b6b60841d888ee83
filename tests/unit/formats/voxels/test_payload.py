"""Voxels behind a header: exactly as many as declared, however they are packed."""

import bz2
import gzip
import io
import zlib

import numpy as np
import pytest

from polyclinic.errors import ReadError
from polyclinic.formats.voxels.payload import beside, unpack

VALUES = np.arange(24, dtype="<i2").reshape((2, 3, 4), order="F")
CONTENT = VALUES.tobytes(order="F")
PACK = {"raw": bytes, "gzip": gzip.compress, "zlib": zlib.compress, "bzip2": bz2.compress}


def unpacked(content, packing, shape=(2, 3, 4)):
    return unpack(io.BufferedReader(io.BytesIO(content)), packing, shape, np.dtype("<i2"))


def refusal(call):
    with pytest.raises(ReadError) as caught:
        call()
    return caught.value.findings[0].name


@pytest.mark.parametrize("packing", sorted(PACK))
def test_the_first_axis_runs_fastest(packing):
    assert np.array_equal(unpacked(PACK[packing](CONTENT), packing), VALUES)


@pytest.mark.parametrize("packing", sorted(PACK))
def test_too_few_too_many_and_cut_off(packing):
    whole = PACK[packing](CONTENT)
    assert refusal(lambda: unpacked(whole, packing, (2, 3, 5))) == "doubtful_voxels"
    assert refusal(lambda: unpacked(whole, packing, (2, 3, 3))) == "doubtful_voxels"
    assert refusal(lambda: unpacked(whole[:-3], packing)) in ("doubtful_voxels", "damaged_volume")
    assert refusal(lambda: unpacked(b"", packing)) in ("doubtful_voxels", "damaged_volume")


@pytest.mark.parametrize("packing", ["gzip", "zlib", "bzip2"])
def test_a_bomb_stops_at_the_declared_size(packing):
    assert refusal(lambda: unpacked(PACK[packing](bytes(100_000_000)), packing)) == "doubtful_voxels"


def test_members_of_a_zip_follow_one_another():
    assert np.array_equal(unpacked(gzip.compress(CONTENT[:20]) + gzip.compress(CONTENT[20:]), "gzip"), VALUES)


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc/passwd", "a/b", "a\0b"])
def test_names_that_lead_elsewhere(name, tmp_path):
    assert refusal(lambda: beside(tmp_path / "h.mhd", name, ".mha")) == "path_escapes"


def test_names_beside(tmp_path):
    assert refusal(lambda: beside(tmp_path / "h.mhd", "x.raw", ".mha")) == "no_such_file"
    (tmp_path / "x.raw").write_bytes(b"1")
    assert beside(tmp_path / "h.mhd", "x.raw", ".mha") == tmp_path / "x.raw"
