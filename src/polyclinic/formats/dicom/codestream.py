"""The size that a compressed image declares about itself, read from its first bytes without decoding it. No torch."""

import re
import struct
from collections.abc import Iterator

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


def is_sound_jpeg(stream: bytes, components: int, bits: int) -> bool:
    """Whether a JPEG of one frame and one scan has every part that a decoder relies on, each well formed.

    Args:
        stream: The whole stream.
        components: Colours per pixel that the header of the file declares.
        bits: Bits per colour that one pixel takes in memory.

    Source: ITU-T T.81 B.1.1 (markers), B.2 (frame, scan and table headers), H.1.2 (lossless).
    """
    if not stream.startswith(_SOI):
        return False
    frame: _Frame | None = None
    tables: set[int] = set()
    for marker, start, end in _segments(stream):
        part = stream[start:end]
        if marker in _FRAMES:
            if frame is not None or (frame := _frame_of(marker, part, components, bits)) is None:
                return False
        elif marker == _DHT:
            found = _tables_of(part)
            if found is None:
                return False
            tables |= found
        elif marker == _SOS:
            following = _END.search(stream[end:])  # after the coded data, in which only restarts may stand
            whole = following is not None and following[0] == b"\xff\xd9"
            return whole and frame is not None and _is_scan(part, frame, tables)
        elif not _is_harmless(marker, part):
            return False
    return False


_DHT, _SOS, _DQT, _DRI, _COM = 0xC4, 0xDA, 0xDB, 0xDD, 0xFE
_LOSSLESS = 0xC3
_SEQUENTIAL = (0xC0, 0xC1)
_END = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_Frame = tuple[int, int, bytes]


def _segments(stream: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, first byte and end of each segment up to the scan; ends where something else than a segment follows."""
    at = 2
    while at + 4 <= len(stream) and stream[at] == 0xFF:
        marker, end = stream[at + 1], at + 2 + struct.unpack(">H", stream[at + 2 : at + 4])[0]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if end < at + 4 or end > len(stream):
            return
        yield marker, at + 4, end
        at = end


def _is_harmless(marker: int, part: bytes) -> bool:
    """Tables and notes; those that decoders look into (JFIF, Adobe) only as they are always written."""
    if marker == 0xE0 and part.startswith(b"JF"):
        return len(part) == 14 and part[:6] == b"JFIF\0\1" and part[6] <= 2 and part[12:] == b"\0\0"
    if marker == 0xEE and part.startswith(b"Ad"):
        return len(part) == 12 and part.startswith(b"Adobe\0\x64") and part[11] <= 2
    return marker in (_DQT, _DRI, _COM) or 0xE0 <= marker <= 0xEF


def _frame_of(marker: int, part: bytes, components: int, bits: int) -> _Frame | None:
    """Kind, precision and names of components of a frame, or None if it is not one that we let a decoder see."""
    if marker not in (_LOSSLESS, *_SEQUENTIAL) or len(part) != 6 + 3 * components or part[5] != components:
        return None
    precision, height, width = part[0], *struct.unpack(">HH", part[1:5])
    least = 2 if marker == _LOSSLESS else 8
    if not (least <= precision <= bits and 8 * -(-precision // 8) == bits and height and width):
        return None
    if any(sampling != 0x11 for sampling in part[7::3]) or len(set(part[6::3])) != components:
        return None
    return marker, precision, part[6::3]


def _tables_of(part: bytes) -> set[int] | None:
    """Classes and numbers of Huffman tables, or None if one is none (T.81 C: at most as many codes as bits allow)."""
    found = set()
    while part:
        counts = part[1:17]
        symbols = part[17 : 17 + sum(counts)]
        room = sum(count * 2 ** (15 - length) for length, count in enumerate(counts))
        if len(counts) < 16 or part[0] & 0xEC or not symbols or len(symbols) < sum(counts) or room >= 2**16:
            return None
        found.add(part[0])
        part = part[17 + len(symbols) :]
    return found


def _is_scan(part: bytes, frame: _Frame, tables: set[int]) -> bool:
    """Whether the one scan holds all components, with tables that were told before it."""
    marker, precision, names = frame
    if len(part) != 4 + 2 * len(names) or part[0] != len(names) or part[1:-3:2] != names:
        return False
    used = part[2:-3:2]
    first, last, approximation = part[-3:]
    if marker == _LOSSLESS:
        stated = all(table & 0x0F == 0 and table >> 4 in tables for table in used)
        return stated and 1 <= first <= 7 and last == 0 and approximation < min(16, precision)
    stated = all(table >> 4 in tables and 0x10 | table & 0x0F in tables for table in used)
    return stated and (first, last, approximation) == (0, 63, 0)
