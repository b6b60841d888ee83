"""Pages that are written from the code are as the code is now."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_reference_of_the_study_file_is_fresh():
    path = ROOT / "docs" / "reference" / "write.py"
    spec = importlib.util.spec_from_file_location("write", path)
    assert spec is not None
    assert spec.loader is not None
    write = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(write)
    assert (path.parent / "study.md").read_text(encoding="utf-8") == write.page(), "run: make docs"
