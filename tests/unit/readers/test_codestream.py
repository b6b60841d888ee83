"""Declared sizes against streams that Pillow wrote."""

import io

import pytest
from PIL import Image

from polyclinic.readers.codestream import declared_extent


@pytest.mark.parametrize("keys", [{}, {"progressive": True}, {"quality": 10, "comment": b"x" * 500}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg(mode, keys):
    stream = io.BytesIO()
    Image.new(mode, (37, 21)).save(stream, "JPEG", **keys)
    assert declared_extent(stream.getvalue()) == (21, 37)


@pytest.mark.parametrize("bare", [True, False])
def test_jpeg_2000(bare):
    stream = io.BytesIO()
    Image.new("L", (37, 21)).save(stream, "JPEG2000", no_jp2=bare)
    assert declared_extent(stream.getvalue()) == (21, 37)


def test_fill_bytes_between_markers():
    stream = io.BytesIO()
    Image.new("L", (37, 21)).save(stream, "JPEG")
    assert declared_extent(stream.getvalue()[:2] + b"\xff\xff" + stream.getvalue()[2:]) == (21, 37)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\0", b"no stream", b"\0" * 99]
)
def test_anything_else(content):
    assert declared_extent(content) is None
