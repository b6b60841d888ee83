import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from polyclinic.errors import BundleError, Severity
from polyclinic.model import Answers, Model
from polyclinic.study.schema import ModelSection, Size
from polyclinic.training.epochs import checkpoint, loop
from polyclinic.training.epochs.checkpoint import Checkpoint, Epoch, FitProgress, Store
from polyclinic.training.fit import fit


class Killed(RuntimeError):
    pass


class Pictured(Model):
    """A network that also looks at its numbers as at a little picture."""

    def __init__(self, bench) -> None:
        super().__init__(bench.ready.inputs, bench.ready.heads, ModelSection(size=Size.TINY))
        self.eye = nn.Sequential(nn.Conv2d(2, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3))

    def forward(self, batch) -> Answers:
        answers = super().forward(batch)
        numbers = batch["labs"].numbers
        picture = (numbers[:, None, :, None] * numbers[:, None, None, :]).repeat(1, 2, 1, 1)
        seen = self.eye(picture.contiguous(memory_format=torch.channels_last)).mean(dim=(1, 2, 3))
        return replace(answers, outputs={name: out + seen[:, None, None] for name, out in answers.outputs.items()})


class Killer:
    """Kills the fit after some epochs."""

    def __init__(self, after: int) -> None:
        self.left = after

    def start(self, task: str, total: int) -> None:
        pass

    def advance(self, note: str = "") -> None:
        if note:
            self.left -= 1
            if not self.left:
                raise Killed

    def finish(self) -> None:
        pass


@pytest.fixture(autouse=True)
def keep_every_epoch(monkeypatch):
    monkeypatch.setattr(loop, "_KEEP_EVERY_S", 0.0)
    monkeypatch.setattr(loop, "_DISK_SHARE", 1e9)


class TestResume:
    @pytest.mark.parametrize("settings", [{}, {"optimizer": "sgd"}, {"imbalance": "oversample", "mixup": 0.2}])
    @pytest.mark.parametrize("epoch", [1, 2, 3, 5])
    def test_killed_and_resumed_gives_the_same_bytes(self, bench, tmp_path, epoch, settings):
        whole = bench.fit(epochs=5, **settings)
        with pytest.raises(Killed):
            bench.fit(epochs=5, folder=tmp_path, progress=Killer(epoch), **settings)
        resumed = bench.fit(epochs=5, folder=tmp_path, **settings)
        assert bench.content(resumed) == bench.content(whole)
        assert resumed.history == whole.history

    def test_killed_again_and_again_gives_the_same_bytes(self, bench, tmp_path):
        for _ in range(4):
            with pytest.raises(Killed):
                bench.fit(epochs=6, folder=tmp_path, progress=Killer(1))
        resumed = bench.fit(epochs=6, folder=tmp_path)
        assert bench.content(resumed) == bench.content(bench.fit(epochs=6))

    def test_killed_within_an_epoch_gives_the_same_bytes(self, bench, tmp_path, monkeypatch):
        steps, calls = loop.Stepper.step, []

        def killing(self, *arguments):
            calls.append(1)
            if len(calls) == 7:
                raise Killed
            return steps(self, *arguments)

        monkeypatch.setattr(loop.Stepper, "step", killing)
        with pytest.raises(Killed):
            bench.fit(folder=tmp_path)
        assert bench.content(bench.fit(folder=tmp_path)) == bench.content(bench.fit())

    def test_a_finished_fit_returns_at_once(self, bench, tmp_path, monkeypatch):
        first = bench.fit(folder=tmp_path)
        monkeypatch.setattr(loop.Stepper, "step", None)
        second = bench.fit(folder=tmp_path)
        assert bench.content(first) == bench.content(second)
        assert first.history == second.history

    def test_a_finished_fit_keeps_its_best_weights_and_the_answers_of_all_epochs_only(self, bench, tmp_path):
        bench.fit(folder=tmp_path)
        (path,) = tmp_path.iterdir()
        assert {name.split("/")[0] for name in load_file(path)} == {"best", "tune"}

    def test_another_fit_is_not_resumed(self, bench, tmp_path):
        bench.fit(folder=tmp_path)
        with pytest.raises(BundleError, match="belongs to another"):
            bench.fit(folder=tmp_path, seed=6)

    @pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
    def test_pictures_in_bfloat16_resume_to_the_same_bytes(self, bench, tmp_path, optimizer):
        settings = bench.training(precision="bf16", optimizer=optimizer)

        def run(**keys):
            with torch.random.fork_rng():
                torch.manual_seed(3)
                model = Pictured(bench)
            return fit(model, bench.ready, bench.rows, settings, seed=5, **keys)

        whole = run()
        assert whole.precision.channels_last
        with pytest.raises(Killed):
            run(folder=tmp_path, progress=Killer(2))
        resumed = run(folder=tmp_path)
        assert bench.content(resumed) == bench.content(whole)
        assert all(p.is_contiguous() for p in resumed.model.parameters())


class TestDamage:
    def kill(self, bench, folder: Path) -> list[Path]:
        with pytest.raises(Killed):
            bench.fit(folder=folder, progress=Killer(3))
        return sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)

    @pytest.mark.parametrize("harm", ["truncate", "flip", "empty", "nonsense"])
    @pytest.mark.parametrize("both", [False, True])
    def test_the_state_before_is_used_or_the_fit_begins_anew(self, bench, tmp_path, harm, both):
        older, newer = self.kill(bench, tmp_path)
        for path in (older, newer) if both else (newer,):
            content = bytearray(path.read_bytes())
            content[-40] ^= 0xFF
            changed = {"truncate": content[:-50], "flip": content, "empty": b"", "nonsense": b"\x00" * 400}[harm]
            path.write_bytes(bytes(changed))
        resumed = bench.fit(folder=tmp_path)
        assert bench.content(resumed) == bench.content(bench.fit())
        assert [f.name for f in resumed.findings] == ["damaged_checkpoint"] * (1 + both)
        assert all(f.severity is Severity.NOTE for f in resumed.findings)

    def test_a_file_of_the_wrong_kind_is_damaged(self, bench, tmp_path):
        _, newer = self.kill(bench, tmp_path)
        newer.write_bytes(checkpoint.save({"a": torch.zeros(2)}))
        assert bench.content(bench.fit(folder=tmp_path)) == bench.content(bench.fit())


class TestDisk:
    def test_a_full_disk_is_named_and_leaves_nothing_half_written(self, bench, tmp_path, monkeypatch):
        def full(descriptor):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(BundleError, match="the disk is full"):
            bench.fit(folder=tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_a_full_disk_keeps_the_state_before(self, bench, tmp_path, monkeypatch):
        fsync, calls = os.fsync, []

        def full_later(descriptor):
            calls.append(1)
            if len(calls) > 4:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", full_later)
        with pytest.raises(BundleError):
            bench.fit(folder=tmp_path)
        monkeypatch.undo()
        assert not list(tmp_path.glob("*.part"))
        assert bench.content(bench.fit(folder=tmp_path)) == bench.content(bench.fit())

    def test_a_folder_that_cannot_be_written_is_named(self, bench, tmp_path):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(BundleError, match="a file, not a folder"):
            bench.fit(folder=tmp_path / "file" / "fit")


def test_numbers_that_are_none_survive_the_disk(tmp_path):
    epoch = Epoch(train_loss=0.1 + 0.2, tune_loss=float("nan"), learning_rate=1e-300, planned=2)
    record = FitProgress(identity="x", planned=2, best=1, averaged=3, spent_s=1.5, ended="", history=(epoch,))
    Store(tmp_path).save(Checkpoint(record, {"a": torch.ones(2, 0)}))
    read, findings = Store(tmp_path).load("x")
    assert findings == []
    assert read is not None
    assert read.record.history[0].train_loss == 0.1 + 0.2
    assert np.isnan(read.record.history[0].tune_loss)
    assert read.record.history[0].learning_rate == 1e-300
