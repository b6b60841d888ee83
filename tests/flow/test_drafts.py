"""From a table as people bring it, through `polyclinic new`, to what `polyclinic check` says of the draft."""

import tomllib

import numpy as np
import polars as pl
import pytest

ROWS = 200
TINY = "\n[model]\nsize = 'tiny'\n[training]\nepochs = 1\n"


@pytest.fixture
def table(tmp_path):
    """A table of two hundred rows with an age, a marker and what is asked for."""

    def table(**columns):
        rng = np.random.default_rng(0)
        known = {"age": rng.integers(20, 90, ROWS), "marker": rng.normal(size=ROWS).round(3)}
        pl.DataFrame({**known, **columns}).write_csv(tmp_path / "cohort.csv")
        return tmp_path / "cohort.csv"

    return table


@pytest.fixture
def follow_up():
    rng = np.random.default_rng(1)
    return (rng.random(ROWS) * 900 + 1).round(1), rng.integers(0, 2, ROWS)


def drafted(ask, path, target):
    """What `new` and then `check` say, and the draft."""
    said = ask("new", path, "--target", target)
    assert said.status == 0, said.err
    study = path.parent / "study.toml"
    study.write_text(study.read_text(encoding="utf-8") + TINY, encoding="utf-8")
    return said, ask("check", study), tomllib.loads(study.read_text(encoding="utf-8"))


def test_an_export_of_a_tumour_registry_is_asked_for_its_survival(ask, table, follow_up):
    time, seen = follow_up
    ends = {"OS_STATUS": np.where(seen, "1:DECEASED", "0:LIVING"), "OS_MONTHS": time}
    later = {"DFS_STATUS": np.where(seen[::-1], "1:Recurred", "0:DiseaseFree"), "DFS_MONTHS": time[::-1]}
    new, check, study = drafted(ask, table(**ends, **later), "OS_STATUS")
    assert study["targets"]["outcome"]["kind"] == "survive"
    assert study["targets"]["outcome"]["occurred"] == "1:DECEASED"
    assert "Not used: DFS_MONTHS (the follow-up time of DFS_STATUS" in new.out
    assert check.status == 0, check.err
    assert "Nothing stands in the way" in check.out


def test_intervals_of_follow_up_are_drafted_with_a_question_and_then_refused(ask, table, follow_up):
    time, seen = follow_up
    path = table(id=np.arange(ROWS) // 2, start=time * seen, stop=time * seen + 5, event=seen)
    new, check, study = drafted(ask, path, "event")
    assert study["targets"]["outcome"]["time"] == "stop"
    assert "To decide: Rows look like intervals of follow-up" in new.out
    assert check.status == 2
    assert "entry times" in check.err.lower()


def test_a_classifier_that_reads_its_follow_up_is_refused_until_it_is_accepted(ask, table, follow_up, tmp_path):
    time, seen = follow_up
    table(week=time, arrest=seen)
    study = tmp_path / "study.toml"
    text = (
        '[cohort]\ntable = "cohort.csv"\npatient = "row"\n[inputs.x]\nkind = "tabular"\ncolumns = "rest"\n'
        f'[targets.arrest]\nkind = "classify"\ncolumn = "arrest"\npositive = 1\n{TINY}'
    )
    study.write_text(text, encoding="utf-8")
    said = ask("check", study)
    assert said.status == 2
    assert "week (the follow-up time of arrest" in said.err
    study.write_text(f'{text}[accept]\nfollow_up_as_input = "week is the week of intake"\n', encoding="utf-8")
    said = ask("check", study)
    assert said.status == 0, said.err
    assert "Accepted in the study file: week is the week of intake" in said.err


def test_patients_whom_the_study_does_not_recognise_are_told_by_new_and_by_check(ask, table, follow_up):
    who = np.arange(ROWS) // 4
    sex = np.where(np.random.default_rng(2).integers(0, 2, ROWS // 4) == 1, "f", "m")[who]
    new, check, study = drafted(
        ask, table(key=[f"k{n * 7919 % 10007}" for n in who], sex=sex, sick=follow_up[1]), "sick"
    )
    assert study["cohort"]["patient"] == "row"
    for said in (new, check):
        assert 'column "key"' in said.err
        assert "agree in sex" in said.err
    assert check.status == 0
