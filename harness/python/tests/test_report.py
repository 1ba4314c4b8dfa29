"""Reports as tables of pandas."""

import json
from pathlib import Path

import numpy as np
import pytest

from harness import ReportError, read_report

pd = pytest.importorskip("pandas")

ROOT = Path(__file__).parents[3]
REPORT = ROOT / "reports" / "quickstart.json"


def test_tables_hold_what_the_report_holds():
    report = read_report(REPORT)
    raw = json.loads(REPORT.read_text())
    assert report.suite == raw["suite"]["name"]
    assert len(report.cells) == len(raw["cells"])
    for at, cell in enumerate(raw["cells"]):
        row = report.cells.loc[at]
        assert row["method"] == cell["method"] and row["target"] == cell["upgrade"]["target"]
        assert row["new"] == cell["conditions"]["new"]["accuracy"]
        gain = cell["conditions"]["new"]["accuracy"] - cell["conditions"]["zero_target"]["accuracy"]
        assert row["over_zero_shot"] == pytest.approx(gain)
    assert report.datasets.loc["digits", "test"] == report.cells.query("dataset == 'digits'").test_images.iloc[0]


def test_the_images_that_are_right_add_up_to_the_accuracy():
    report = read_report(REPORT)
    for at in (0, 5, len(report.cells) - 1):
        for condition in ("base", "new", "zero_shot_target"):
            right = report.correct(at, condition)
            assert right.dtype == np.bool_
            assert right.mean() == pytest.approx(report.cells.loc[at, condition])
    with pytest.raises(KeyError, match="only"):
        report.correct(0, "unheard of")


def test_what_was_not_measured_is_nan(tmp_path):
    raw = json.loads(REPORT.read_text())
    raw["cells"] = raw["cells"][:2]
    raw["cells"][0]["conditions"] = {}
    raw["cells"][0]["status"] = {"failed": {"message": "x"}}
    raw["cells"][0]["seed"] = {"split": 1, "training": 2}
    path = tmp_path / "report.json"
    path.write_text(json.dumps(raw))
    row = read_report(path).cells.loc[0]
    assert np.isnan(row["new"]) and np.isnan(row["h"])
    assert (row["status"], row["seed"]) == ("failed", "1/2")


@pytest.mark.parametrize("text", ["", "[]", '{"schema": "other/9"}'])
def test_another_file_is_refused_by_name(tmp_path, text):
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(ReportError, match="report.json"):
        read_report(path)


def test_the_example_notebook_runs():
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    path = ROOT / "harness" / "python" / "examples" / "report.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    table = notebook.cells[3].outputs[0]["data"]["text/plain"]
    assert "contcoop" in table and "micro-eva-clip" in table
