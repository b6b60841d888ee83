import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from polyclinic.delivery import bundle
from polyclinic.delivery.bundle import discard, load, open_work, publish
from polyclinic.errors import BundleError
from polyclinic.formats import disk

SAME = {"the study": "abc", "cohort.csv": "def"}


def fill(work: bundle.RunFolder) -> None:
    (work.results / "report.html").write_text("<p>report</p>")
    (work.results / "evidence.json").write_text("{}")
    (work.results / "model" / "0-0-0").mkdir(parents=True)
    (work.results / "model" / "0-0-0" / "plan.json").write_text("{}")
    (work.scratch / "checkpoint").write_text("half way")


def run(out: Path) -> bundle.Bundle:
    work = open_work(out, SAME, resume=False)
    fill(work)
    return publish(work, "0.1.0")


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def refusal(error: pytest.ExceptionInfo[BundleError]) -> list[str]:
    return [finding.name for finding in error.value.findings]


def test_nothing_shows_before_everything_is_done(tmp_path: Path) -> None:
    work = open_work(tmp_path / "run", SAME, resume=False)
    fill(work)
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".work"]
    publish(work, "0.1.0")
    assert tree(tmp_path / "run") == [
        "bundle.json",
        "evidence.json",
        "model",
        "model/0-0-0",
        "model/0-0-0/plan.json",
        "report.html",
    ]


def test_the_manifest_hashes_every_file_and_load_verifies_them(tmp_path: Path) -> None:
    run(tmp_path / "run")
    made = load(tmp_path / "run")
    assert sorted(made.manifest.files) == ["evidence.json", "model/0-0-0/plan.json", "report.html"]
    assert made.manifest.polyclinic == "0.1.0"
    assert made.file("evidence.json").read_text() == "{}"
    with pytest.raises(BundleError, match=r"card\.md"):
        made.file("card.md")


def test_the_same_run_leaves_the_same_bytes(tmp_path: Path) -> None:
    run(tmp_path / "a")
    run(tmp_path / "b")
    assert (tmp_path / "a" / "bundle.json").read_bytes() == (tmp_path / "b" / "bundle.json").read_bytes()


def test_every_damaged_or_missing_file_is_named(tmp_path: Path) -> None:
    run(tmp_path / "run")
    (tmp_path / "run" / "evidence.json").write_text("{ }")
    (tmp_path / "run" / "model" / "0-0-0" / "plan.json").unlink()
    with pytest.raises(BundleError) as error:
        load(tmp_path / "run")
    assert refusal(error) == ["damaged_file", "missing_file"]
    assert "evidence.json" in str(error.value)
    assert "plan.json" in str(error.value)


@pytest.mark.parametrize(
    ("version", "words"), [(0, "older format 0.*Run the study again"), (2, "newer format 2.*Install a newer")]
)
def test_a_bundle_of_another_format_is_refused(tmp_path: Path, version: int, words: str) -> None:
    run(tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "bundle.json").read_text())
    (tmp_path / "run" / "bundle.json").write_text(
        json.dumps({"format": version} if version == 0 else manifest | {"format": 2})
    )
    with pytest.raises(BundleError, match=words):
        load(tmp_path / "run")


@pytest.mark.parametrize("content", ["", "[]", "[" * 100_000, '{"files": {}}', '{"format": 1, "files": 3}'])
def test_a_damaged_manifest_is_refused(tmp_path: Path, content: str) -> None:
    run(tmp_path / "run")
    (tmp_path / "run" / "bundle.json").write_text(content)
    with pytest.raises(BundleError, match=r"bundle\.json") as error:
        load(tmp_path / "run")
    assert refusal(error) == ["damaged_file"]


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/hostname", "model/../../outside.txt"])
def test_a_manifest_may_not_point_outside_its_folder(tmp_path: Path, name: str) -> None:
    run(tmp_path / "run")
    path = tmp_path / "run" / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": {name: "0"}}))
    with pytest.raises(BundleError, match="outside the folder"):
        load(tmp_path / "run")


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no bundle\.json"):
        load(tmp_path)
    with pytest.raises(BundleError, match=r"no bundle\.json"):
        load(tmp_path / "nowhere")
    open_work(tmp_path / "run", SAME, resume=False).close()
    with pytest.raises(BundleError, match=r"not finished.*--resume"):
        load(tmp_path / "run")


def test_an_unfinished_run_is_resumed_only_when_asked(tmp_path: Path) -> None:
    with open_work(tmp_path / "run", SAME, resume=False) as work:
        (work.scratch / "checkpoint").write_text("half way")
        assert not work.resumed
    with pytest.raises(BundleError, match="--resume"):
        open_work(tmp_path / "run", SAME, resume=False)
    with open_work(tmp_path / "run", SAME, resume=True) as work:
        assert work.resumed
        assert (work.scratch / "checkpoint").read_text() == "half way"


def test_a_finished_run_is_refused_or_already_done(tmp_path: Path) -> None:
    run(tmp_path / "run")
    before = tree(tmp_path / "run")
    with pytest.raises(BundleError, match="finished run") as error:
        open_work(tmp_path / "run", SAME, resume=False)
    assert refusal(error) == ["already_run"]
    with open_work(tmp_path / "run", SAME, resume=True) as work:
        assert work.finished
    assert tree(tmp_path / "run") == before


def test_resuming_in_a_new_folder_begins_there(tmp_path: Path) -> None:
    with open_work(tmp_path / "run", SAME, resume=True) as work:
        assert not work.resumed
        assert not work.finished


@pytest.mark.parametrize("finished", [True, False])
def test_a_changed_study_or_table_cannot_be_resumed(tmp_path: Path, finished: bool) -> None:
    work = open_work(tmp_path / "run", SAME, resume=False)
    publish(work, "0.1.0") if finished else work.close()
    before = tree(tmp_path / "run")
    with pytest.raises(BundleError, match=r"cohort\.csv has changed") as error:
        open_work(tmp_path / "run", SAME | {"cohort.csv": "new"}, resume=True)
    assert refusal(error) == ["changed_since"]
    assert [name for name in tree(tmp_path / "run") if name != ".work/lock"] == [n for n in before if n != ".work/lock"]


def test_a_state_of_another_format_cannot_be_resumed(tmp_path: Path) -> None:
    open_work(tmp_path / "run", SAME, resume=False).close()
    state = tmp_path / "run" / ".work" / "state.json"
    state.write_text(json.dumps(json.loads(state.read_text()) | {"format": 0}))
    with pytest.raises(BundleError, match="older format"):
        open_work(tmp_path / "run", SAME, resume=True)


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with (
        open_work(tmp_path / "run", SAME, resume=False),
        pytest.raises(BundleError, match=f"process {os.getpid()} on .* is working in it") as error,
    ):
        open_work(tmp_path / "run", SAME, resume=True)
    assert refusal(error) == ["folder_in_use"]


def test_the_lock_of_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib; from polyclinic.delivery.hold import hold; "
        "held = hold(pathlib.Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    open_work(tmp_path / "run", SAME, resume=False).close()
    command = [sys.executable, "-c", code, str(tmp_path / "run" / ".work" / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BundleError, match=f"process {other.pid} "):
            open_work(tmp_path / "run", SAME, resume=True)
        other.kill()
    assert (tmp_path / "run" / ".work" / "lock").read_text().startswith(f"process {other.pid} ")
    with open_work(tmp_path / "run", SAME, resume=True) as work:
        assert work.resumed


def test_the_folder_may_be_let_go_twice(tmp_path: Path) -> None:
    with open_work(tmp_path / "run", SAME, resume=False) as work:
        fill(work)
        publish(work, "0.1.0")
    with open_work(tmp_path / "other", SAME, resume=False) as work:
        work.close()


def test_a_disk_too_full_to_sign_the_lock_is_left_as_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(BundleError, match="disk is full"):
            open_work(tmp_path / "run", SAME, resume=False)
    assert tree(tmp_path) == []


def test_a_disk_that_cannot_lock_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(BundleError, match="cannot lock files"):
        open_work(tmp_path / "run", SAME, resume=False)
    assert tree(tmp_path) == []


def test_a_run_refused_for_another_one_leaves_that_one_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_work(tmp_path / "run", SAME, resume=False) as work:
        monkeypatch.setattr("polyclinic.delivery.bundle._refuse_before_writing", lambda out, resume: None)
        before = tree(tmp_path)
        with pytest.raises(BundleError, match="is working in it"):
            open_work(tmp_path / "run", SAME, resume=False)
        assert tree(tmp_path) == before
        assert work.results.is_dir()


def test_the_users_files_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(BundleError, match="other files"):
        open_work(tmp_path, SAME, resume=False)
    assert tree(tmp_path) == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "mine"


def test_a_file_put_in_the_way_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    work = open_work(tmp_path / "run", SAME, resume=False)
    fill(work)
    (tmp_path / "run" / "report.html").write_text("mine")
    with pytest.raises(BundleError, match=r"report\.html"):
        publish(work, "0.1.0")
    assert (tmp_path / "run" / "report.html").read_text() == "mine"
    assert [path.name for path in sorted((tmp_path / "run").iterdir())] == [".work", "report.html"]
    work.close()
    (tmp_path / "run" / "report.html").unlink()
    with open_work(tmp_path / "run", SAME, resume=True) as work:
        assert work.finished
    load(tmp_path / "run")


def test_a_hidden_file_is_no_reason_to_refuse(tmp_path: Path) -> None:
    (tmp_path / ".DS_Store").write_text("")
    open_work(tmp_path, SAME, resume=False).close()


@pytest.mark.parametrize("moves", [0, 1, 2, 3, 4])
def test_a_run_killed_while_showing_its_files_is_finished_by_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    class Killed(BaseException):
        pass

    done: list[Path] = []
    rename = Path.rename

    def dying(path: Path, target: Path) -> Path:
        if len(done) == moves:
            raise Killed
        done.append(path)
        return rename(path, target)

    run(tmp_path / "whole")
    work = open_work(tmp_path / "run", SAME, resume=False)
    fill(work)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dying)
        if moves < 4:
            with pytest.raises(Killed):
                publish(work, "0.1.0")
            work.close()
            with pytest.raises(BundleError):
                load(tmp_path / "run")
        else:
            publish(work, "0.1.0")
    with open_work(tmp_path / "run", SAME, resume=True) as work:
        assert work.finished
    load(tmp_path / "run")
    assert tree(tmp_path / "run") == tree(tmp_path / "whole")


@pytest.mark.parametrize("moves", [0, 1, 2, 3])
def test_no_permission_while_showing_shows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int) -> None:
    work = open_work(tmp_path / "run", SAME, resume=False)
    fill(work)
    done: list[Path] = []
    rename = Path.rename

    def refused(path: Path, target: Path) -> Path:
        if len(done) == moves and path.parent.name != "run":
            raise OSError(errno.EACCES, "no")
        done.append(path)
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refused)
        with pytest.raises(BundleError, match="no permission"):
            publish(work, "0.1.0")
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".work"]
    work.close()


@pytest.mark.parametrize("step", ["mkdir", "open", "state"])
@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "no permission")])
def test_a_folder_that_cannot_be_written_is_left_as_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int, words: str
) -> None:
    def refuse(*args: object, **more: object) -> None:
        raise OSError(number, "no")

    place = {"mkdir": (Path, "mkdir"), "open": (os, "open"), "state": (os, "fsync")}[step]
    with monkeypatch.context() as patch:
        patch.setattr(*place, refuse)
        with pytest.raises(BundleError, match=words):
            open_work(tmp_path / "run", SAME, resume=False)
    assert tree(tmp_path) == []


def test_the_way_to_the_folder_may_not_lead_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(BundleError):
            open_work(out, SAME, resume=False)
    assert tree(tmp_path) == ["file"]


@pytest.mark.skipif(not Path("/sys").exists(), reason="needs a folder that nobody may write to")
def test_a_folder_that_nobody_may_write_to_is_refused() -> None:
    with pytest.raises(BundleError):
        open_work(Path("/sys/polyclinic"), SAME, resume=False)


def test_a_full_disk_keeps_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk.write_file(tmp_path / "a.json", b"old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BundleError, match="disk is full"):
        disk.write_file(tmp_path / "a.json", b"new")
    assert (tmp_path / "a.json").read_bytes() == b"old"
    assert tree(tmp_path) == ["a.json"]


def test_a_really_full_disk(tmp_path: Path) -> None:
    with (
        pytest.raises(BundleError, match="disk is full"),
        disk.writing_to(tmp_path),
        Path("/dev/full").open("wb") as file,
    ):
        file.write(b"x" * 100_000)


def test_an_error_of_ours_is_not_blamed_on_the_disk(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), disk.writing_to(tmp_path):
        tmp_path.read_bytes()


def test_a_run_not_worth_resuming_leaves_nothing(tmp_path: Path) -> None:
    discard(open_work(tmp_path / "run", SAME, resume=False))
    assert tree(tmp_path) == []
    (tmp_path / ".keep").write_text("")
    discard(open_work(tmp_path, SAME, resume=False))
    assert tree(tmp_path) == [".keep"]
