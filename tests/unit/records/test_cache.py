"""Records are made once, kept whole, and made again when the file is damaged."""

import errno
import os

import numpy as np
import pytest

from polyclinic.errors import ReadError
from polyclinic.records import cache
from polyclinic.records.cache import gather, keep

RECORDS = [
    (np.arange(6, dtype=np.uint8).reshape(2, 3), "first"),
    (np.zeros((0, 0, 0), np.uint8), "nothing"),
    (np.linspace(0, 1, 5, dtype=np.float32), "sixth ünd"),
    (np.arange(4, dtype=np.uint16).reshape(2, 2).T, ""),
]


class Maker:
    """Counts how often records are made."""

    def __init__(self, records=RECORDS):
        self.records, self.times = records, 0

    def __call__(self):
        self.times += 1
        return iter(self.records)


def same(ragged, records=RECORDS):
    assert len(ragged) == len(records)
    assert ragged.note == tuple(note for _, note in records)
    for position, (array, _) in enumerate(records):
        assert ragged[position].dtype == array.dtype
        assert np.array_equal(ragged[position], array)


def test_in_memory():
    same(gather(RECORDS))
    maker = Maker()
    same(keep(None, "key", maker))
    assert maker.times == 1


def test_made_once(tmp_path):
    maker = Maker()
    for _ in range(3):
        same(keep(tmp_path / "new" / "folder", "key", maker))
    assert maker.times == 1
    keep(tmp_path / "new" / "folder", "other key", maker)
    assert maker.times == 2


def test_it_is_mapped_not_loaded(tmp_path):
    assert isinstance(keep(tmp_path, "key", Maker()).content, np.memmap)
    assert not keep(tmp_path, "key", Maker())[0].flags.writeable


def test_stacked(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (7, 3, 5), dtype=np.uint8)
    for folder in (None, tmp_path):
        assert np.array_equal(keep(folder, "k", Maker([(image, "") for image in images])).stacked(), images)


@pytest.mark.parametrize("place", ["start", "arrays", "index", "footer", "cut", "empty", "longer"])
def test_a_damaged_file_is_made_again(tmp_path, place):
    maker = Maker()
    keep(tmp_path, "key", maker)
    (path,) = tmp_path.iterdir()
    whole = bytearray(path.read_bytes())
    spots = {"start": 2, "arrays": 26, "index": len(whole) - 40, "footer": len(whole) - 3}
    if place in spots:
        whole[spots[place]] ^= 1
    path.write_bytes({"cut": whole[:-9], "empty": b"", "longer": whole + b"x"}.get(place, whole))
    same(keep(tmp_path, "key", maker))
    assert maker.times == 2
    same(keep(tmp_path, "key", maker))
    assert maker.times == 2


def test_a_failure_leaves_nothing_behind(tmp_path):
    def broken():
        yield RECORDS[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keep(tmp_path, "key", broken)
    assert list(tmp_path.iterdir()) == []


def test_full_disk(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache, "_stream", full)
    with pytest.raises(ReadError, match="No space left") as caught:
        keep(tmp_path, "key", Maker())
    assert caught.value.findings[0].name == "cache_unwritable"
    assert list(tmp_path.iterdir()) == []


def test_no_permission(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ReadError, match="folder for decoded records"):
        keep(tmp_path / "file" / "cache", "key", Maker())
