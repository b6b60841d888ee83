"""The folder of files that belongs to a table of answers: masks, boxes, shapes of cells."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from polyclinic.answers.base import Answer
from polyclinic.delivery.forms.base import AnswerFiles, delivery_of
from polyclinic.errors import BundleError, Finding
from polyclinic.formats.disk import write_file, writing_to


def files_of(out: Path) -> Path:
    """The folder of the files that belong to a table of answers."""
    return out.with_name(f"{out.stem}.files")


@contextmanager
def files_beside(out: Path) -> Iterator[Path]:
    """A folder to write files into, that appears as ``<out without ending>.files`` in the end unless it is empty.

    Raises:
        BundleError: if the folder cannot be made.
    """
    folder = files_of(out)
    draft = folder.with_name(f".{folder.name}.part")
    with writing_to(out.parent):
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
    try:
        yield draft
        with writing_to(out.parent):
            draft.rename(folder) if any(draft.iterdir()) else draft.rmdir()
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def refuse_folder(folder: Path) -> None:
    """Raise if something is in the way of a folder of files."""
    if folder.exists():
        remedy = "Move it away, or choose another name with --out."
        raise BundleError(Finding("file_exists", str(folder), "answers overwrite nothing", "it exists", remedy))


def publish(out: Path, content: bytes) -> None:
    """Write the table of answers; where it cannot be written its files go too.

    Raises:
        BundleError: if the disk is full or may not be written to.
    """
    try:
        write_file(out, content)
    except (BundleError, OSError):
        shutil.rmtree(files_of(out), ignore_errors=True)
        raise


def write_files(
    name: str, answer: Answer, rows: Sequence[int], sources: Sequence[str | None], folder: Path
) -> list[str]:
    """The files of every answer to one question; their names by row, divided by " | ", "" where there is none.

    Args:
        name: Of the target, in the user's word.
        answer: For all rows.
        rows: Positions in the user's table, from 1.
        sources: File of each row's record, or None.
        folder: Where to write.
    """
    word = re.sub(r"[^\w-]+", "-", name)
    delivery = delivery_of(answer)
    paths = [AnswerFiles(folder, f"{row:05d}-{word}", source) for row, source in zip(rows, sources, strict=True)]
    return [" | ".join(delivery.files(answer, position, one)) for position, one in enumerate(paths)]
