"""Write the bundles of this folder with the version that is installed: `python tests/golden/make.py <folder>`.

A format that must be read for years is proved by files that an earlier version wrote; these are never written anew to
please a test: a new format gets another archive beside them. The weights keep two bits of their mantissa only, and of
the reports there is a line, by which the archive is a fifth as large; everything else is as that version left it.

Those of November 2026 are of version 0.1.0 before its rooms were moved.
"""

import hashlib
import json
import os
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

import polyclinic
from polyclinic import example_cohort

KEPT_BITS = np.uint32(0xFFE00000)
"""Sign, exponent and two bits of the mantissa."""
SHORT: dict[str, Any] = {
    "training": {"epochs": 12},
    "evidence": {"resamples": 10, "confidence": 0.6},  # three tune rows are enough for a promise of 60 %
    "model": {"size": "tiny"},
}
EVERY_FORM = {
    "sick": "classify",
    "signs": "multilabel",
    "level": "regress",
    "death": "survive",
    "area": "segment",
    "spots": "detect",
    "nuclei": "cells",
    "names": "tag",
    "links": "relate",
}


def main(folder: Path) -> None:
    """Run the studies, make their weights small, and pack all of it with what they answer."""
    os.environ["POLYCLINIC_CACHE"] = str(folder / "cache")
    seen = {"labs": "tabular", "film": "image", "note": "text"}
    whole = example_cohort(folder / "whole", seen, EVERY_FORM, patients=24, settings=SHORT)
    for kind in seen.values():
        _amend(whole.study, f'kind = "{kind}"\n', f'kind = "{kind}"\nmissing = "allow"\n')
    _amend(whole.study, 'kind = "text"\n', 'kind = "text"\nvocabulary = 200\n')
    folds = {**SHORT, "split": {"folds": 2}, "model": {"size": "tiny", "ensemble": 2}}
    asked = {"sick": "classify", "death": "survive"}
    example_cohort(folder / "folds", {"labs": "tabular"}, asked, patients=40, settings=folds)
    longer = {
        **folds,
        "training": {"epochs": 5},
        "model": {"size": "tiny"},
        "evidence": {**SHORT["evidence"], "baselines": False},
    }
    example_cohort(folder / "again", {"labs": "tabular"}, asked, patients=40, settings=longer)
    for name in ("whole", "folds", "again"):
        done = polyclinic.run(folder / name / "study.toml", folder / name / "run")
        _round(done.folder)
        polyclinic.predict(done.folder, folder / name / "cohort.csv", folder / name / "answers.csv")
    compared = polyclinic.compare([folder / name / "run" for name in ("folds", "again")])
    text = json.dumps(compared, ensure_ascii=False, indent=1).replace(f"{folder}/", "")
    (folder / "compared.json").write_text(f"{text}\n", encoding="utf-8")
    with tarfile.open(folder / "bundles.tar.xz", "w:xz", preset=9) as archive:
        for path in [folder / "compared.json", *(folder / name for name in ("whole", "folds", "again"))]:
            archive.add(path, path.name, filter=_nameless)


def _amend(study: Path, old: str, new: str) -> None:
    text = study.read_text(encoding="utf-8")
    assert text.count(old) == 1
    study.write_text(text.replace(old, new), encoding="utf-8")


def _round(bundle: Path) -> None:
    """Shorten the weights and the report, and write down what the files are now."""
    (bundle / "report.html").write_text("<!doctype html><title>left out</title>\n", encoding="utf-8")
    for path in sorted((bundle / "model").rglob("*.safetensors")):
        tensors = {name: _short(value) for name, value in load_file(path).items()}
        save_file(tensors, path)
    manifest = bundle / "bundle.json"
    document = json.loads(manifest.read_text(encoding="utf-8"))
    for name in document["files"]:
        document["files"][name] = hashlib.sha256((bundle / name).read_bytes()).hexdigest()
    manifest.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _short(value: np.ndarray) -> np.ndarray:
    if value.dtype != np.float32:
        return value
    return (value.view(np.uint32) & KEPT_BITS).view(np.float32)


def _nameless(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
