import subprocess
import sys

import pytest

from polyclinic.answers import base as answers
from polyclinic.delivery.forms import base as delivery
from polyclinic.errors import StudyError
from polyclinic.evidence.forms import base as evidence
from polyclinic.heads import base as heads
from polyclinic.inputs import base as inputs
from polyclinic.study import catalogue


def test_kinds_are_the_files_of_the_folder():
    assert {"tabular", "expression", "image"} <= set(catalogue.names("inputs"))
    assert {"classify", "multilabel", "regress", "survive"} <= set(catalogue.names("heads"))
    assert "base" not in catalogue.names("inputs") + catalogue.names("heads")


BASES = {
    "inputs": inputs.Input,
    "heads": heads.Head,
    "answers": answers.Answer,
    "evidence.forms": evidence.Judge,
    "delivery.forms": delivery.Delivery,
}


@pytest.mark.parametrize(("axis", "base"), BASES.items())
def test_a_kind_is_the_one_class_of_its_file(axis, base):
    for name in catalogue.names(axis):
        kind = catalogue.find(axis, name)
        assert issubclass(kind, base)
        assert kind.__module__ == f"polyclinic.{axis}.{name}"


def test_a_misspelt_kind_gets_a_suggestion():
    with pytest.raises(StudyError, match=r'no input kind "tabuler"\. Did you mean "tabular"\? On offer: '):
        catalogue.find("inputs", "tabuler")


def test_what_is_like_nothing_gets_none():
    finding = catalogue.unknown("here", "key", "zzzz", ("alpha", "beta"))
    assert "Did you mean" not in finding.remedy
    assert "On offer: alpha, beta." in finding.remedy


def test_asking_for_one_imports_no_other():
    code = (
        "import sys\n"
        "from polyclinic.study import catalogue\n"
        "catalogue.names('inputs'), catalogue.names('heads')\n"
        "kinds = ('polyclinic.inputs.', 'polyclinic.heads.')\n"
        "assert not any(module.startswith(kinds) for module in sys.modules)\n"
        "catalogue.find('inputs', 'tabular')\n"
        "assert 'polyclinic.inputs.image' not in sys.modules\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
