"""A metric of an installed package: named, when it cannot be told from another or no form has it."""

import pytest

from polyclinic.errors import StudyError
from polyclinic.evidence.forms.base import added_metrics
from polyclinic.evidence.forms.value import ValueJudge

METRIC = """
from polyclinic.evidence.metric import Better, Metric
NEAR = Metric("{name}", print, Better.HIGHER, "share that is near", title="Near", form="{form}")
"""


@pytest.fixture
def offer(offering):
    def make(name: str, form: str, package: str = "near") -> None:
        offering("polyclinic.metrics", package, f"{package}:NEAR", METRIC.format(name=name, form=form), package=package)

    return make


def test_one_of_its_own_name_joins_those_of_the_form(offer):
    offer("near", "value")
    assert ValueJudge("kg").all_metrics()[-1].name == "near"


def test_the_name_of_a_metric_of_the_form_is_refused(offer):
    offer("rmse", "value")
    with pytest.raises(StudyError, match=r"package near 0\.1\.0.*must have a name of its own"):
        added_metrics()


def test_the_name_of_a_metric_of_another_package_is_refused(offer):
    offer("near", "value")
    offer("near", "binary", package="close")
    with pytest.raises(StudyError, match=r"must have a name of its own"):
        added_metrics()


def test_a_form_that_nothing_judges_gets_the_nearest(offer):
    offer("near", "multiclas")
    with pytest.raises(StudyError, match=r'package near 0\.1\.0.*Did you mean "multiclass"\?'):
        added_metrics()
