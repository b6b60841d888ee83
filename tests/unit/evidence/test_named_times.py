import json

from polyclinic.evidence.named_times import SurvivalAt, as_shape, read_named_times
from polyclinic.evidence.records import Estimate, Evidence, TargetEvidence

FOUND = SurvivalAt("1 year", 365.25, 0.8, Estimate(0.75, 0.7, 0.8), 40, Estimate(0.7), Estimate(0.1))


def test_it_comes_back_from_the_document_as_it_was():
    target = TargetEvidence("survival", curves=as_shape([FOUND, FOUND]))
    document = json.loads(json.dumps(Evidence(targets={"death": target}).document()))
    assert read_named_times(Evidence.read(document).targets["death"]) == read_named_times(target) == (FOUND, FOUND)


def test_nothing_is_written_where_no_time_is_named():
    assert as_shape(()) == {}
    assert read_named_times(TargetEvidence("survival")) == ()
