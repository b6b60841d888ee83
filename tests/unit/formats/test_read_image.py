"""An image is what its content says, whatever its name."""

import numpy as np
import pytest
from PIL import Image

from polyclinic.errors import ReadError
from polyclinic.formats import read_image as module
from polyclinic.formats.read_image import read_image

PIXELS = np.arange(12, dtype=np.uint8).reshape(3, 4)


def refusal(path):
    with pytest.raises(ReadError) as caught:
        read_image(path)
    return caught.value.findings[0]


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_a_name_says_nothing(tmp_path, form):
    Image.fromarray(PIXELS).save(tmp_path / "a.jpg", form)
    frame = read_image(tmp_path / "a.jpg")
    assert frame.facts.format == form
    assert np.array_equal(frame.pixels[:, :, 0], PIXELS)


def test_another_format_hears_what_is_on_offer(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image at all")
    assert refusal(tmp_path / "a.png").name == "unknown_image"
    assert refusal(tmp_path / "a.png").rule == "an image must be DICOM, JPEG, PNG or TIFF"


def test_nothing_there(tmp_path):
    assert refusal(tmp_path / "a.png").name == "no_such_file"
    (tmp_path / "a.png").write_bytes(b"")
    assert refusal(tmp_path / "a.png").name == "empty_file"
    assert refusal(tmp_path).name == "unreadable_file"


def test_a_file_too_large_is_not_opened(tmp_path, monkeypatch):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    assert refusal(tmp_path / "a.png").name == "file_too_large"
