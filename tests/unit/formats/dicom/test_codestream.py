"""Declared sizes against streams that Pillow wrote."""

import io

import pytest
from PIL import Image

from polyclinic.formats.dicom.codestream import declared_extent, is_sound_jpeg


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


def segment(marker, content):
    return bytes([255, marker]) + (len(content) + 2).to_bytes(2, "big") + content


TABLE = bytes([0x00, 0, 1, 5] + [0] * 13) + bytes(range(6))
FRAME = bytes([16, 0, 4, 0, 5, 1, 1, 0x11, 0])
SCAN = bytes([1, 1, 0x00, 1, 0, 0])


def lossless(table=TABLE, frame=FRAME, scan=SCAN, coded=b"\x12\xff\x00\x34\xff\xd9", extra=b""):
    """A lossless JPEG stream of 4 x 5 pixels with 16 bits; its coded part means nothing."""
    start = b"\xff\xd8" + segment(0xE1, b"note") + extra
    return start + segment(0xC4, table) + segment(0xC3, frame) + segment(0xDA, scan) + coded


def changed(content, place, value):
    return content[:place] + bytes([value]) + content[place + 1 :]


def test_a_sound_stream():
    assert is_sound_jpeg(lossless(), 1, 16)
    assert is_sound_jpeg(lossless(extra=segment(0xE0, b"LJIF\0\1" + bytes(7))), 1, 16)  # Mitra's own note
    assert is_sound_jpeg(lossless(coded=b"\x12\xff\xd0\x34\xff\xd9\0"), 1, 16)
    stream = io.BytesIO()
    Image.new("L", (37, 21)).save(stream, "JPEG")
    assert is_sound_jpeg(stream.getvalue(), 1, 8)
    assert not is_sound_jpeg(stream.getvalue(), 3, 8)


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        lossless()[:30],
        lossless()[2:],
        lossless(coded=b"\x12\x34"),
        lossless(coded=b"\x12\xff\xc3\x34\xff\xd9"),
        lossless(extra=segment(0xC3, FRAME)),
        lossless(extra=segment(0xDC, b"\0\4")),
        lossless(extra=segment(0xC8, b"\0\4")),
        lossless(table=TABLE[:-1]),
        lossless(table=changed(TABLE, 0, 0x20)),
        lossless(table=changed(TABLE, 1, 3)),
        lossless(table=changed(TABLE, 0, 0x01)),
        lossless(frame=changed(FRAME, 0, 17)),
        lossless(frame=changed(FRAME, 0, 8)),
        lossless(frame=changed(FRAME, 5, 3)),
        lossless(frame=changed(FRAME, 7, 0x22)),
        lossless(frame=FRAME + b"\0"),
        lossless(scan=changed(SCAN, 0, 2)),
        lossless(scan=changed(SCAN, 1, 2)),
        lossless(scan=changed(SCAN, 2, 0x10)),
        lossless(scan=changed(SCAN, 3, 0)),
        lossless(scan=changed(SCAN, 3, 8)),
        lossless(scan=changed(SCAN, 5, 16)),
        lossless(extra=segment(0xE0, b"JFIF\0\xff\xe2" + bytes(7))),
        lossless(extra=segment(0xE0, b"JFXX\0\x10")),
        lossless(extra=segment(0xEE, b"Adobe\0\x64" + bytes(4) + b"\7")),
        b"\xff\xd8" + segment(0xDA, SCAN),
    ],
)
def test_streams_that_a_decoder_must_not_see(stream):
    assert not is_sound_jpeg(stream, 1, 16)
