import datetime as dt
import json

import numpy as np
import pandas as pd
import pyreadstat

from polyclinic.formats.apart.statistics import main, plain


def test_what_json_has_no_form_for_is_said_in_words():
    assert plain(dt.datetime(2020, 1, 31)) == {"moment": "2020-01-31T00:00:00"}
    assert plain(dt.date(2020, 1, 31)) == {"day": "2020-01-31"}
    assert plain(dt.time(8)) == {"time": "08:00:00"}
    assert plain(np.int32(3)) == 3


def test_columns_labels_and_meanings_are_printed(tmp_path, capsys):
    path = str(tmp_path / "a.sav")
    labels = {"variable_value_labels": {"sex": {1: "male", 2: "female"}}, "column_labels": {"sex": "Sex at birth"}}
    pyreadstat.write_sav(pd.DataFrame({"sex": [1, 2]}), path, **labels)
    main(path, "read_sav")
    assert json.loads(capsys.readouterr().out) == {
        "names": ["sex"],
        "values": [[1.0, 2.0]],
        "labels": {"sex": [[1.0, "male"], [2.0, "female"]]},
        "meanings": {"sex": "Sex at birth"},
        "rows": 2,
    }
