"""Any file by its content, and a few hundred damaged ones: a volume or a finding, never another error."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from cases import made
from polyclinic.errors import ReadError
from polyclinic.formats.read_mask import read_mask
from polyclinic.formats.read_scan import content_digest, read_scan

nib = pytest.importorskip("nibabel")
ODD = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"9999")
VALUES = np.random.default_rng(9).integers(0, 900, (6, 7, 5)).astype(np.int16)


def refusal(cell):
    with pytest.raises(ReadError) as caught:
        read_scan(cell)
    return caught.value.findings[0].name


def test_nothing_there(tmp_path):
    assert refusal(tmp_path / "none.nii") == "no_such_file"
    (tmp_path / "empty.nii").write_bytes(b"")
    assert refusal(tmp_path / "empty.nii") == "empty_file"
    (tmp_path / "text.nii").write_text("hello")
    assert refusal(tmp_path / "text.nii") == "unknown_volume"
    assert refusal("a\0b") == "unreadable_file"


def test_no_path_stands_in_a_finding(tmp_path):
    with pytest.raises(ReadError) as caught:
        read_scan(tmp_path / "Miller^Ann.nii")
    assert "Miller" not in str(caught.value)


def test_the_digest_tells_any_change(tmp_path):
    folder = made.write(tmp_path / "s", made.series(count=2))
    first = content_digest(folder)
    assert content_digest("s", tmp_path) == first
    path = next(folder.iterdir())
    path.write_bytes(path.read_bytes() + b"\0")
    assert content_digest(folder) != first
    np.savez(tmp_path / "a.npz", x=VALUES[None])
    assert content_digest("a.npz#x[0]", tmp_path) != content_digest("a.npz#x[1]", tmp_path)
    image = made.SimpleITK.GetImageFromArray(VALUES)
    made.SimpleITK.WriteImage(image, str(tmp_path / "a.mhd"))
    before = content_digest(tmp_path / "a.mhd")
    (tmp_path / "a.raw").write_bytes(bytes(420))
    assert content_digest(tmp_path / "a.mhd") != before
    made.SimpleITK.WriteImage(image, str(tmp_path / "b.nhdr"))
    before = content_digest(tmp_path / "b.nhdr")
    (tmp_path / "b.raw").write_bytes(bytes(420))
    assert content_digest(tmp_path / "b.nhdr") != before
    assert content_digest(tmp_path / "none") == content_digest(tmp_path / "none")


def seeds(folder):
    """Small whole files of every kind, as name, content and reader."""
    image = made.SimpleITK.GetImageFromArray(VALUES)
    for name, zipped in (("a.nii", False), ("b.nii.gz", False), ("a.mha", False), ("b.mha", True), ("a.nrrd", True)):
        made.SimpleITK.WriteImage(image, str(folder / name), useCompression=zipped)
        yield name, (folder / name).read_bytes(), read_scan
    nib.save(nib.Nifti2Image(VALUES, np.eye(4)), folder / "c.nii")
    yield "c.nii", (folder / "c.nii").read_bytes(), read_scan
    for syntax in (None, made.RLELossless, made.JPEGLSLossless, made.JPEG2000Lossless):
        whole = made.enhanced(made.series(count=3), [0, 1, 2])
        if syntax:
            whole.compress(syntax, generate_instance_uid=False)
        stream = io.BytesIO()
        whole.save_as(stream, enforce_file_format=True)
        yield "e.dcm", stream.getvalue(), read_scan
    for form in ("PNG", "GIF", "TIFF", "BMP"):
        stream = io.BytesIO()
        Image.fromarray(VALUES[0].astype(np.uint8)).save(stream, form)
        yield f"m.{form}", stream.getvalue(), read_mask


def damage(content, rng):
    """A few bytes changed, cut out, put in, or the end cut off; mostly near the beginning, where headers are."""
    raw = bytearray(content)
    span = len(raw) if rng.random() < 0.4 else min(len(raw), 1500)
    first, last = sorted(int(place) for place in rng.integers(0, span, 2))
    match int(rng.integers(5)):
        case 0:
            for place in rng.integers(0, span, 4):
                raw[place] = rng.integers(256)
        case 1:
            raw = raw[: int(rng.integers(len(raw)))]
        case 2:
            raw[first : first + 4] = [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"9999"][
                int(rng.integers(4))
            ]
        case 3:
            del raw[first : min(last, first + 60)]
        case _:
            raw[first:first] = rng.bytes(int(rng.integers(1, 30)))
    return bytes(raw)


def test_damage_never_escapes(tmp_path):
    rng = np.random.default_rng(10)
    whole = list(seeds(tmp_path))
    outcomes = []
    for turn in range(400):
        name, content, read = whole[turn % len(whole)]
        path = tmp_path / name
        path.write_bytes(damage(content, rng))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                read(path)
            except ReadError:
                outcomes.append(False)
            else:
                outcomes.append(True)
    assert 200 < outcomes.count(False) < 400  # most damage is noticed; a changed voxel of a raw file cannot be


def test_a_damaged_slice_never_escapes(tmp_path):
    rng = np.random.default_rng(11)
    for syntax in (None, made.RLELossless, made.JPEGLSLossless, made.JPEG2000Lossless):
        folder = made.write(tmp_path / str(syntax), made.series(count=3), syntax)
        path = sorted(folder.iterdir())[1]
        content = path.read_bytes()
        for _ in range(25):
            path.write_bytes(damage(content, rng))
            try:
                found = read_scan(folder)
            except ReadError:
                continue
            assert found.values.shape == (made.COLUMNS, made.ROWS, 3)
