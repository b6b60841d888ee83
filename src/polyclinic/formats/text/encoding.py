"""Bytes of a text table to characters: the encoding is never guessed, only suggested."""

import codecs

import numpy as np

from polyclinic.errors import CohortError, Finding

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(raw: bytes, encoding: str, table: str) -> str:
    """The characters of a table, with line ends as one character and the byte order mark gone.

    A byte order mark says more than a study file that says nothing: Excel writes its Unicode text as UTF-16 with one.

    Raises:
        CohortError: if there is no such encoding, or the bytes are not in it; the message says which one to set.
    """
    try:
        text = raw.decode(_marked(raw, _known(encoding, table)))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CohortError(_wrong_encoding(raw, encoding, table, line)) from error
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def likely_encoding(raw: bytes) -> str:
    """The encoding that a table is probably written in; for a draft and for messages, never for reading."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return encoding
    if _decodes(raw, "utf-8"):
        return "utf-8"
    return "gb18030" if _decodes(raw, "gb18030") and _comes_in_pairs(raw) else "windows-1252"


def _known(encoding: str, table: str) -> str:
    try:
        "".encode(encoding)
    except LookupError as error:
        raise CohortError(
            Finding(
                name="unknown_encoding",
                place="[cohort] encoding",
                rule=f"must be an encoding that Python knows, for {table}",
                found=f'there is no text encoding "{encoding}"',
                remedy='Write "utf-8", "gb18030", "utf-16" or "windows-1252".',
            )
        ) from error
    return encoding


def _marked(raw: bytes, encoding: str) -> str:
    """The encoding of the byte order mark where the study names the usual one, else what the study names."""
    if codecs.lookup(encoding) != codecs.lookup("utf-8"):
        return encoding
    return next((marked for mark, marked in _BYTE_ORDER_MARKS if raw.startswith(mark)), encoding)


def _wrong_encoding(raw: bytes, encoding: str, table: str, line: int) -> Finding:
    likely = likely_encoding(raw)
    advice = f'It looks like {likely}: set encoding = "{likely}" under [cohort]'
    if codecs.lookup(likely) == codecs.lookup(encoding):
        advice = "The file may be damaged, or not be a text table at all"
    return Finding(
        name="wrong_encoding",
        place=table,
        rule=f"must be text in the encoding {encoding}",
        found=f"line {line} of the file is not",
        remedy=f"{advice}, or save the table again as UTF-8.",
    )


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _comes_in_pairs(raw: bytes) -> bool:
    """Whether most bytes above 127 have a neighbour above 127, as in Chinese text and not as in accented Latin."""
    high = np.frombuffer(raw, dtype=np.uint8) >= 128
    beside = np.zeros_like(high)
    beside[1:] |= high[:-1]
    beside[:-1] |= high[1:]
    return int((high & beside).sum()) * 2 > int(high.sum())
