"""A report as tables of pandas.

Accuracies and losses are as in the report: fractions, at full precision. A number that was not
measured is NaN. Names of columns are those of the CSV files that ``harness export`` writes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Union

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "harness-report/1"

# A condition's name in a report, and in the columns.
CONDITIONS = {
    "zero_source": "zero_shot_source",
    "base": "base",
    "zero_target": "zero_shot_target",
    "new": "new",
    "oracle": "retrained",
}


class ReportError(ValueError):
    """A file is no report that this version reads."""


@dataclass(frozen=True)
class Report:
    """What a run measured.

    Attributes:
        suite: name of the suite.
        provenance: where, when and with what it ran, as in the file.
        cells: a row for each method, data set, shots, seed and upgrade; its index is the place of
            the cell in the report.
        losses: the training loss of each module on its source, a row for each stretch of the steps.
        methods, datasets, backbones: what the cells' names stand for, indexed by name.
    """

    suite: str
    provenance: Dict[str, Any]
    cells: "pd.DataFrame"
    losses: "pd.DataFrame"
    methods: "pd.DataFrame"
    datasets: "pd.DataFrame"
    backbones: "pd.DataFrame"
    _cells: List[Dict[str, Any]]

    def correct(self, cell: int, condition: str) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """Which test images a cell has right under a condition, in the order of the data set.

        Args:
            cell: an index of ``cells``.
            condition: ``zero_shot_source``, ``base``, ``zero_shot_target``, ``new`` or ``retrained``.

        Raises:
            KeyError: the condition was not measured.
        """
        name = next((name for name, column in CONDITIONS.items() if column == condition), None)
        measured = self._cells[cell]["conditions"].get(name) if name else None
        if measured is None:
            raise KeyError(f"cell {cell} has no {condition!r}, only {self._measured(cell)}")
        packed = np.frombuffer(bytes.fromhex(measured["correct_bitmap"]), dtype=np.uint8)
        bits = np.unpackbits(packed, bitorder="little")[: measured["total"]]
        return bits.astype(np.bool_)

    def _measured(self, cell: int) -> List[str]:
        return [CONDITIONS[name] for name in self._cells[cell]["conditions"]]


def read_report(path: Union[str, "Path"]) -> Report:
    """Reads a report that ``harness run -o report.json`` wrote.

    Raises:
        ReportError: the file is no report, or of another format.
        ImportError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("read_report needs pandas: pip install 'harness-sdk[pandas]'") from error
    try:
        report = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ReportError(f"{path}: no JSON: {error}") from error
    found = report.get("schema") if isinstance(report, dict) else None
    if found != FORMAT:
        raise ReportError(f"{path}: the format is {found!r}, expected {FORMAT!r}")
    cells = report["cells"]
    key = ["method", "dataset", "source", "shots", "seed"]
    losses = pd.DataFrame(
        [row for cell in cells for row in _losses(cell)], columns=[*key, "step", "loss"]
    )
    return Report(
        suite=report["suite"]["name"],
        provenance=report["provenance"],
        cells=pd.DataFrame([_row(cell) for cell in cells]),
        # A module is trained once for all its targets.
        losses=losses.drop_duplicates(ignore_index=True),
        methods=_indexed(pd, report["methods"], "label"),
        datasets=_indexed(pd, report["datasets"], "name", without=("class_names", "test_labels")),
        backbones=_indexed(pd, report["backbones"], "name"),
        _cells=cells,
    )


def _indexed(pd: Any, rows: List[Dict[str, Any]], name: str, without: Any = ()) -> "pd.DataFrame":
    kept = [{key: value for key, value in row.items() if key not in without} for row in rows]
    frame: "pd.DataFrame" = pd.DataFrame(kept)
    return frame.set_index(name)


def _seed(seed: Any) -> str:
    """``2`` where one number sets split and training, ``1/2`` elsewhere."""
    return f"{seed['split']}/{seed['training']}" if isinstance(seed, dict) else str(seed)


def _status(status: Any) -> str:
    return status if isinstance(status, str) else next(iter(status))


def _key(cell: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "method": cell["method"],
        "dataset": cell["dataset"],
        "source": cell["upgrade"]["source"],
        "shots": cell["shots"],
        "seed": _seed(cell["seed"]),
    }


def _row(cell: Dict[str, Any]) -> Dict[str, Any]:
    row = {**_key(cell), "target": cell["upgrade"]["target"], "status": _status(cell["status"])}
    for name, column in CONDITIONS.items():
        condition: Optional[Dict[str, Any]] = cell["conditions"].get(name)
        row[column] = condition["accuracy"] if condition else float("nan")
    row["over_zero_shot"] = row["new"] - row["zero_shot_target"]
    total = row["base"] + row["new"]
    row["h"] = 2 * row["base"] * row["new"] / total if total > 0 else total
    training = cell.get("training") or {}
    for column in ["steps", "parameters", "final_loss", "module_sha256"]:
        row[column] = training.get(column)
    row["training_seconds"] = training.get("seconds")
    row["test_images"] = max((one["total"] for one in cell["conditions"].values()), default=0)
    return row


def _losses(cell: Dict[str, Any]) -> List[Dict[str, Any]]:
    training = cell.get("training") or {}
    losses = training.get("losses") or []
    key = _key(cell)
    return [
        {**key, "step": (at + 1) * training["steps"] // len(losses), "loss": loss}
        for at, loss in enumerate(losses)
    ]
