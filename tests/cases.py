"""The DICOM cases of `benchmarks/dicom_cases.py`, for tests."""

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

pytest.importorskip("SimpleITK")
pytest.importorskip("highdicom")

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))  # the cases import the series that stand beside them

_PATH = Path(__file__).parents[1] / "benchmarks" / "dicom_cases.py"
_SPEC = importlib.util.spec_from_file_location("dicom_cases", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
made = importlib.util.module_from_spec(_SPEC)
sys.modules["dicom_cases"] = made
_SPEC.loader.exec_module(made)
head = importlib.import_module("dicom_series").head
