"""TIFF is recognised in both orders of bytes, and a DICOM file that begins as one is none."""

from pathlib import Path

import pytest

from polyclinic.formats.images.dicom import Dicom
from polyclinic.formats.images.tiff import Tiff


@pytest.mark.parametrize("mark", [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"])
def test_both_orders_of_bytes(mark):
    assert Tiff().recognises(Path("x.png"), mark + bytes(400))
    assert not Tiff().recognises(Path("x.tif"), b"IJ" + mark + bytes(400))


def test_a_dicom_file_may_begin_as_a_tiff():
    start = (b"II*\0" + bytes(124)) + b"DICM" + bytes(400)
    assert not Tiff().recognises(Path("x.tif"), start)
    assert Dicom().recognises(Path("x.tif"), start)
