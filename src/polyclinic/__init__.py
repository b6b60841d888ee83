"""One study file in; a trained, calibrated, explained and documented medical model out.

Five lines do what `polyclinic run` does::

    from pathlib import Path
    import polyclinic

    done = polyclinic.run(Path("study.toml"), out=Path("runs/mine"))
    print(done.evidence["targets"]["malignant"]["metrics"]["auroc"], done.folder / "report.html")

Names are imported when they are first used, so that `polyclinic --help` need not wait for torch.
"""

import os
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

# Threads that wait for work must not spin: beside another busy process, small networks measured 12 times slower so.
# It must stand in the environment before torch is imported; whoever sets it otherwise is left alone.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from polyclinic.errors import Finding, PolyclinicError
    from polyclinic.from_python.estimator import PolyclinicClassifier, PolyclinicRegressor, estimator
    from polyclinic.from_python.loaded_model import LoadedModel
    from polyclinic.predictions.record import Predictions
    from polyclinic.steps.example_cohort import example_cohort
    from polyclinic.study.read import read_study
    from polyclinic.study.schema import Study
    from polyclinic.workflow import (
        check,
        compare,
        demo,
        judge,
        judge_predictions,
        load,
        new,
        predict,
        run,
    )

__version__ = version("polyclinic")

__all__ = [
    "Finding",
    "LoadedModel",
    "PolyclinicClassifier",
    "PolyclinicError",
    "PolyclinicRegressor",
    "Predictions",
    "Study",
    "check",
    "compare",
    "demo",
    "estimator",
    "example_cohort",
    "judge",
    "judge_predictions",
    "load",
    "new",
    "predict",
    "read_study",
    "run",
]

_HOMES = {
    "Finding": "errors",
    "PolyclinicError": "errors",
    "LoadedModel": "from_python.loaded_model",
    "PolyclinicClassifier": "from_python.estimator",
    "PolyclinicRegressor": "from_python.estimator",
    "estimator": "from_python.estimator",
    "Predictions": "predictions.record",
    "Study": "study.schema",
    "read_study": "study.read",
    "example_cohort": "steps.example_cohort",
}


def __getattr__(name: str) -> Any:
    """The public name ``name``, imported now (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'polyclinic' has no attribute {name!r}")
    return getattr(import_module(f"polyclinic.{_HOMES.get(name, 'workflow')}"), name)


def __dir__() -> list[str]:
    """Public names only: what a completion offers."""
    return sorted(["__doc__", "__version__", *__all__])
