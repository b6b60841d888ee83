"""Bad input through the command line: exit 2, clear words, nothing left behind, and no patient's value in a message."""

import errno
import gzip
import json
import os
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import tomli_w
from PIL import Image

import polyclinic
from polyclinic import errors

PATIENTS = 40
SECRETS = ("Geheimrat", "Kryptonit", "Vibranium", "73519", "portrait")
"""Parts of the cells of the tables below: none may ever stand in a message."""

STUDY: dict[str, Any] = {
    "study": {"name": "bad"},
    "cohort": {"table": "cohort.csv", "patient": "patient_id"},
    "inputs": {"labs": {"kind": "tabular", "columns": ["marker", "alloy"]}},
    "targets": {"sick": {"kind": "classify", "column": "sick", "positive": "yes"}},
    "model": {"size": "tiny"},
    "training": {"epochs": 1},
    "evidence": {"resamples": 20, "baselines": False},
}


@dataclass
class Desk:
    """A folder with a table and a study that are right, until somebody spoils them."""

    folder: Path
    table: dict[str, list[Any]]
    study: dict[str, Any]
    text: bytes | None = None
    name: str = "cohort.csv"

    def put(self) -> Path:
        """Write both; the path of the study file."""
        self.study["cohort"]["table"] = self.name
        content = pl.DataFrame(self.table, strict=False).write_csv().encode() if self.text is None else self.text
        (self.folder / self.name).write_bytes(content)
        path = self.folder / "study.toml"
        path.write_text(tomli_w.dumps(self.study), encoding="utf-8")
        return path

    def csv(self) -> str:
        return pl.DataFrame(self.table, strict=False).write_csv()

    def survival(self) -> None:
        rng = np.random.default_rng(5)
        self.table["time"] = rng.exponential(200, PATIENTS).round(1).tolist()
        self.table["died"] = [0, 1] * (PATIENTS // 2)
        self.study["targets"] = {"death": {"kind": "survive", "event": "died", "time": "time"}}

    def images(self) -> None:
        rng = np.random.default_rng(6)
        (self.folder / "films").mkdir()
        self.table["film"] = [f"films/portrait-{i}.png" for i in range(PATIENTS)]
        for path in self.table["film"]:
            Image.fromarray(rng.integers(0, 255, (16, 16), dtype=np.uint8)).save(self.folder / path)
        self.study["inputs"] = {"film": {"kind": "image", "column": "film"}}


@pytest.fixture
def desk(tmp_path) -> Desk:
    rng = np.random.default_rng(4)
    table = {
        "patient_id": [f"Geheimrat-{i:03d}" for i in range(PATIENTS)],
        "marker": [f"73519.{number}" for number in rng.integers(100, 999, PATIENTS)],
        "alloy": rng.choice(["Kryptonit", "Vibranium"], PATIENTS).tolist(),
        "sick": ["yes", "no"] * (PATIENTS // 2),
    }
    (tmp_path / "desk").mkdir()
    return Desk(tmp_path / "desk", table, json.loads(json.dumps(STUDY)))


def empty_file(desk):
    desk.text = b""


def header_only(desk):
    desk.text = desk.csv().split("\n")[0].encode()


def three_rows(desk):
    desk.table = {name: cells[:3] for name, cells in desk.table.items()}


def three_rows_with_a_number_to_predict(desk):
    three_rows(desk)
    desk.study["inputs"]["labs"]["columns"] = ["alloy"]
    desk.study["targets"] = {"level": {"kind": "regress", "column": "marker"}}


def ragged(desk):
    desk.text = desk.csv().replace("yes\n", "yes,Kryptonit\n", 1).encode()


def duplicate_header(desk):
    desk.text = desk.csv().replace("alloy", "marker", 1).encode()


def no_patient_in_a_row(desk):
    desk.table["patient_id"][6] = None


def no_such_column(desk):
    desk.study["targets"]["sick"]["column"] = "sik"


def outcome_as_input(desk):
    desk.study["inputs"]["labs"]["columns"] = ["marker", "sick"]


def no_outcome(desk):
    desk.table["sick"] = [None] * PATIENTS


def one_class(desk):
    desk.table["sick"] = ["yes"] * PATIENTS


def class_of_one(desk):
    desk.table["sick"][4] = "Kryptonitic"
    del desk.study["targets"]["sick"]["positive"]


def unknown_positive(desk):
    desk.study["targets"]["sick"]["positive"] = "yess"


def empty_column(desk):
    desk.table["marker"] = [None] * PATIENTS


def text_among_numbers(desk):
    desk.table["marker"][3] = "Kryptonit"


def text_in_a_number_outcome(desk):
    desk.table["score"] = [f"73519.{i}" for i in range(PATIENTS)]
    desk.table["score"][11] = "Vibranium"
    desk.study["targets"] = {"score": {"kind": "regress", "column": "score"}}


def patient_on_two_sides(desk):
    desk.table["part"] = ["train"] * 20 + ["tune"] * 10 + ["test"] * 10
    desk.table["patient_id"][39] = desk.table["patient_id"][0]
    desk.study["split"] = {"column": "part"}


def record_on_two_sides(desk):
    desk.table["part"] = ["train"] * 20 + ["tune"] * 10 + ["test"] * 10
    desk.table |= {f"more_{k}": [round(73519 + np.sin(i * 7 + k), 4) for i in range(PATIENTS)] for k in range(6)}
    for name in ("marker", "alloy", "sick", *(f"more_{k}" for k in range(6))):
        desk.table[name][39] = desk.table[name][0]
    desk.study["inputs"]["labs"] = {"kind": "tabular", "columns": "rest"}
    desk.study["split"] = {"column": "part"}


def odd_part(desk):
    desk.table["part"] = ["train"] * 20 + ["Vibranium"] * 20
    desk.study["split"] = {"column": "part"}


def outcome_in_disguise(desk):
    desk.table = {name: cells * 4 for name, cells in desk.table.items()}
    desk.table["patient_id"] = [f"Geheimrat-{i:03d}" for i in range(4 * PATIENTS)]
    desk.table["discharge"] = ["Kryptonit" if sick == "yes" else "Vibranium" for sick in desk.table["sick"]]
    desk.study["inputs"]["labs"]["columns"] = ["marker", "alloy", "discharge"]


def negative_time(desk):
    desk.survival()
    desk.table["time"][8] = -73519.0


def zero_time(desk):
    desk.survival()
    desk.table["time"][8] = 0


def odd_event(desk):
    desk.survival()
    desk.table["died"][8] = 73519


def no_events(desk):
    desk.survival()
    desk.table["died"] = [0] * PATIENTS


def chinese(desk):
    desk.table["alloy"] = ["良性", "恶性"] * (PATIENTS // 2)
    desk.text = desk.csv().encode("gb18030")


def latin(desk):
    desk.table["alloy"] = ["Kryptonit", "Männlich"] * (PATIENTS // 2)
    desk.text = desk.csv().encode("latin-1")


def bomb_of_zeros(desk):
    desk.name = "cohort.csv.gz"
    desk.text = gzip.compress(b"patient_id,marker\n" + b"0" * 300_000_000, compresslevel=1)


def image_absent(desk):
    desk.images()
    (desk.folder / "films" / "portrait-7.png").unlink()


def image_empty(desk):
    desk.images()
    (desk.folder / "films" / "portrait-7.png").write_bytes(b"")


def image_truncated(desk):
    desk.images()
    path = desk.folder / "films" / "portrait-7.png"
    path.write_bytes(path.read_bytes()[:90])


def image_of_words(desk):
    desk.images()
    (desk.folder / "films" / "portrait-7.png").write_bytes(b"Kryptonit " * 30)


def image_bomb(desk):
    desk.images()

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 60_001 * 100)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    (desk.folder / "films" / "portrait-7.png").write_bytes(png)


def unknown_key(desk):
    desk.study["training"]["epoch"] = 3


def misspelt_input(desk):
    desk.study["inputs"]["labs"]["kind"] = "tabula"


def misspelt_target(desk):
    desk.study["targets"]["sick"]["kind"] = "clasify"


def misspelt_section(desk):
    desk.study["trainning"] = {"epochs": 3}


def number_as_text(desk):
    desk.study["training"]["epochs"] = "3"


def time_without_date(desk):
    desk.study["split"] = {"by": "time"}


def mixup_where_it_is_unsafe(desk):
    desk.survival()
    desk.study["training"]["mixup"] = 0.2


def no_weights_to_start_from(desk):
    desk.study["model"]["start_from"] = "runs/none"


def damaged_weights_to_start_from(desk):
    (desk.folder / "old.safetensors").write_bytes(b"Kryptonit")
    desk.study["model"]["start_from"] = str(desk.folder / "old.safetensors")


CASES: list[tuple[Callable[[Desk], None], tuple[str, ...]]] = [
    (empty_file, ("cohort.csv", "the file is empty", "Give the right file")),
    (header_only, ("cohort.csv", "a header and nothing else", "Give the right file")),
    (three_rows, ('column "sick"', "every class needs several patients", "(row 2)")),
    (three_rows_with_a_number_to_predict, ("[split]", "at least 10 patients", "there are 3", "find more patients")),
    (ragged, ("cohort.csv", "4 cells", "(row 1)", "separator")),
    (duplicate_header, ("cohort.csv", "marker", "(columns 2, 3)", "Rename")),
    (no_patient_in_a_row, ('column "patient_id"', "(row 7)", "Fill them in")),
    (no_such_column, ("[targets.sick]", 'no column in cohort.csv "sik"', 'Did you mean "sick"?')),
    (outcome_as_input, ("[inputs.labs]", "must not be the outcome", "Leave it out")),
    (no_outcome, ('column "sick"', "all 40 cells are empty", "Name another column")),
    (one_class, ('column "sick"', "class")),
    (class_of_one, ('column "sick"', "one row only (row 5)", "join the class to another")),
    (unknown_positive, ("[targets.sick]", "positive", 'Did you mean "yes"?')),
    (empty_column, ('column "marker"', "every cell is missing", "Leave it out")),
    (text_among_numbers, ('column "marker"', "must hold nothing but numbers", "(row 4)", "missing_values")),
    (text_in_a_number_outcome, ('column "score"', "(row 12)")),
    (patient_on_two_sides, ("refused: ", "1 patient", "(rows 1, 40)", "one side")),
    (record_on_two_sides, ("refused: ", "1 record", "(rows 1, 40)", "accept duplicate_records")),
    (odd_part, ('column "part"', "train, tune or test", "in 20 rows")),
    (outcome_in_disguise, ("refused: ", 'outcome "sick"', "discharge", "accept target_in_disguise")),
    (negative_time, ('column "time"', "above 0", "(row 9)")),
    (zero_time, ('column "time"', "above 0", "(row 9)")),
    (odd_event, ('column "died"', "(row 9)")),
    (no_events, ('column "died"', "event")),
    (chinese, ("cohort.csv", "line 2", 'encoding = "gb18030"')),
    (latin, ("cohort.csv", "is not", 'encoding = "windows-1252"')),
    (bomb_of_zeros, ("cohort.csv.gz", "bomb")),
    (image_absent, ('column "film"', "(row 8)", "no such file")),
    (image_empty, ('column "film"', "(row 8)", "the file is empty", "Export it again")),
    (image_truncated, ('column "film"', "(row 8)", "could not be decoded", "Copy or export it again")),
    (image_of_words, ('column "film"', "(row 8)", "none of these", "Convert it")),
    (image_bomb, ('column "film"', "(row 8)", "too many pixels", "Do not trust this file")),
    (unknown_key, ("[training]", 'no key "epoch"', 'Did you mean "epochs"?')),
    (misspelt_input, ("[inputs.labs] kind", 'no input kind "tabula"', 'Did you mean "tabular"?')),
    (misspelt_target, ("[targets.sick] kind", 'no target kind "clasify"', 'Did you mean "classify"?')),
    (misspelt_section, ("study.toml", 'no section "trainning"', 'Did you mean "training"?')),
    (number_as_text, ("[training] epochs", 'got "3"')),
    (time_without_date, ("[split]", "date", "[cohort]")),
    (mixup_where_it_is_unsafe, ("[training] mixup",)),
    (damaged_weights_to_start_from, ("[model] start_from", "it is damaged", "Copy it again")),
    (no_weights_to_start_from, ("[model] start_from", "no such file", "Check the path")),
]


_MEEKLY = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
if os.geteuid() == 0:
    assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-m", "polyclinic", *sys.argv[1:]])
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("spoil", "words"), CASES, ids=[spoil.__name__ for spoil, _ in CASES])
class TestRefused:
    def test_run(self, ask, desk, spoil, words):
        spoil(desk)
        study = desk.put()
        before = contents(desk.folder)
        said = ask("run", study, "--out", desk.folder / "run")
        assert said.status == 2
        assert said.out == ""
        assert [word for word in words if word not in said.err] == [], said.err
        assert [secret for secret in SECRETS if secret in said.err] == []
        assert all(line.startswith(("error: ", "refused: ", "warning: ")) for line in said.err.splitlines()), said.err
        assert not (desk.folder / "run").exists()
        assert contents(desk.folder) == before

    def test_check_says_the_same(self, ask, desk, spoil, words):
        spoil(desk)
        said = ask("check", desk.put())
        assert said.status == 2
        assert [word for word in words if word not in said.err] == [], said.err
        assert [secret for secret in SECRETS if secret in said.err + said.out] == []
        assert "Nothing stands in the way" not in said.out


class TestSeveralAtOnce:
    def test_every_error_of_the_study_file_comes_in_one_pass(self, ask, desk):
        unknown_key(desk)
        misspelt_input(desk)
        misspelt_target(desk)
        number_as_text(desk)
        said = ask("run", desk.put(), "--out", desk.folder / "run")
        assert said.status == 2
        assert len(said.err.splitlines()) == 4

    def test_every_unreadable_image_comes_in_one_pass(self, ask, desk):
        image_empty(desk)
        (desk.folder / "films" / "portrait-9.png").unlink()
        said = ask("run", desk.put(), "--out", desk.folder / "run")
        assert said.status == 2
        assert "row 8" in said.err
        assert "row 10" in said.err

    def test_python_gets_the_same_findings(self, desk):
        patient_on_two_sides(desk)
        with pytest.raises(errors.LeakError) as refused:
            polyclinic.run(desk.put(), desk.folder / "run")
        [finding] = refused.value.findings
        assert finding.name == "patient_on_two_sides"
        assert finding.rows == (1, 40)


class TestWhatIsNotBad:
    def run(self, ask, desk):
        said = ask("run", desk.put(), "--out", desk.folder / "run")
        assert said.status == 0, said.err
        assert [secret for secret in SECRETS if secret in said.err] == []
        return said

    def test_an_outcome_missing_for_some_rows_is_counted(self, ask, desk):
        desk.table["sick"][2] = desk.table["sick"][3] = None
        self.run(ask, desk)
        flow = json.loads((desk.folder / "run" / "cohort.json").read_bytes())["flow"]
        assert [step["rows"] for step in flow] == [PATIENTS, PATIENTS - 2]

    def test_a_gb18030_table_that_says_so(self, ask, desk):
        chinese(desk)
        desk.study["cohort"]["encoding"] = "gb18030"
        self.run(ask, desk)

    def test_images_of_different_sizes_and_depths(self, ask, desk):
        desk.images()
        rng = np.random.default_rng(8)
        for number, path in enumerate(desk.table["film"]):
            height, width = (int(side) for side in rng.integers(12, 40, 2))
            depth = [np.uint8, np.uint16][number % 2]
            shape = (height, width) if number % 2 or number % 3 else (height, width, 3)
            pixels = rng.integers(0, np.iinfo(depth).max, shape).astype(depth)
            Image.fromarray(pixels).save(desk.folder / path)
        desk.study["accept"] = {"file_property_gives_label_away": "made so for the test"}
        self.run(ask, desk)

    def test_a_refused_finding_that_is_accepted_stands_on_the_card(self, ask, desk):
        record_on_two_sides(desk)
        desk.study["accept"] = {"duplicate_records": "a published split, kept as it is"}
        self.run(ask, desk)
        assert "a published split, kept as it is" in (desk.folder / "run" / "card.md").read_text(encoding="utf-8")

    def test_accepting_what_was_not_found_is_told(self, ask, desk):
        desk.study["accept"] = {"duplicate_record": "a slip of the hand"}
        said = self.run(ask, desk)
        assert "warning: [accept] duplicate_record: an accepted finding should be found" in said.err

    def test_words_that_mean_not_known_are_no_text_among_numbers(self, ask, desk):
        desk.table["marker"][3] = "Kryptonit"
        desk.study["cohort"]["missing_values"] = ["Kryptonit"]
        self.run(ask, desk)

    def test_a_study_that_was_corrected_runs_in_the_same_folder(self, ask, desk):
        mixup_where_it_is_unsafe(desk)
        assert ask("run", desk.put(), "--out", desk.folder / "run").status == 2
        del desk.study["training"]["mixup"]
        self.run(ask, desk)


class TestTheDisk:
    @pytest.mark.parametrize("moment", [0, 1, 2, 6])
    def test_a_full_disk(self, ask, desk, monkeypatch, moment):
        """The disk fills up after some files; nothing shows, and with space the run goes on."""
        study = desk.put()
        sync, written = os.fsync, []

        def fill(descriptor: int) -> None:
            written.append(descriptor)
            if len(written) > moment:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            sync(descriptor)

        with monkeypatch.context() as full:
            full.setattr(os, "fsync", fill)
            said = ask("run", study, "--out", desk.folder / "run")
        assert said.status == 2
        assert "the disk is full" in said.err
        assert "Free some space" in said.err or "Make room" in said.err
        visible = [p.name for p in (desk.folder / "run").glob("*")] if (desk.folder / "run").exists() else []
        assert [name for name in visible if not name.startswith(".")] == []
        said = ask("run", study, "--out", desk.folder / "run", "--resume")
        assert said.status == 0, said.err

    @pytest.mark.slow
    def test_no_permission(self, desk, tmp_path):
        """In a process of its own that gives up the right of root to write everywhere, should it have it."""
        study = desk.put()
        shut = tmp_path / "shut"
        shut.mkdir(mode=0o500)
        said = subprocess.run(
            [sys.executable, "-c", _MEEKLY, "run", str(study), "--out", str(shut / "run")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 2, said.stderr
        assert "no permission to write there" in said.stderr
        assert "--out" in said.stderr
        assert list(shut.iterdir()) == []

    def test_a_file_where_the_folder_should_be(self, ask, desk):
        (desk.folder / "run").write_text("mine", encoding="utf-8")
        said = ask("run", desk.put(), "--out", desk.folder / "run")
        assert said.status == 2
        assert (desk.folder / "run").read_text(encoding="utf-8") == "mine"

    def test_a_folder_with_other_files(self, ask, desk):
        (desk.folder / "run").mkdir()
        (desk.folder / "run" / "thesis.txt").write_text("mine", encoding="utf-8")
        said = ask("run", desk.put(), "--out", desk.folder / "run")
        assert said.status == 2
        assert "it holds other files" in said.err
        assert [path.name for path in (desk.folder / "run").iterdir()] == ["thesis.txt"]


class TestBundles:
    @pytest.fixture
    def bundle(self, finished, tmp_path) -> Path:
        return Path(shutil.copytree(finished.folder, tmp_path / "bundle"))

    def asked(self, ask, finished, bundle, tmp_path):
        table = finished.folder.parent / "cohort.csv"
        yield ask("judge", bundle)
        yield ask("predict", bundle, table, "--out", tmp_path / "answers.csv")
        yield ask("compare", finished.folder, bundle)

    def refused(self, ask, finished, bundle, tmp_path, *words):
        for said in self.asked(ask, finished, bundle, tmp_path):
            assert said.status == 2
            assert [word for word in words if word not in said.err] == [], said.err
            assert not (tmp_path / "answers.csv").exists()

    @pytest.mark.parametrize(("number", "word"), [(0, "older format 0"), (99, "newer format 99")])
    def test_of_another_format(self, ask, finished, bundle, tmp_path, number, word):
        manifest = json.loads((bundle / "bundle.json").read_bytes())
        (bundle / "bundle.json").write_text(json.dumps({**manifest, "format": number}), encoding="utf-8")
        self.refused(ask, finished, bundle, tmp_path, word, "bundle.json")

    @pytest.mark.parametrize("name", ["predictions.parquet", "model/0-0-0/weights.safetensors", "study.toml"])
    def test_with_a_damaged_file(self, ask, finished, bundle, tmp_path, name):
        content = bytearray((bundle / name).read_bytes())
        content[len(content) // 2] ^= 1
        (bundle / name).write_bytes(bytes(content))
        self.refused(ask, finished, bundle, tmp_path, name, "damaged or was changed", "Copy the bundle again")

    def test_with_a_file_missing(self, ask, finished, bundle, tmp_path):
        (bundle / "model" / "0-0-0" / "plan.json").unlink()
        self.refused(ask, finished, bundle, tmp_path, "plan.json", "the file is missing")

    def test_with_a_list_that_is_none(self, ask, finished, bundle, tmp_path):
        (bundle / "bundle.json").write_bytes(b"{")
        self.refused(ask, finished, bundle, tmp_path, "bundle.json", "damaged")

    def test_unfinished(self, ask, finished, tmp_path):
        (tmp_path / "bundle" / ".work").mkdir(parents=True)
        self.refused(ask, finished, tmp_path / "bundle", tmp_path, "not finished", "--resume")
