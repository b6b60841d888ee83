"""A process that is really killed, at moments it does not choose."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep

import numpy as np
import pytest

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import make_bench
from polyclinic.training.epochs import loop
loop._KEEP_EVERY_S = 0.0
loop._DISK_SHARE = 1e9
folder = Path(sys.argv[2])
bench = make_bench(folder, {"sick": "classify"})
print("ready", flush=True)
fitted = bench.fit(epochs=400, patience=400, folder=folder / "fit")
(folder / "weights").write_bytes(bench.content(fitted))
"""


def start(folder: Path) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    here = str(Path(__file__).parent)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, here, str(folder)],
        stdout=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.stdout.close()
    return process


@pytest.mark.slow
def test_killed_at_random_moments_and_resumed_gives_the_same_bytes(tmp_path):
    assert start(tmp_path / "whole").wait(300) == 0
    rng, kills = np.random.default_rng(0), 0
    while True:
        process = start(tmp_path / "killed")
        sleep(rng.uniform(0.05, 1.0))
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0 or kills == 4:
            break
        kills += 1
    assert kills >= 2
    assert start(tmp_path / "killed").wait(300) == 0
    assert (tmp_path / "killed" / "weights").read_bytes() == (tmp_path / "whole" / "weights").read_bytes()
