"""Images in a numpy archive."""

import io
import zipfile

import numpy as np
import pytest

from polyclinic.errors import ReadError
from polyclinic.formats.pictures import archive


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 6, 7), dtype=np.uint8)


def save(folder, **arrays):
    np.savez_compressed(folder / "a.npz", **arrays)
    return folder / "a.npz"


def read(path, array="images", index=0):
    address = archive.Address(path.name, array, index)
    return archive.as_frame(archive.OpenArrays().entry(address, path.parent, "images"))


def refusal(path, array="images", index=0):
    with pytest.raises(ReadError) as caught:
        read(path, array, index)
    return caught.value.findings[0].name


def test_addresses():
    assert archive.parse("x/y.npz#train_images[17]") == archive.Address("x/y.npz", "train_images", 17)
    for cell in ("x.png", "x.npz", "x.npz#a", "x.npz#a[-1]", "x.npz#a[1.5]", "#a[1]", "x.npz#[1]", "x.npz#a[1]2"):
        assert archive.parse(cell) is None


def test_grey(tmp_path, images):
    frame = read(save(tmp_path, images=images), "images", 3)
    assert np.array_equal(frame.pixels[:, :, 0], images[3])
    assert (frame.facts.format, frame.facts.width, frame.facts.height, frame.facts.bits) == ("NPZ", 7, 6, 8)
    assert frame.high == 255


def test_colour_and_depths(tmp_path, images):
    colour = np.stack([images] * 3, axis=3)
    path = save(tmp_path, colour=colour, deep=images.astype(np.uint16), part=images / 255, mask=images > 9)
    assert read(path, "colour").pixels.shape == (6, 7, 3)
    assert read(path, "deep").high == 65535
    fraction = read(path, "part")
    assert fraction.pixels.dtype == np.float32
    assert fraction.high == 1
    mask = read(path, "mask")
    assert mask.pixels.dtype == np.uint8
    assert mask.high == 1


def test_refusals(tmp_path, images):
    broken = images / 255
    broken[0, 0, 0] = np.nan
    path = save(
        tmp_path, images=images, flat=images[0], whole=images.astype(np.int64), many=images[:, :, :, None, None]
    )
    assert refusal(path, "images", 5) == "no_such_image"
    assert refusal(path, "nothing") == "no_such_array"
    assert refusal(tmp_path / "absent.npz") == "no_such_file"
    for array in ("flat", "whole", "many"):
        assert refusal(path, array) == "not_images"
    assert refusal(save(tmp_path, images=broken)) == "not_finite"
    assert refusal(save(tmp_path, images=images[:, :, :0])) == "empty_image"


def test_objects_are_never_unpacked(tmp_path):
    """An array of objects is a pickle, which could run anything."""
    np.savez(tmp_path / "a.npz", images=np.array([[[{}]]], dtype=object))
    assert refusal(tmp_path / "a.npz") in ("not_images", "damaged_archive")


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.9])
def test_truncated(tmp_path, images, share):
    path = save(tmp_path, images=images)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert refusal(path) == "damaged_archive"


def test_damaged(tmp_path, images):
    path = save(tmp_path, images=images)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 255
    path.write_bytes(whole)
    assert refusal(path) == "damaged_archive"


def test_zip_bomb(tmp_path):
    """An array that declares more than could ever be meant is refused by its header."""
    stream = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 4096, 4096)}
    np.lib.format.write_array_header_1_0(stream, header)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("images.npy", stream.getvalue() + b"\0" * 10_000_000)
    assert refusal(tmp_path / "a.npz") == "archive_too_large"
