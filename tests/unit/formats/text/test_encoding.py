import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.text.encoding import decode, likely_encoding

CHINESE = "患者编号,年龄,诊断\n001,54,恶性肿瘤\n002,61,良性\n"


def test_gb18030_without_the_word_for_it_says_which_word() -> None:
    with pytest.raises(CohortError) as error:
        decode(CHINESE.encode("gb18030"), "utf-8", "cohort.csv")
    assert 'set encoding = "gb18030" under [cohort]' in str(error.value)
    assert "line 1" in str(error.value)
    assert decode(CHINESE.encode("gb18030"), "gb18030", "cohort.csv") == CHINESE


def test_western_text_is_not_taken_for_chinese() -> None:
    raw = "name,city\nJosé Peña,Málaga\nZoë,Besançon\n".encode("windows-1252")
    assert likely_encoding(raw) == "windows-1252"
    with pytest.raises(CohortError, match='encoding = "windows-1252"'):
        decode(raw, "utf-8", "cohort.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_marks_of_byte_order_are_seen_and_removed(encoding: str) -> None:
    raw = CHINESE.encode(encoding)
    assert decode(raw, likely_encoding(raw), "cohort.csv") == CHINESE


def test_bytes_that_are_no_text_are_not_called_by_the_encoding_that_was_asked() -> None:
    with pytest.raises(CohortError, match="may be damaged"):
        decode(b"\xff\x81 a", "windows-1252", "cohort.csv")


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(CohortError, match='no text encoding "utf-9"'):
        decode(b"a", "utf-9", "cohort.csv")


def test_a_codec_that_is_no_encoding_is_refused() -> None:
    with pytest.raises(CohortError, match='no text encoding "base64"'):
        decode(b"a", "base64", "cohort.csv")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_become_one_sign(end: str) -> None:
    assert decode(CHINESE.replace("\n", end).encode(), "utf-8", "cohort.csv") == CHINESE
