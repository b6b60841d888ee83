import subprocess
import sys

import pytest

from polyclinic.answers import base as answers
from polyclinic.delivery.forms import base as delivery
from polyclinic.errors import CohortError, StudyError
from polyclinic.evidence.forms import base as evidence
from polyclinic.formats.base import formats_of
from polyclinic.formats.read_table import read_table
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


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("import no_such_package", "ModuleNotFoundError"),
        ("Other = 1", "AttributeError"),
        ("class Grade: pass", "is none"),
        ("from polyclinic.heads.base import Global\nclass Grade(Global): pass", "lacks Options, Plan, "),
    ],
)
def test_what_a_package_offers_in_vain_names_the_package(offering, content, found):
    offering("polyclinic.heads", "grade", "grade:Grade", content)
    with pytest.raises(StudyError) as stopped:
        catalogue.find("heads", "grade")
    message = str(stopped.value)
    assert 'package grade-plug 0.1.0, entry point "grade" of polyclinic.heads' in message
    assert found in message
    assert "Update or remove that package." in message


def test_a_judge_says_its_word_and_its_metrics(offering):
    duties = ("of", "known", "truth", "check", "case", "counts", "detail", "show")
    bodies = "".join(f"    def {duty}(self): pass\n" for duty in duties)
    content = f"from polyclinic.evidence.forms.base import Judge\nclass Grade(Judge):\n{bodies}"
    offering("polyclinic.evidence_forms", "grade", "grade:Grade", content)
    with pytest.raises(StudyError, match="lacks headline, metrics, word"):
        catalogue.find("evidence.forms", "grade")


def test_a_broken_format_stops_only_a_file_of_no_other_format(offering, tmp_path):
    offering("polyclinic.formats", "tilde", "tilde:Tilde", "import no_such_package")
    table = tmp_path / "a.csv"
    table.write_text("a,b\n1,2\n")
    assert read_table(table).frame.shape == (1, 2)
    with pytest.raises(CohortError, match=r"package tilde-plug 0\.1\.0"):
        read_table(table.rename(tmp_path / "a.tild"))


def test_a_package_may_not_take_a_name_of_ours(offering):
    offering("polyclinic.heads", "classify", "grade:Grade", "Grade = 1")
    with pytest.raises(StudyError, match=r"package classify-plug 0\.1\.0.*Polyclinic has one of that name"):
        catalogue.find("heads", "classify")
    assert catalogue.find("heads", "regress")


def test_a_package_may_not_take_the_name_of_a_format_of_another_family(offering):
    offering("polyclinic.formats", "png", "tilde:Tilde", "Tilde = 1")
    with pytest.raises(StudyError, match="Polyclinic has one of that name"):
        formats_of("formats.images")


def test_two_packages_may_not_offer_one_name(offering):
    offering("polyclinic.heads", "grade", "one:Grade", "Grade = 1", package="one")
    offering("polyclinic.heads", "grade", "two:Grade", "Grade = 1", package="two")
    with pytest.raises(StudyError, match=r"package (one 0\.1\.0 and two|two 0\.1\.0 and one) 0\.1\.0"):
        catalogue.find("heads", "grade")
