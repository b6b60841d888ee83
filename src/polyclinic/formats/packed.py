"""Arrays of any shape as bytes, for tables that hold one per row: a small head, then compressed numbers. No pickle."""

import json
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Shaped

from polyclinic.errors import EvidenceError, Finding

_MAGIC = b"PCA1"
_HEAD = struct.Struct("<4sI")
_LEVEL = 6
"""What zlib itself takes where nothing is said."""

_KINDS = "biuf"


def pack(array: Shaped[np.ndarray, "..."]) -> bytes:
    """An array of numbers or truth values as bytes; equal arrays give equal bytes."""
    assert array.dtype.kind in _KINDS, "numbers only"
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    head = json.dumps({"dtype": little.dtype.str, "shape": array.shape}).encode()
    return _HEAD.pack(_MAGIC, len(head)) + head + zlib.compress(little.tobytes(), _LEVEL)


def unpack(content: bytes) -> Shaped[np.ndarray, "..."]:
    """The array that ``pack`` made into bytes.

    Raises:
        EvidenceError: if the bytes are no packed array, or a damaged one.
    """
    try:
        magic, length = _HEAD.unpack_from(content)
        head = json.loads(content[_HEAD.size : _HEAD.size + length])
        dtype = np.dtype(head["dtype"])
        if magic != _MAGIC or dtype.kind not in _KINDS:
            raise ValueError
        size = dtype.itemsize * int(np.prod(head["shape"], dtype=np.int64))
        # No more is unfolded than the head declares, and its array must be what it says.
        stream = zlib.decompressobj()
        inside = stream.decompress(content[_HEAD.size + length :], size + 1)
        if not stream.eof:
            raise ValueError
        return np.frombuffer(inside, dtype=dtype).reshape(head["shape"])
    except (struct.error, ValueError, KeyError, TypeError, OverflowError, zlib.error) as error:
        rule, found = "must hold a packed array", "it is damaged or something else"
        raise EvidenceError(Finding("damaged_array", "predictions", rule, found, "Make the file again.")) from error


def pack_all(arrays: list[Shaped[np.ndarray, "..."]]) -> Shaped[np.ndarray, " sample"]:
    """One packed array per sample, as the answers of ``predictions`` hold them."""
    return object_array([pack(array) for array in arrays])


def object_array(values: Sequence[object]) -> Shaped[np.ndarray, " sample"]:
    """One thing per sample, whatever it is: numpy by itself would stack arrays of one length."""
    held = np.empty(len(values), dtype=object)
    for position, value in enumerate(values):
        held[position] = value
    return held


def nothing(samples: int) -> Shaped[np.ndarray, " sample"]:
    """As many empty entries: not known, or not there."""
    empty = np.empty(samples, dtype=object)
    empty[:] = b""
    return empty
