import zipfile
from pathlib import Path

import numpy as np
import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.tables.medmnist import MedMnist


def write(path: Path, labels: tuple[int, ...] = (), **changes: object) -> Path:
    arrays: dict[str, object] = {}
    for part, count in (("train", 3), ("val", 1), ("test", 2)):
        arrays[f"{part}_images"] = np.zeros((count, 4, 4), dtype=np.uint8)
        arrays[f"{part}_labels"] = np.arange(count * int(np.prod(labels or 1))).reshape(count, *labels) % 2
    arrays.update(changes)
    np.savez_compressed(path, **{name: a for name, a in arrays.items() if a is not None})  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("labels", [(), (1,)])
def test_one_label_per_image(tmp_path: Path, labels: tuple[int, ...]) -> None:
    frame = MedMnist().frame(write(tmp_path / "x.npz", labels))
    assert frame.columns == ["image", "label", "part"]
    assert frame["image"].to_list()[:3] == [f"x.npz#train_images[{i}]" for i in range(3)]
    assert frame["part"].to_list() == ["train", "train", "train", "tune", "test", "test"]
    assert frame["label"].to_list() == [0, 1, 0, 0, 0, 1]


def test_several_labels_per_image(tmp_path: Path) -> None:
    frame = MedMnist().frame(write(tmp_path / "x.npz", (14,)))
    assert frame.columns == ["image", *(f"label_{i}" for i in range(14)), "part"]


def test_a_file_without_val_has_two_parts(tmp_path: Path) -> None:
    frame = MedMnist().frame(write(tmp_path / "x.npz", val_images=None, val_labels=None))
    assert sorted(set(frame["part"])) == ["test", "train"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"test_labels": None}, "layout of MedMNIST.*it lacks test_labels"),
        ({"val_labels": None}, "val_images must have labels"),
        ({"train_labels": np.zeros(2, dtype=int)}, "3 images and 2 labels"),
        ({"train_labels": np.zeros(3)}, "whole numbers.*float64"),
        ({"train_labels": np.zeros((3, 1, 1), dtype=int)}, "whole numbers.*shape"),
        ({"train_labels": np.zeros((3, 2), dtype=int)}, "the parts differ"),
        ({"train_images": np.zeros(3, dtype=np.uint8)}, "must be pictures"),
        ({"train_labels": np.array([0, 1, None], dtype=object)}, "Python objects"),
    ],
)
def test_another_layout_is_refused(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    with pytest.raises(CohortError, match=words):
        MedMnist().frame(write(tmp_path / "x.npz", **changes))


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", weights=np.zeros(3))
    with pytest.raises(CohortError, match="it lacks train_images, train_labels, test_images, test_labels"):
        MedMnist().frame(tmp_path / "x.npz")


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.npz")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(CohortError, match="damaged or truncated"):
        MedMnist().frame(path)


def test_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.npz")
    raw = bytearray(path.read_bytes())
    place = raw.index(b"PK\x01\x02")
    while place >= 0:
        raw[place + 8] |= 1
        place = raw.find(b"PK\x01\x02", place + 1)
    path.write_bytes(bytes(raw))
    with pytest.raises(CohortError, match="damaged or truncated"):
        MedMnist().frame(path)


def test_a_broken_array_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.npz", train_labels=None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("train_labels.npy", b"no array")
    with pytest.raises(CohortError, match="its header cannot be read"):
        MedMnist().frame(path)


def test_a_short_array_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.npz", train_labels=None)
    np.save(tmp_path / "whole.npy", np.zeros(3, dtype=int))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("train_labels.npy", (tmp_path / "whole.npy").read_bytes()[:-8])
    with pytest.raises(CohortError, match="train_labels must be whole"):
        MedMnist().frame(path)
