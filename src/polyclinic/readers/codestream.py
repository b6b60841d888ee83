"""The size that a compressed image declares about itself, read from its first bytes without decoding it. No torch."""

import struct

_SOI = b"\xff\xd8"
_J2K = b"\xff\x4f\xff\x51"
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7})
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})


def declared_extent(stream: bytes) -> tuple[int, int] | None:
    """Height and width that a JPEG, JPEG-LS or JPEG 2000 stream declares, or None if it is none of these.

    Source: ITU-T T.81 B.2.2 (frame header), T.87 C.2.2 (JPEG-LS), T.800 A.5.1 (image and tile size).
    """
    if stream.startswith(_SOI):
        return _jpeg(stream)
    start = stream.find(_J2K, 0, 4096)  # a JP2 file has boxes before the stream
    if start < 0 or len(stream) < start + 24:
        return None
    right, bottom, left, top = struct.unpack(">4I", stream[start + 8 : start + 24])
    return max(0, bottom - top), max(0, right - left)


def _jpeg(stream: bytes) -> tuple[int, int] | None:
    """Walk from marker to marker until the frame header."""
    at = 2
    while at + 9 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", stream[at + 5 : at + 9])
            return height, width
        at += 1 if marker == 0xFF else 2
        if marker != 0xFF and marker not in _BARE:
            at += max(2, struct.unpack(">H", stream[at : at + 2])[0])
    return None
