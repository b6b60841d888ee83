"""What a study asks for before anything is read: its kinds, and the columns whose text counts."""

import pytest

from polyclinic.errors import StudyError
from polyclinic.inputs.image import Image
from polyclinic.steps.kinds import kinds_of
from polyclinic.study.read import parse_study
from polyclinic.study.schema import Study


def study_of(inputs: str, target: str, split: str = "") -> Study:
    return parse_study(
        f"""
        [cohort]
        table = "cohort.csv"
        patient = "row"
        [inputs.given]
        {inputs}
        [targets.asked]
        {target}
        [split]
        {split}
        """
    )


def test_words_are_classes_categories_parts_and_groups() -> None:
    inputs = 'kind = "tabular"\ncolumns = ["ward", "age"]\ncategorical = ["ward"]\nnumeric = ["age"]'
    study = study_of(inputs, 'kind = "classify"\ncolumn = "diagnosis"', 'by = "group:family"')

    uses = kinds_of(study).column_uses(study.split)

    assert uses.words == {"ward", "diagnosis", "family"}
    assert uses.numbers == {"age"}


def test_the_input_of_a_question_of_where_faces_it() -> None:
    study = study_of('kind = "image"\ncolumn = "film"', 'kind = "segment"\ncolumn = "mask"\non = "given"')

    given = kinds_of(study).inputs["given"]

    assert isinstance(given, Image)
    assert (
        given != kinds_of(study_of('kind = "image"\ncolumn = "film"', 'kind = "regress"\ncolumn = "x"')).inputs["given"]
    )


def test_a_question_of_where_needs_an_input_it_can_be_asked_on() -> None:
    study = study_of('kind = "tabular"', 'kind = "segment"\ncolumn = "mask"\non = "given"')

    with pytest.raises(StudyError) as raised:
        kinds_of(study)

    assert [finding.name for finding in raised.value.findings] == ["wrong_ground"]


@pytest.mark.parametrize(
    ("target", "refused"),
    [
        ('kind = "classify"\ncolumn = "x"', "AUROC"),
        ('kind = "survive"\nevent = "x"\ntime = "y"', "Concordance"),
        ('kind = "multilabel"\ncolumns = ["x", "y"]', "AUROC"),
        ('kind = "regress"\ncolumn = "x"', None),
    ],
)
def test_a_margin_above_all_differences_of_a_share_is_refused(target: str, refused: str | None) -> None:
    given = study_of('kind = "tabular"', target)
    wide = given.model_copy(update={"evidence": given.evidence.model_copy(update={"margin": 1.0})})
    if refused is None:
        assert "asked" in kinds_of(wide).heads
        return
    with pytest.raises(StudyError) as raised:
        kinds_of(wide)
    assert [finding.name for finding in raised.value.findings] == ["wide_margin"]
    assert refused in raised.value.findings[0].rule
    assert kinds_of(given.model_copy(update={"evidence": given.evidence.model_copy(update={"margin": 0.99})}))
