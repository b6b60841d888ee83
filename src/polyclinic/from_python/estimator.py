"""Estimators for scikit-learn: the house's own training of one table, with the methods that scikit-learn knows.

They pass scikit-learn's own checks, go into pipelines and cross-validation, and can be pickled by their users: what
was learned is kept as text and bytes.
"""

from abc import ABC, abstractmethod
from typing import Any, Literal, Self, final

import numpy as np
import polars as pl
from jaxtyping import Float, Shaped
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from polyclinic.answers.base import Answer
from polyclinic.errors import CohortError, Finding
from polyclinic.formats.columns.column_types import counted
from polyclinic.formats.columns.headers import TableCells
from polyclinic.formats.frames import given_table
from polyclinic.from_python.in_memory import TableQuestion, TableStudy, ask_table, train_table

_SEEDS = 2**31 - 1
"""Seeds are drawn below it: what scikit-learn's random states give on every machine."""


class _TableEstimator(BaseEstimator, ABC):  # type: ignore[misc]
    """What both estimators share: their settings, their columns, and that patients stay whole.

    Args:
        size: The one dial: "tiny", "small", "medium" or "large".
        epochs: "auto", by the rule of a study; or a number.
        ensemble: Networks that are trained and averaged; each has other rows to stop by.
        minutes: A cap on the training time, or None.
        random_state: A number, or a random state of numpy, for answers that can be repeated; None for others each time.
    """

    def __init__(
        self,
        *,
        size: str = "small",
        epochs: int | Literal["auto"] = "auto",
        ensemble: int = 1,
        minutes: float | None = None,
        random_state: Any = None,
    ) -> None:
        self.size = size
        self.epochs = epochs
        self.ensemble = ensemble
        self.minutes = minutes
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.non_deterministic = self.random_state is None
        return tags

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:  # noqa: N803
        """Learn from a table.

        Args:
            X: A matrix of numbers, NaN where not known; or a frame of pandas or polars, whose words are categories.
            y: The outcome of each row.
            groups: The patient behind each row, so that no patient both trains and stops the training; by default
                every row is another patient.

        Raises:
            ValueError: if the table, the outcome or a setting cannot be used.
        """
        if y is not None:
            _refuse_unknown(column_or_1d(y))
        cells = self._columns(X, y, fitting=True)
        truth = column_or_1d(y, warn=True)
        check_consistent_length(X, truth, groups)
        if len(truth) < 2:
            raise ValueError("Nothing can be learned from 1 sample: at least two are needed.")
        outcome, keys = self._learn_outcome(truth)
        seed = int(check_random_state(self.random_state).randint(_SEEDS))
        asked = TableStudy(
            self._question(), keys, self.size, self.ensemble, self.epochs, self.minutes, seed, self._threshold()
        )
        trained = train_table(asked, cells, outcome, None if groups is None else column_or_1d(groups))
        self.fits_, self.threshold_ = trained.fits, trained.threshold
        return self

    def _ask(self, table: Any) -> Answer:
        check_is_fitted(self)
        return ask_table(self.fits_, self._columns(table, None, fitting=False))

    def _columns(self, table: Any, outcome: Any, *, fitting: bool) -> TableCells:
        """The table as columns, held against those of the training."""
        checked: dict[str, Any] = {"reset": fitting, **({"y": outcome} if fitting else {})}
        if hasattr(table, "columns") and not hasattr(table, "sparse"):
            validate_data(self, table, skip_check_array=True, **checked)
            return given_table(table).cells
        if fitting:
            matrix, _ = validate_data(self, table, ensure_all_finite="allow-nan", dtype="numeric", **checked)
        else:
            matrix = validate_data(self, table, ensure_all_finite="allow-nan", dtype="numeric", **checked)
        numbers = np.asarray(matrix, dtype=np.float64)
        frame = pl.DataFrame([pl.Series(f"x{i}", numbers[:, i]) for i in range(numbers.shape[1])])
        return TableCells(frame, declared=frozenset(frame.columns))

    @abstractmethod
    def _question(self) -> TableQuestion: ...

    @abstractmethod
    def _threshold(self) -> str | float | None: ...

    @abstractmethod
    def _learn_outcome(self, truth: Shaped[np.ndarray, " row"]) -> tuple[Shaped[np.ndarray, " row"], dict[str, Any]]:
        """The outcome as a study has it, and the keys of the target."""


def _refuse_unknown(truth: Shaped[np.ndarray, " row"]) -> None:
    """Stop on rows without an outcome, and name them."""
    if truth.dtype.kind == "f":
        lacking = ~np.isfinite(truth)
    elif truth.dtype.kind == "O":
        lacking = given_table({"y": truth}).cells.frame["y"].is_null().to_numpy()
    else:
        return
    rows = tuple(int(row) + 1 for row in np.flatnonzero(lacking))
    if rows:
        rule, found = "every row must have an outcome", f"NaN, None or infinity in {counted(len(rows), 'row')}"
        raise CohortError(Finding("outcome_missing", "y", rule, found, "Leave these rows out of X and y.", rows=rows))


@final
class PolyclinicClassifier(ClassifierMixin, _TableEstimator):  # type: ignore[misc]
    """Which of several classes: calibrated probabilities from a table, as an estimator for scikit-learn.

    Args:
        threshold: By which rule ``predict`` decides between two classes, as in a study file: "youden" (highest
            sensitivity + specificity on the rows that stop the training), a number, "sensitivity:0.95" or
            "specificity:0.9". By default the more probable class, which scikit-learn's own checks demand.

    Attributes:
        classes_: The classes, in order.
        threshold_: From which probability on the second of two classes is decided for; None without such a rule.
        n_features_in_: How many columns it was trained on.
        feature_names_in_: Their names, where a frame was given.

    Example:
        >>> from sklearn.datasets import load_breast_cancer
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> model = PolyclinicClassifier(size="tiny", epochs=3, random_state=0).fit(X[:400], y[:400])
        >>> bool(model.score(X[400:], y[400:]) > 0.8)
        True
    """

    def __init__(
        self,
        *,
        size: str = "small",
        epochs: int | Literal["auto"] = "auto",
        ensemble: int = 1,
        minutes: float | None = None,
        random_state: Any = None,
        threshold: str | float | None = None,
    ) -> None:
        super().__init__(size=size, epochs=epochs, ensemble=ensemble, minutes=minutes, random_state=random_state)
        self.threshold = threshold

    def predict_proba(self, X: Any) -> Float[np.ndarray, "row klass"]:  # noqa: N803
        """The calibrated probability of each class, in the order of ``classes_``."""
        found: Float[np.ndarray, "row klass"] = self._ask(X).probabilities  # type: ignore[attr-defined]
        return found

    def predict(self, X: Any) -> Shaped[np.ndarray, " row"]:  # noqa: N803
        """The class that is decided for: by ``threshold_`` where there is one, else the most probable one."""
        chances = self.predict_proba(X)
        decided = chances.argmax(axis=1) if self.threshold_ is None else chances[:, 1] >= self.threshold_
        found: Shaped[np.ndarray, " row"] = self.classes_[decided.astype(int)]
        return found

    def _question(self) -> TableQuestion:
        return "classify"

    def _threshold(self) -> str | float | None:
        return self.threshold

    def _learn_outcome(self, truth: Shaped[np.ndarray, " row"]) -> tuple[Shaped[np.ndarray, " row"], dict[str, Any]]:
        check_classification_targets(truth)
        self.classes_, codes = np.unique(truth, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("The outcome must hold at least two classes, got 1 class.")
        return codes.astype(np.int64), {"classes": list(range(len(self.classes_)))}


@final
class PolyclinicRegressor(RegressorMixin, _TableEstimator):  # type: ignore[misc]
    """How large a number will be, from a table, as an estimator for scikit-learn.

    Attributes:
        n_features_in_: How many columns it was trained on.
        feature_names_in_: Their names, where a frame was given.
    """

    def predict(self, X: Any) -> Float[np.ndarray, " row"]:  # noqa: N803
        """The mean to expect for each row."""
        found: Float[np.ndarray, " row"] = self._ask(X).value  # type: ignore[attr-defined]
        return found

    def _question(self) -> TableQuestion:
        return "regress"

    def _threshold(self) -> None:
        return None

    def _learn_outcome(self, truth: Shaped[np.ndarray, " row"]) -> tuple[Shaped[np.ndarray, " row"], dict[str, Any]]:
        return truth.astype(np.float64), {}


def estimator(kind: str = "classify", **settings: Any) -> PolyclinicClassifier | PolyclinicRegressor:
    """An estimator for scikit-learn.

    Args:
        kind: "classify" or "regress", as in a study file.
        settings: Of the estimator: size, epochs, ensemble, minutes, random_state.

    Example:
        >>> estimator("regress", size="tiny")
        PolyclinicRegressor(size='tiny')

    Raises:
        ValueError: for another kind.
    """
    kinds = {"classify": PolyclinicClassifier, "regress": PolyclinicRegressor}
    if kind not in kinds:
        raise ValueError(f'kind must be one of {", ".join(kinds)}, got "{kind}".')
    made: PolyclinicClassifier | PolyclinicRegressor = kinds[kind](**settings)
    return made
