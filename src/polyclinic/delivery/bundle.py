"""What a run leaves in its folder: worked on out of sight, shown whole, and verified when it is read again.

The life of a folder::

    DIR/.work/             during the run: lock, state, checkpoints in ``scratch``, finished files in ``shown``
    DIR/report.html ...    only when everything is done; ``bundle.json``, with the hash of every file, comes last

A run that is killed leaves `.work` and may be resumed from it. A folder without `bundle.json` is not a bundle.
"""

import errno
import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from polyclinic.delivery.hold import Hold, hold
from polyclinic.errors import BundleError, Finding
from polyclinic.formats.disk import write_file, writing_to

FORMAT = 1
MANIFEST = "bundle.json"
STATE = "state.json"


class Manifest(BaseModel):
    """`bundle.json`: which program wrote the bundle, in which format, and the hash of every file in it."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    format: int
    polyclinic: str
    fingerprints: dict[str, str]
    """Hash of the study and of each source file, by the name that a message would use."""
    files: dict[str, str]
    """sha256 by path inside the bundle, with forward slashes."""


class State(BaseModel):
    """`.work/state.json`: what the run at work started from."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    format: int
    fingerprints: dict[str, str]


Document = TypeVar("Document", Manifest, State)


@dataclass(frozen=True)
class RunFolder:
    """A folder in which this process, and no other, may run a study.

    Attributes:
        out: The folder that the user named.
        fingerprints: Hash of the study and of each source file, by the name that a message would use.
        finished: The run was done already: there is nothing left to do, ``load(out)``.
        resumed: An earlier run left something to go on from.
        lock: Held until ``close``, ``publish`` or ``discard``; None when the run was finished.
    """

    out: Path
    fingerprints: Mapping[str, str]
    finished: bool
    resumed: bool
    lock: Hold | None

    @property
    def results(self) -> Path:
        """Folder for finished files, arranged as in the bundle."""
        return _results(self.out)

    @property
    def scratch(self) -> Path:
        """Folder for checkpoints and whatever else helps to resume; it is removed in the end."""
        return self.out / ".work" / "scratch"

    def close(self) -> None:
        """Let the folder go, as it stands; the run may be resumed."""
        if self.lock is not None:
            self.lock.release()

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Bundle:
    """A verified folder that a run left."""

    folder: Path
    manifest: Manifest

    def file(self, name: str) -> Path:
        """Path of one file of the bundle, such as ``evidence.json`` or ``model/0-0-0/plan.json``.

        Raises:
            BundleError: if the bundle has no such file.
        """
        if name not in self.manifest.files:
            remedy = "Run the study again."
            raise BundleError(_finding("missing_file", self.folder / name, "a bundle holds this file", "none", remedy))
        return self.folder / name


def open_work(out: Path, fingerprints: Mapping[str, str], *, resume: bool) -> RunFolder:
    """Claim the folder ``out`` for a run, or for going on with one.

    With ``resume``, a run that was killed while its files were being put in place is finished here.

    Args:
        out: Need not exist.
        fingerprints: Hash of the study and of each source file, by the user's name for it.
        resume: Go on with what an earlier run of the same study on the same files left.

    Raises:
        BundleError: if another process works there; if it holds a run and ``resume`` is not set; if ``resume`` is set
            and study or files have changed; if it holds files of the user's; if it cannot be written to.
    """
    _refuse_before_writing(out, resume)
    try:
        with writing_to(out):
            lock = hold(out / ".work" / "lock")
    except BundleError:
        _remove_if_empty(out / ".work", out)
        raise
    fresh = list((out / ".work").iterdir()) == [lock.path]
    try:
        return _claim(out, dict(fingerprints), resume, lock)
    except BaseException:
        _let_go(out, lock, fresh)
        raise


def publish(work: RunFolder, version: str) -> Bundle:
    """Put the finished files in place, the manifest last, remove `.work`, and let the folder go.

    Args:
        work: Everything that stands in ``work.results`` is published.
        version: Version of polyclinic that made it.

    Raises:
        BundleError: if a file cannot be put in place; those already there are taken back.
    """
    names = sorted(path.relative_to(work.results).as_posix() for path in work.results.rglob("*") if path.is_file())
    files = {name: _sha256(work.results / name) for name in names}
    manifest = Manifest(format=FORMAT, polyclinic=version, fingerprints=dict(work.fingerprints), files=files)
    write_file(work.out / ".work" / MANIFEST, f"{manifest.model_dump_json(indent=1)}\n".encode())
    _put_in_place(work.out, manifest)
    _remove_work(work.out, _held(work))
    return Bundle(work.out, manifest)


def discard(work: RunFolder) -> None:
    """Give up a run that is not worth resuming: `.work` goes, and so does ``out`` if nothing else is in it."""
    _remove_work(work.out, _held(work))
    _remove_if_empty(work.out)


def load(folder: Path) -> Bundle:
    """Open the folder that a run left, after checking its format and the hash of every file.

    Raises:
        BundleError: if it is no bundle, unfinished, or of another format; or naming all missing or damaged files.
    """
    manifest = _read_manifest(folder)
    damaged = [finding for name, sha in manifest.files.items() if (finding := _check(folder, name, sha)) is not None]
    if damaged:
        raise BundleError(damaged)
    return Bundle(folder, manifest)


def _held(work: RunFolder) -> Hold:
    assert work.lock is not None, "a finished run has nothing to publish and nothing to discard"
    return work.lock


def _refuse_before_writing(out: Path, resume: bool) -> None:
    """Refuse what can be refused without leaving a trace in the folder."""
    if not resume and (out / MANIFEST).exists():
        remedy = "Choose another folder with --out, or move this one away."
        raise BundleError(
            _finding("already_run", out, "a run needs a folder of its own", "it holds a finished run", remedy)
        )
    if not (out / MANIFEST).exists() and not (out / ".work").exists() and out.is_dir() and _visible(out):
        remedy = "Choose a new or an empty folder with --out."
        found = "it holds other files, which a run might overwrite"
        raise BundleError(_finding("folder_not_empty", out, "a run needs a folder of its own", found, remedy))


def _visible(folder: Path) -> list[str]:
    """What the user sees in a folder; hidden files, such as a file browser leaves, are no reason to refuse it."""
    with writing_to(folder):
        return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))


def _claim(out: Path, fingerprints: dict[str, str], resume: bool, lock: Hold) -> RunFolder:
    """Decide, with the lock held, what there is to do in ``out``."""
    if (out / ".work" / MANIFEST).exists() and resume:
        _refuse_changes(out, _parse(out / ".work" / MANIFEST, Manifest).fingerprints, fingerprints)
        _put_in_place(out, _parse(out / ".work" / MANIFEST, Manifest))
    if (out / MANIFEST).exists():
        _refuse_before_writing(out, resume)
        _refuse_changes(out, _read_manifest(out).fingerprints, fingerprints)
        _remove_work(out, lock)
        return RunFolder(out, fingerprints, True, True, None)
    resumed = (out / ".work" / STATE).exists()
    if resumed:
        if not resume:
            remedy = "Add --resume to go on with it, or choose another folder with --out."
            found = "it holds an unfinished one"
            raise BundleError(_finding("unfinished_run", out, "a run needs a folder of its own", found, remedy))
        _refuse_other_format(out / ".work" / STATE)
        _refuse_changes(out, _parse(out / ".work" / STATE, State).fingerprints, fingerprints)
    _begin(out, fingerprints)
    return RunFolder(out, fingerprints, False, resumed, lock)


def _begin(out: Path, fingerprints: dict[str, str]) -> None:
    with writing_to(out):
        _results(out).mkdir(exist_ok=True)
        (out / ".work" / "scratch").mkdir(exist_ok=True)
    state = State(format=FORMAT, fingerprints=fingerprints)
    write_file(out / ".work" / STATE, f"{state.model_dump_json(indent=1)}\n".encode())


def _refuse_changes(out: Path, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    if changed:
        rule = "only the same study on the same files can be resumed"
        remedy = "Run it in another folder with --out, or put the earlier version back."
        raise BundleError(
            _finding("changed_since", out, rule, f"{name} has changed since that run began", remedy) for name in changed
        )


def _let_go(out: Path, lock: Hold, fresh: bool) -> None:
    """After a refusal nothing of ours stays where nothing of ours was."""
    if fresh:
        (out / ".work" / STATE).unlink(missing_ok=True)
        lock.vanish()
        _remove_if_empty(_results(out), out / ".work" / "scratch", out / ".work", out)
    else:
        lock.release()


def _remove_if_empty(*folders: Path) -> None:
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _results(out: Path) -> Path:
    return out / ".work" / "shown"  # this name, so that a run that an earlier version began can be resumed


def _put_in_place(out: Path, manifest: Manifest) -> None:
    """Move every file of the manifest from `.work/shown` into ``out``, then the manifest itself; or move none."""
    results = _results(out)
    moved: list[str] = []
    tops = sorted({PurePosixPath(name).parts[0] for name in manifest.files})
    with writing_to(out):
        try:
            for top in tops:
                if (results / top).exists():
                    _refuse_overwriting(out / top)
                    (results / top).rename(out / top)
                    moved.append(top)
            (out / ".work" / MANIFEST).rename(out / MANIFEST)
        except (OSError, BundleError):
            for top in moved:
                (out / top).rename(results / top)
            raise


def _refuse_overwriting(path: Path) -> None:
    if path.exists():
        remedy = "Move it away and run again with --resume."
        raise BundleError(
            _finding("in_the_way", path, "a run overwrites no file", "a file of that name is here", remedy)
        )


def _remove_work(out: Path, lock: Hold) -> None:
    """Remove `.work`, the lock last of all."""
    with writing_to(out):
        for entry in sorted((out / ".work").iterdir()):
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry != lock.path:
                entry.unlink()
        lock.vanish()
        try:
            (out / ".work").rmdir()
        except OSError as error:  # another process took the folder in this moment: it is that one's now
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
                raise


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    rule = "this should be a folder that `polyclinic run` left"
    if not path.is_file():
        unfinished = (folder / ".work").exists()
        found = "the run in it is not finished" if unfinished else f"it has no {MANIFEST}"
        remedy = "Finish it with `polyclinic run ... --resume`." if unfinished else "Check the path."
        raise BundleError(_finding("not_a_bundle", folder, rule, found, remedy))
    _refuse_other_format(path)
    manifest = _parse(path, Manifest)
    if any(PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts for name in manifest.files):
        raise BundleError(_finding("damaged_file", path, rule, "it names files outside the folder", "Do not use it."))
    return manifest


def _refuse_other_format(path: Path) -> None:
    try:
        version = json.loads(path.read_bytes())["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleError(_damaged(path)) from error
    if version != FORMAT:
        older = isinstance(version, int) and version < FORMAT
        remedy = "Run the study again with this polyclinic." if older else "Install a newer polyclinic."
        found = f"it has the {'older' if older else 'newer'} format {version!r}"
        raise BundleError(
            _finding("other_format", path, f"this polyclinic reads bundles of format {FORMAT}", found, remedy)
        )


def _parse(path: Path, document: type[Document]) -> Document:
    try:
        return document.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BundleError(_damaged(path)) from error


def _check(folder: Path, name: str, sha256: str) -> Finding | None:
    path = folder / name
    if not path.is_file():
        rule, remedy = "the bundle's list of files must be true", "Copy the bundle again, or run the study again."
        return _finding("missing_file", path, rule, "the file is missing", remedy)
    return None if _sha256(path) == sha256 else _damaged(path)


def _damaged(path: Path) -> Finding:
    rule, remedy = "a file of a bundle must be as the run wrote it", "Copy the bundle again, or run the study again."
    return _finding("damaged_file", path, rule, "the file is damaged or was changed", remedy)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _finding(name: str, place: Path, rule: str, found: str, remedy: str) -> Finding:
    return Finding(name, str(place), rule, found, remedy)
