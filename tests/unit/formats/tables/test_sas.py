"""No library that may be used writes .sas7bdat, so what is held here is what a file that is none does."""

import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.read_table import read_table


@pytest.mark.parametrize("content", [b"", b"\x00" * 4096, b"id,age\n1,2\n"])
def test_what_is_no_such_file_is_refused_in_silence(tmp_path, content, capfd):
    (tmp_path / "a.sas7bdat").write_bytes(content)
    with pytest.raises(CohortError, match=r"whole \.sas7bdat file"):
        read_table(tmp_path / "a.sas7bdat")
    assert capfd.readouterr() == ("", "")
