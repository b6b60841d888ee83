"""The wiring leaks nothing: with other test patients a study ends with the same model, to the byte.

A study is run twice. For the second run everything that is known of some rows is taken from other, made-up patients and
changed beyond recognition: numbers, words, texts, pictures, scans, and the outcomes. The split is given, so that these
rows keep their part. Whatever test rows decide shows as another byte of ``model/`` or as another answer for a tune row.
"""

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

import polyclinic
from polyclinic.study import catalogue
from polyclinic.workflow import Done

WHO = ("patient_id", "hospital", "sex", "part")
ROWS = 36
TEST, TUNE = range(0, ROWS, 4), range(1, ROWS, 4)
MOST_WORDS = 12
QUICK = {
    "training": {"epochs": 1},
    "model": {"size": "tiny"},
    "evidence": {"resamples": 0, "baselines": False},
    "split": {"column": "part"},
    "accept": {
        "file_property_gives_label_away": "files are made up",
        "target_in_disguise": "few patients, and the signal is strong",
    },
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYCLINIC_CACHE", str(tmp_path / "cache"))


class Ward:
    """One study, and the same one with some of its patients poisoned."""

    def __init__(
        self, folder: Path, inputs: dict[str, str], targets: dict[str, str], *, tune: str = "tune", **settings: dict
    ) -> None:
        sections = {name: {**QUICK.get(name, {}), **settings.get(name, {})} for name in {**QUICK, **settings}}
        if "folds" in sections["split"]:
            del sections["split"]["column"]
        # Folds are balanced by the first outcome, which therefore stays as it is.
        spared = next(iter(targets)) if "folds" in sections["split"] else ""
        made = polyclinic.example_cohort(folder, inputs, targets, patients=ROWS, settings=sections)
        other = polyclinic.example_cohort(folder / "other", inputs, targets, patients=ROWS, seed=2)
        self.folder, self.study = folder, made.study
        self.whole = not any(hasattr(catalogue.find("heads", kind), "grounds") for kind in targets.values())
        part = ["test" if row in TEST else tune if row in TUNE else "train" for row in range(ROWS)]
        self.table = pl.read_csv(made.table).with_columns(part=pl.Series(part))
        asked = self.study.read_text(encoding="utf-8").split("[targets.", 1)[1]
        self.outcomes = {name for name in self.table.columns if f'"{name}"' in asked}
        self.spared = (*WHO, *(name for name in self.table.columns if spared and name == spared))
        self.other = self._foreign(pl.read_csv(other.table))

    def run(self, poisoned: Iterable[int] = ()) -> Done:
        """Run with these rows poisoned."""
        chosen = pl.Series([row in set(poisoned) for row in range(ROWS)])
        changed = [
            pl.when(chosen).then(self.other[name]).otherwise(pl.col(name)).alias(name)
            for name in self.table.columns
            if name not in self.spared
        ]
        self.table.with_columns(changed).write_csv(self.folder / "cohort.csv")
        out = self.folder / "run"
        shutil.rmtree(out, ignore_errors=True)
        return polyclinic.run(self.study, out)

    def _foreign(self, table: pl.DataFrame) -> pl.DataFrame:
        """Other patients, of whom nothing looks like those of the study."""
        return table.with_columns(self._unlike(table[name]) for name in table.columns if name not in WHO)

    def _unlike(self, column: pl.Series) -> pl.Series:
        if column.dtype.is_numeric():
            two = set(column.drop_nulls().unique().to_list()) <= {0, 1}
            return 1 - column if two else column * 1000 + 5
        few = column.n_unique() <= MOST_WORDS
        if column.name in self.outcomes:
            words = sorted(column.drop_nulls().unique().to_list())
            return column.replace(dict(zip(words, words[1:] + words[:1], strict=True))) if few else self._files(column)
        if re.search("[a-z]{3} [a-z]{3}", str(column[0])):
            return column + " Quagga zyzzyva 98765."
        return pl.Series(column.name, ["unheard of"] * len(column)) if few else self._files(column)

    def _files(self, column: pl.Series) -> pl.Series:
        """Paths lead into the folder of the others; the records that lie there are changed once more."""
        cells = column.to_list()
        for cell in cells:
            if column.name not in self.outcomes and cell is not None:
                _ruin(self.folder / "other" / cell, resize=self.whole)
        there = [cell is not None and (self.folder / "other" / cell).exists() for cell in cells]
        return pl.Series(
            column.name, [f"other/{cell}" if is_file else cell for cell, is_file in zip(cells, there, strict=True)]
        )


def _ruin(path: Path, resize: bool) -> None:
    """A picture as its negative, a scan with other values; twice as large where no truth has to fit it."""
    if path.suffix == ".png":
        picture = Image.open(path)
        negative = Image.fromarray(255 - np.asarray(picture))
        negative.resize((2 * picture.width, 2 * picture.height) if resize else picture.size).save(path)
    if path.name.endswith(".nii.gz"):
        nibabel = pytest.importorskip("nibabel")
        scan = nibabel.load(path)
        values = np.asarray(scan.dataobj) * 3 + 500
        nibabel.save(nibabel.Nifti1Image(values.astype(np.int16), scan.affine * (2 if resize else 1)), path)


def model(done: Done) -> dict[str, bytes]:
    """Every file of the model by its path."""
    folder = done.folder / "model"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def said(done: Done, file: str, part: str = "tune") -> pl.DataFrame:
    """What was answered for the rows of one part."""
    return pl.read_parquet(done.folder / file).filter(pl.col("part") == part)


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """Which files differ, and of a plan which of its entries."""
    assert one.keys() == other.keys()
    found = []
    for name in one:
        if one[name] != other[name]:
            found += [f"{name} {key}" for key in _entries(one[name], other[name])] if name.endswith("json") else [name]
    return found


def _entries(one: bytes, other: bytes) -> list[str]:
    first, second = _flat(json.loads(one)), _flat(json.loads(other))
    return sorted(key for key in first.keys() | second.keys() if first.get(key) != second.get(key))


def _flat(value: object, path: str = "") -> dict[str, object]:
    if not isinstance(value, dict):
        return {path: value}
    return {
        key: leaf for name, inner in value.items() for key, leaf in _flat(inner, f"{path}.{name}".strip(".")).items()
    }


def rows_of_fold(done: Done, fold: int) -> list[int]:
    """The rows that a fold tests, from 0."""
    rows = said(done, "predictions.parquet", "test").filter(pl.col("fold") == fold)["row"]
    return sorted(set((rows - 1).to_list()))


def unmoved(ward: Ward, poisoned: Iterable[int] = TEST) -> None:
    """Run the study twice and hold the models, and what is said about tune rows, against each other."""
    before = ward.run()
    kept, tune, test = model(before), answers(before, "tune"), answers(before, "test")
    after = ward.run(poisoned)
    assert differing(kept, model(after)) == []
    for file, frame in answers(after, "tune").items():
        assert frame.equals(tune[file]), f"{file}: other test rows, other answers for tune rows"
    changed = [file for file, frame in answers(after, "test").items() if not frame.equals(test[file])]
    assert changed == list(test), "the poison did not reach the test rows"


def answers(done: Done, part: str) -> dict[str, pl.DataFrame]:
    """What the model, and the plain models if there are any, said about the rows of one part."""
    there = [file for file in ("predictions.parquet", "baselines.parquet") if (done.folder / file).exists()]
    return {file: said(done, file, part) for file in there}


def first_question(question: str) -> tuple[dict[str, str], dict[str, str]]:
    """The first input on which a question can be asked, and the question."""
    head = catalogue.find("heads", question)
    grounds = getattr(head, "grounds", None)
    kinds = {word: catalogue.find("inputs", word) for word in catalogue.names("inputs")}
    words = [word for word, kind in kinds.items() if grounds is None or getattr(kind, "ground", None) in grounds]
    chosen = "tabular" if grounds is None else words[0]
    return {"seen": chosen}, {"asked": question}


def test_of_tables_neither_test_nor_tune_rows_teach_anything(tmp_path):
    ward = Ward(tmp_path, {"labs": "tabular"}, {"sick": "classify", "level": "regress", "death": "survive"})
    before = ward.run()
    kept, tune, test = model(before), answers(before, "tune"), answers(before, "test")
    after = ward.run(TEST)
    assert differing(kept, model(after)) == []
    assert answers(after, "tune")["predictions.parquet"].equals(tune["predictions.parquet"])
    assert not answers(after, "test")["predictions.parquet"].equals(test["predictions.parquet"])
    # After one epoch there is nothing to stop early: tune rows correct answers, and scale the shift, and that is all.
    may = r"0-0-0/plan.json (record.history|shift.scale|heads.\w+.plan.(drift.*|corrections?.*))"
    changed = differing(kept, model(ward.run(TUNE)))
    assert [one for one in changed if not re.fullmatch(may, one)] == []
    assert "0-0-0/plan.json record.history" in changed, "the poison did not reach the tune rows"


def test_of_pictures_and_texts_neither_do(tmp_path):
    inputs = {"film": "image", "note": "text"}
    ward = Ward(tmp_path, inputs, {"names": "tag", "sick": "classify"})
    before = ward.run()
    kept, tune = model(before), answers(before, "tune")["predictions.parquet"]
    after = ward.run(TEST)
    assert differing(kept, model(after)) == []
    assert answers(after, "tune")["predictions.parquet"].equals(tune)
    changed = differing(kept, model(ward.run(TUNE)))
    assert [one for one in changed if "weights" in one or "inputs" in one] == []
    assert "0-0-0/plan.json record.history" in changed


def test_no_fold_learns_from_the_rows_that_it_tests(tmp_path):
    """Two folds with two members each: the models of one stay what they are when its test rows are others."""
    settings = {"split": {"folds": 2}, "model": {"ensemble": 2}}
    targets = {"arm": "classify", "sick": "classify", "level": "regress"}
    ward = Ward(tmp_path, {"labs": "tabular"}, targets, **settings)
    before = ward.run()
    kept, tune = model(before), answers(before, "tune")
    rows = [rows_of_fold(before, fold) for fold in range(2)]
    assert sorted(rows[0] + rows[1]) == list(range(ROWS))
    for fold in range(2):
        after = ward.run(rows[fold])
        moved = {one.split("/")[0] for one in differing(kept, model(after))}
        assert moved == {f"0-{1 - fold}-{member}" for member in range(2)}
        for file, frame in answers(after, "tune").items():
            own = pl.col("fold") == fold
            assert frame.filter(own).equals(tune[file].filter(own)), f"{file}, fold {fold}"
            assert not frame.filter(~own).equals(tune[file].filter(~own)), f"{file}, fold {1 - fold}"


def test_plain_models_learn_nothing_from_test_rows_and_linear_ones_nothing_from_tune_rows(tmp_path):
    """With so few tune rows they do not even choose the penalty; without calibration nothing is left to them."""
    settings = {"training": {"calibration": "none"}, "evidence": {"baselines": True}}
    ward = Ward(tmp_path, {"labs": "tabular"}, {"sick": "classify", "level": "regress"}, **settings)
    linear = pl.col("model") != "gradient boosting"
    before = ward.run()
    tune = answers(before, "tune")["baselines.parquet"]
    kept = answers(before, "test")["baselines.parquet"].filter(linear)
    assert kept.height == 2 * len(TEST)
    assert answers(ward.run(TEST), "tune")["baselines.parquet"].equals(tune)
    assert answers(ward.run(TUNE), "test")["baselines.parquet"].filter(linear).equals(kept)


@pytest.mark.slow
@pytest.mark.parametrize("cross_fit", [0, 3])
@pytest.mark.parametrize("question", ["classify", "regress", "survive"])
def test_whom_a_given_test_leaves_is_divided_without_it(tmp_path, question, cross_fit):
    """Only train and test are given: tune rows and parts are drawn, balanced by outcomes of those who are left."""
    training = {"epochs": 2, "cross_fit": cross_fit}
    unmoved(Ward(tmp_path, {"labs": "tabular"}, {"asked": question}, tune="train", training=training))


def test_training_rows_do_teach(tmp_path):
    """The comparison can fail: one other training row, and constants and weights are others."""
    ward = Ward(tmp_path, {"labs": "tabular"}, {"sick": "classify"})
    kept = model(ward.run())
    changed = differing(kept, model(ward.run([2])))
    assert "0-0-0/weights.safetensors" in changed
    assert any(one.startswith("0-0-0/plan.json inputs.labs") for one in changed)


@pytest.mark.slow
@pytest.mark.parametrize("word", catalogue.names("inputs"))
def test_every_input(tmp_path, word):
    unmoved(Ward(tmp_path, {"seen": word}, {"asked": "classify"}, evidence={"baselines": True}))


@pytest.mark.slow
@pytest.mark.parametrize("question", catalogue.names("heads"))
def test_every_question(tmp_path, question):
    unmoved(Ward(tmp_path, *first_question(question), evidence={"baselines": True}))


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"training": {"search": 2, "epochs": 2}, "model": {"ensemble": 2}},
        {"training": {"imbalance": "weight"}},
        {"training": {"imbalance": "oversample"}},
        {"training": {"imbalance": "undersample"}},
        {"training": {"calibration": "none"}},
        {"training": {"calibration": "temperature"}},
        {"training": {"calibration": "isotonic"}},
        {"training": {"mixup": 0.2, "label_smoothing": 0.1, "epochs": 6, "patience": 1}},
    ],
    ids=str,
)
def test_every_way_of_training(tmp_path, settings):
    targets = {"sick": "classify", "signs": "multilabel"}
    unmoved(Ward(tmp_path, {"labs": "tabular"}, targets, **settings))
