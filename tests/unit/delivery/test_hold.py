"""The lock of a folder, held against real processes that are stopped at the worst moment."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from polyclinic.delivery.bundle import open_work, publish
from polyclinic.delivery.hold import hold
from polyclinic.errors import BundleError

STOPPING = """
import sys
moment, path = sys.argv[1:]

def stop(event, args):
    global moment
    if event == moment and (event != "open" or str(args[0]) == path):
        moment = None
        print("stopped", flush=True)
        sys.stdin.readline()
"""
TAKES = (
    STOPPING
    + """
import pathlib
from polyclinic.delivery.hold import hold
sys.addaudithook(stop)
held = hold(pathlib.Path(path))
print("held", flush=True)
sys.stdin.readline()
"""
)
RESUMES = (
    STOPPING
    + """
import pathlib
from polyclinic.delivery.bundle import open_work
sys.addaudithook(stop)
print(open_work(pathlib.Path(path).parent.parent, {}, resume=True).finished, flush=True)
"""
)


@contextmanager
def stopped(code: str, moment: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that stands still when it is about to open, or to lock, the lock file."""
    command = [sys.executable, "-c", code, moment, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "stopped\n"
        try:
            yield other
        finally:
            other.kill()


def goes_on(other: subprocess.Popen[str]) -> str:
    """Let it go on; what it says next."""
    assert other.stdin is not None
    assert other.stdout is not None
    other.stdin.write("\n")
    other.stdin.flush()
    return other.stdout.readline().strip()


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be removed on Windows")
@pytest.mark.parametrize("moment", ["open", "fcntl.flock"])
def test_a_lock_that_vanishes_before_it_is_taken_is_taken_anew(tmp_path, moment):
    path = tmp_path / "run" / ".work" / "lock"
    mine = hold(path)
    with stopped(TAKES, moment, path) as other:
        mine.vanish()
        assert not path.exists()
        assert goes_on(other) == "held"
        with pytest.raises(BundleError, match=f"process {other.pid} on .* is working in it"):
            hold(path)


@pytest.mark.parametrize("moment", ["open", "fcntl.flock"])
def test_a_lock_that_stays_refuses(tmp_path, moment):
    path = tmp_path / "run" / ".work" / "lock"
    mine = hold(path)
    with stopped(TAKES, moment, path) as other:
        assert goes_on(other) == ""
        assert other.wait() == 1
    assert path.read_text().startswith(f"process {os.getpid()} ")
    mine.release()
    hold(path).vanish()


@pytest.mark.parametrize("moment", ["open", "fcntl.flock"])
def test_a_run_that_finishes_while_another_would_resume_it_is_found_finished(tmp_path, moment):
    work = open_work(tmp_path / "run", {}, resume=False)
    (work.results / "report.html").write_text("whole")
    with stopped(RESUMES, moment, tmp_path / "run" / ".work" / "lock") as other:
        publish(work, "0.1.0")
        assert goes_on(other) == "True"
        assert other.wait() == 0
    assert not (tmp_path / "run" / ".work").exists()


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be removed on Windows")
def test_a_folder_taken_in_the_moment_it_is_given_up_stays_with_its_taker(tmp_path, monkeypatch):
    work = open_work(tmp_path / "run", {}, resume=False)
    (work.results / "report.html").write_text("whole")
    rmdir, taken = Path.rmdir, []

    def take_first(folder):
        if folder.name == ".work":
            taken.append(hold(folder / "lock"))
        rmdir(folder)

    monkeypatch.setattr(Path, "rmdir", take_first)
    publish(work, "0.1.0")
    assert taken[0].path.exists()
    taken[0].vanish()
