"""Pages of a TIFF as slices."""

import numpy as np
import pytest
from PIL import Image

from polyclinic.errors import ReadError
from polyclinic.formats.read_scan import read_scan

VALUES = np.random.default_rng(6).integers(0, 250, (5, 12, 10)).astype(np.uint8)
WIDE = VALUES.astype(np.uint16) * 200


def tiff(path, slices=VALUES, **keys):
    pages = [Image.fromarray(one) for one in slices]
    pages[0].save(path, save_all=True, append_images=pages[1:], **keys)
    return path


def refusal(cell):
    with pytest.raises(ReadError) as caught:
        read_scan(cell)
    return caught.value.findings[0].name


@pytest.mark.parametrize("slices", [VALUES, WIDE])
def test_pages_are_slices(slices, tmp_path):
    found = read_scan(tiff(tmp_path / "a.tif", slices))
    assert np.array_equal(found.values, slices.transpose(2, 1, 0))
    assert (found.affine, found.spacing) == (None, None)
    assert found.values.dtype == (np.uint8 if slices is VALUES else np.float32)


def test_a_name_says_nothing(tmp_path):
    tiff(tmp_path / "a.tif").rename(tmp_path / "a.nii")
    assert read_scan(tmp_path / "a.nii").facts.format == "TIFF"


def test_one_page_is_no_volume(tmp_path):
    assert refusal(tiff(tmp_path / "a.tif", VALUES[:1])) == "one_slice"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ImageJ=1.53\nimages=5\nchannels=5", "four_axes"),
        ("ImageJ=1.53\nimages=5\nframes=5", "four_axes"),
        ('<OME><Pixels SizeC="1" SizeT="5"/></OME>', "four_axes"),
        ("ImageJ=1.53\nimages=9\nslices=9", "doubtful_voxels"),
    ],
)
def test_pages_that_are_channels_or_times(text, name, tmp_path):
    assert refusal(tiff(tmp_path / "a.tif", tiffinfo={270: text})) == name


def test_an_imagej_stack_of_slices(tmp_path):
    path = tiff(tmp_path / "a.tif", tiffinfo={270: "ImageJ=1.53\nimages=5\nslices=5"})
    assert read_scan(path).values.shape == (10, 12, 5)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_cut_off(share, tmp_path):
    path = tiff(tmp_path / "a.tif")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ReadError):
        read_scan(path)
