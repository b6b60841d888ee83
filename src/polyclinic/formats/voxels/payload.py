"""Voxels that follow a header, raw or compressed, into one array of the declared size; not a byte more. No torch."""

import bz2
import gzip
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from polyclinic.errors import ReadError
from polyclinic.formats.voxels.voxel_grid import check_shape, damaged, refuse

_PIECE = 1 << 20
"""Bytes unpacked at a time: a bomb is noticed after one piece too many."""

_AUTOMATIC = 47  # zlib finds out by itself whether the stream is zlib or gzip


def unpack(
    stream: BufferedIOBase, packing: str, shape: tuple[int, int, int], dtype: np.dtype[np.generic]
) -> Shaped[np.ndarray, "i j k"]:
    """The array that follows in ``stream``, first axis running fastest.

    Args:
        stream: Stands at the first byte.
        packing: "raw", "gzip", "zlib" or "bzip2".
        shape: Points along each axis.
        dtype: Number type as stored.

    Raises:
        ReadError: absurdly large, too short, too long, or damaged.
    """
    check_shape(shape, dtype.itemsize)
    content = np.empty(int(np.prod(shape, dtype=np.int64)) * dtype.itemsize, dtype=np.uint8)
    filled = 0
    try:
        for piece in _pieces(stream, packing):
            if filled + len(piece) > len(content):
                raise _other_length("more voxels follow than the header declares")
            content[filled : filled + len(piece)] = np.frombuffer(piece, dtype=np.uint8)
            filled += len(piece)
    except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
        raise damaged(error) from None
    if filled < len(content):
        raise _other_length("fewer voxels follow than the header declares: the file was cut off")
    return content.view(dtype).reshape(shape, order="F")


def _other_length(found: str) -> ReadError:
    return refuse("doubtful_voxels", "the voxels must fit what the header says about them", found, "Export it again.")


def _pieces(stream: BufferedIOBase, packing: str) -> Iterator[bytes]:
    """The content in small pieces, so that a bomb is noticed before it has unfolded."""
    if packing == "zlib":
        yield from _inflated(stream)
        return
    source: BufferedIOBase = stream
    if packing == "gzip":
        source = gzip.GzipFile(fileobj=stream)
    elif packing == "bzip2":
        source = bz2.BZ2File(stream)
    while piece := source.read(_PIECE):
        yield piece


def _inflated(stream: BufferedIOBase) -> Iterator[bytes]:
    machine = zlib.decompressobj(_AUTOMATIC)
    rest = b""
    while not machine.eof:
        rest = rest or stream.read(_PIECE)
        if not rest:
            raise EOFError
        yield machine.decompress(rest, _PIECE)
        rest = machine.unconsumed_tail


def beside(header: Path, name: str, whole: str) -> Path:
    """The file that a header names, which must lie in the header's own folder.

    Args:
        header: The file of the header.
        name: What it names.
        whole: How files of the same format end that hold header and voxels.

    Raises:
        ReadError: if the name leads elsewhere or stands for several files, or there is no such file.
    """
    if name.split(" ")[0] == "LIST" or "%" in name:
        rule, found = "voxels must lie in one file", "they lie in a list of files"
        raise refuse("unknown_form", rule, found, f"Save the volume as one {whole} file.")
    rule = "a header may name a file of its own folder only"
    if not name or "\0" in name or Path(name).name != name or name in (".", ".."):
        remedy = "Put both files into one folder and correct the header."
        raise refuse("path_escapes", rule, "it names another folder", remedy)
    path = header.parent / name
    if path.resolve().parent != header.parent.resolve():
        raise refuse("path_escapes", rule, "the file is a link that leads elsewhere", "Put the file itself there.")
    if not path.is_file():
        raise refuse("no_such_file", "the file of voxels must exist", "there is none", "Add it beside its header.")
    return path
