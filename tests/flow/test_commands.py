import json
import shutil
import subprocess
import sys
import tomllib

import polars as pl
import pytest

from polyclinic import workflow
from polyclinic.delivery.bundle import MANIFEST

COMMANDS = ("demo", "new", "check", "run", "judge", "predict", "compare")


def left_in(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_explains_itself_with_an_example(self, ask, command):
        said = ask(command, "--help")
        assert said.status == 0
        assert f"Example: polyclinic {command}" in " ".join(said.out.split())
        assert said.err == ""

    def test_the_program_lists_its_commands(self, ask):
        said = ask("--help")
        assert said.status == 0
        assert all(command in said.out for command in COMMANDS)

    def test_the_version(self, ask):
        assert ask("--version").out.strip() == "0.1.0"

    @pytest.mark.parametrize(
        "words", [["ruin"], ["run"], ["run", "a", "b"], ["run", "study.toml", "--ouch"], ["predict", "x"], ["judge"]]
    )
    def test_a_misspelt_request_is_the_users_fault(self, ask, words):
        said = ask(*words)
        assert said.status == 2
        assert said.err != ""
        assert said.out == ""

    def test_a_closed_pipe_is_no_reason_to_complain(self):
        code = "from polyclinic.cli import main; main(['--help'])"
        program = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        assert b"Traceback" not in program.stderr.read()
        program.stderr.close()
        program.wait()


class TestFromTableToAnswers:
    def test_new_then_check_then_run(self, ask, small, tmp_path):
        table = small().table
        desk = tmp_path / "desk"
        desk.mkdir()
        shutil.copy(table, desk / "cohort.csv")
        said = ask("new", desk / "cohort.csv", "--target", "sick")
        assert said.status == 0, said.err
        assert str(desk / "study.toml") in said.out
        assert left_in(desk) == ["cohort.csv", "study.schema.json", "study.toml"]

        drafted = desk / "study.toml"
        text = drafted.read_text(encoding="utf-8")
        assert tomllib.loads(text)["cohort"]["patient"] == "patient_id"
        drafted.write_text(
            text + "\n[model]\nsize = 'tiny'\n[training]\nepochs = 2\n[evidence]\nresamples = 50\n", encoding="utf-8"
        )

        said = ask("check", drafted)
        assert said.status == 0, said.err
        assert "Nothing stands in the way" in said.out
        assert "80 rows of 80 patients" in said.out
        assert "minutes" in said.out
        assert left_in(desk) == ["cohort.csv", "study.schema.json", "study.toml"]

        said = ask("run", drafted, "--out", desk / "run")
        assert said.status == 0, said.err
        assert "auroc" in said.out
        assert str(desk / "run" / "report.html") in said.out

    def test_new_overwrites_nothing(self, ask, small):
        made = small()
        before = made.study.read_bytes()
        said = ask("new", made.table, "--target", "sick")
        assert said.status == 2
        assert "overwrites nothing" in said.err
        assert made.study.read_bytes() == before
        assert not (made.study.parent / "study.schema.json").exists()

    def test_new_in_a_folder_that_is_not_there(self, ask, small, tmp_path):
        said = ask("new", small().table, "--target", "sick", "--out", tmp_path / "none" / "study.toml")
        assert said.status == 2
        assert "no such folder" in said.err
        assert not (tmp_path / "none").exists()

    def test_new_suggests_a_column(self, ask, small):
        said = ask("new", small().table, "--target", "sik", "--out", small().table.parent / "other.toml")
        assert said.status == 2
        assert 'Did you mean "sick"?' in said.err
        assert not (small().table.parent / "other.toml").exists()


class TestRun:
    def test_without_out_the_bundle_bears_the_name_of_the_study(self, ask, small, tmp_path, monkeypatch):
        made = small()
        monkeypatch.chdir(tmp_path)
        said = ask("run", made.study)
        assert said.status == 0, said.err
        assert (tmp_path / "runs" / "synthetic" / "report.html").is_file()

    def test_a_second_run_in_the_same_folder_is_refused(self, ask, finished):
        before = (finished.folder / MANIFEST).read_bytes()
        said = ask("run", finished.folder.parent / "study.toml", "--out", finished.folder)
        assert said.status == 2
        assert "it holds a finished run" in said.err
        assert said.out == ""
        assert (finished.folder / MANIFEST).read_bytes() == before

    def test_resuming_a_finished_run_shows_it_again(self, ask, finished):
        before = (finished.folder / MANIFEST).read_bytes()
        said = ask("run", finished.folder.parent / "study.toml", "--out", finished.folder, "--resume")
        assert said.status == 0, said.err
        assert "auroc" in said.out
        assert (finished.folder / MANIFEST).read_bytes() == before
        assert not (finished.folder / ".work").exists()

    def test_resuming_where_nothing_was_is_beginning(self, ask, small, tmp_path):
        said = ask("run", small().study, "--out", tmp_path / "run", "--resume")
        assert said.status == 0, said.err
        assert (tmp_path / "run" / MANIFEST).is_file()

    def test_another_study_cannot_be_resumed_in_its_place(self, ask, finished, small):
        said = ask("run", small(training={"epochs": 3}).study, "--out", finished.folder, "--resume")
        assert said.status == 2
        assert "has changed since" in said.err

    def test_bars_are_quiet_when_nobody_watches(self, ask, small, tmp_path):
        said = ask("run", small().study, "--out", tmp_path / "run")
        assert "fold" not in said.err
        assert "\x1b" not in said.out + said.err

    def test_stopped_by_hand_it_says_how_to_go_on(self, ask, small, tmp_path, monkeypatch):
        def stop(*_):
            raise KeyboardInterrupt

        made = small()
        with monkeypatch.context() as hand:
            hand.setattr(workflow, "judge_answers", stop)
            said = ask("run", made.study, "--out", tmp_path / "run")
        assert said.status == 130
        assert said.err == "Stopped. Go on with --resume.\n"
        assert ask("run", made.study, "--out", tmp_path / "run", "--resume").status == 0

    @pytest.mark.slow
    def test_the_demo(self, ask, tmp_path):
        said = ask("demo", "--out", tmp_path / "demo")
        assert said.status == 0, said.err
        assert "569 patients" in said.out
        assert "logistic regression" in said.out or "gradient boosting" in said.out
        evidence = json.loads((tmp_path / "demo" / "evidence.json").read_bytes())
        assert evidence["targets"]["malignant"]["metrics"]["auroc"]["value"] > 0.98


class TestJudge:
    def test_the_saved_predictions_give_the_same_evidence(self, ask, finished, tmp_path):
        said = ask("judge", finished.folder, "--out", tmp_path / "again.json")
        assert said.status == 0, said.err
        assert (tmp_path / "again.json").read_bytes() == (finished.folder / "evidence.json").read_bytes()

    def test_another_programs_predictions(self, ask, tmp_path):
        truth = [0, 1] * 30
        table = pl.DataFrame(
            {"truth": truth, "probability": [0.2 + 0.5 * t + 0.01 * (i % 7) for i, t in enumerate(truth)]}
        )
        table.write_csv(tmp_path / "theirs.csv")
        said = ask("judge", "--predictions", tmp_path / "theirs.csv")
        assert said.status == 0, said.err
        assert "1.000" in said.out

    def test_both_or_neither_is_refused(self, ask, finished, tmp_path):
        assert ask("judge", finished.folder, "--predictions", tmp_path / "x.csv").status == 2
        assert ask("judge").status == 2

    def test_predictions_that_are_none(self, ask, tmp_path):
        said = ask("judge", "--predictions", tmp_path / "absent.csv", "--out", tmp_path / "evidence.json")
        assert said.status == 2
        assert "there is no file" in said.err
        assert not (tmp_path / "evidence.json").exists()

    def test_into_a_folder_that_is_not_there(self, ask, finished, tmp_path):
        said = ask("judge", finished.folder, "--out", tmp_path / "none" / "evidence.json")
        assert said.status == 2
        assert "no such folder" in said.err


class TestPredict:
    def without_outcome(self, finished, folder):
        table = pl.read_csv(finished.folder.parent / "cohort.csv").drop("sick", "hospital", "sex").head(20)
        table.write_csv(folder / "new.csv")
        return folder / "new.csv"

    def test_answers_for_patients_whose_outcome_is_not_known(self, ask, finished, tmp_path):
        said = ask("predict", finished.folder, self.without_outcome(finished, tmp_path))
        assert said.status == 0, said.err
        answers = pl.read_csv(tmp_path / "new.predictions.csv")
        assert answers.height == 20
        assert {
            "row",
            "patient",
            "target",
            "probability_no",
            "probability_yes",
            "decision",
            "threshold",
            "plausible",
            "shift",
            "abstain",
        } <= set(answers.columns)
        assert answers["probability_yes"].is_between(0, 1).all()
        assert "Wrote 20 answers" in said.out
        stated = finished.evidence["targets"]["sick"]["operating_point"]["delivered"]
        assert answers["threshold"].to_list() == [stated] * 20
        yes = (answers["probability_yes"] >= stated).to_list()
        assert answers["decision"].to_list() == ["yes" if one else "no" for one in yes]
        assert f'Decision by probability: sick: "yes" from {stated:.3g} on.' in said.out

    def test_the_study_gives_the_threshold(self, small, tmp_path):
        """One threshold in evidence, report, card and answers, also where every fold has tune rows of its own."""
        made = small(evidence={"threshold": 0.275, "resamples": 5, "baselines": False}, split={"folds": 2}, patients=60)
        done = workflow.run(made.study, tmp_path / "run")
        point = done.evidence["targets"]["sick"]["operating_point"]
        assert (point["delivered"], point["thresholds"], point["chosen_for"]) == (0.275, [0.275, 0.275], 0.275)
        for name in ("report.html", "card.md"):
            page = (done.folder / name).read_text(encoding="utf-8")
            assert page.count("from 0.275 on") == 1
        answers = pl.read_parquet(workflow.predict(done.folder, made.table, tmp_path / "all.parquet").out)
        assert answers["decision"].to_list() == ["yes" if p >= 0.275 else "no" for p in answers["probability_yes"]]

    def test_what_it_answers_is_what_the_run_answered(self, ask, finished, tmp_path):
        """The rows of the test part, asked again through the bundle."""
        said = ask("predict", finished.folder, finished.folder.parent / "cohort.csv", "--out", tmp_path / "all.parquet")
        assert said.status == 0, said.err
        known = pl.read_parquet(finished.folder / "predictions.parquet").filter(pl.col("part") == "test")
        again = pl.read_parquet(tmp_path / "all.parquet")
        both = known.join(again, on="row", suffix="_again")
        assert both.height == known.height
        assert (both["probability_yes"] - both["probability_yes_again"]).abs().max() < 1e-6

    def test_it_overwrites_nothing(self, ask, finished, tmp_path):
        table = self.without_outcome(finished, tmp_path)
        (tmp_path / "out.csv").write_text("mine", encoding="utf-8")
        said = ask("predict", finished.folder, table, "--out", tmp_path / "out.csv")
        assert said.status == 2
        assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "mine"

    @pytest.mark.parametrize("name", ["out.docx", "none/out.csv"])
    def test_a_place_where_no_answer_can_be_written(self, ask, finished, tmp_path, name):
        said = ask("predict", finished.folder, self.without_outcome(finished, tmp_path), "--out", tmp_path / name)
        assert said.status == 2
        assert said.err.startswith("error: ")
        assert left_in(tmp_path) == ["new.csv"]

    def test_a_table_without_a_column_of_the_study(self, ask, finished, tmp_path):
        table = pl.read_csv(self.without_outcome(finished, tmp_path)).drop("labs_marker")
        table.write_csv(tmp_path / "less.csv")
        said = ask("predict", finished.folder, tmp_path / "less.csv")
        assert said.status == 2
        assert "labs_marker" in said.err
        assert not (tmp_path / "less.predictions.csv").exists()

    def test_a_folder_that_is_no_bundle(self, ask, tmp_path, small):
        said = ask("predict", tmp_path, small().table)
        assert said.status == 2
        assert f"it has no {MANIFEST}" in said.err


class TestCompare:
    def test_two_runs_side_by_side(self, ask, finished, small, tmp_path):
        other = workflow.run(
            small(patients=100, folder=tmp_path / "other", study={"seed": 1}, training={"epochs": 3}).study,
            tmp_path / "b",
        )
        said = ask("compare", finished.folder, other.folder)
        assert said.status == 0, said.err
        assert "auroc" in said.out
        assert str(other.folder) in said.out
        assert "cannot be told apart" in said.out or "is better than" in said.out or "is worse than" in said.out

    def test_one_run_is_not_two(self, ask, finished):
        said = ask("compare", finished.folder)
        assert said.status == 2
        assert "two runs" in said.err

    def test_runs_on_other_rows_are_refused(self, ask, finished, small, tmp_path):
        other = workflow.run(small(patients=80, folder=tmp_path / "other").study, tmp_path / "b")
        said = ask("compare", finished.folder, other.folder)
        assert said.status == 2
        assert "rows" in said.err
