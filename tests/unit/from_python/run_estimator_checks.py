"""Ask scikit-learn whether one of our estimators behaves: `python run_estimator_checks.py PolyclinicClassifier`.

It leaves with 1 if a check fails. It stands apart from the tests so that shapes are not checked at run time: the
checks train some fifty networks and would take many minutes under that.

Words behind the name choose checks: `check_estimators_pickle check_fit_idempotent`.
"""

import sys
import time
import warnings
from collections.abc import Iterator

from sklearn.utils.estimator_checks import SkipTest, estimator_checks_generator

from polyclinic.from_python import estimator

NEEDS_SETTING = {"check_array_api_input"}
"""Asks for an environment variable of scipy and for arrays that are none of numpy; we have numpy's."""
EPOCHS = 3
"""The fewest that learn what the checks of accuracy ask for, with the networks that are trained by them."""


def failures(name: str, chosen: set[str]) -> Iterator[str]:
    """What each check that fails says."""
    ran: set[str] = set()
    for model, check in estimator_checks_generator(
        getattr(estimator, name)(size="tiny", epochs=EPOCHS, random_state=0)
    ):
        word = check.func.__name__
        if chosen and word not in chosen:
            continue
        ran.add(word)
        try:
            check(model)
        except SkipTest as reason:
            if word not in NEEDS_SETTING:
                yield f"{word} was skipped: {reason}"
        except Exception as error:  # whatever a check raises is its verdict, and is printed
            yield f"{word}: {type(error).__name__}: {error}"
    print(f"{name}: {len(ran)} kinds of checks", flush=True)


def main() -> int:
    """Run them, print what fails, and say how long it took."""
    began = time.monotonic()
    warnings.simplefilter("ignore")  # the checks warn on purpose of what they hand over
    failed = list(failures(sys.argv[1], set(sys.argv[2:])))
    print(*failed, sep="\n")
    print(f"{len(failed)} failed, in {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
