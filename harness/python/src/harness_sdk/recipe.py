"""How a method is trained."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Recipe:
    """Optimizer, schedule, epochs and batch size; CoOp's by default.

    A suite can override every field by name. ``epoch-cosine`` is Dassl's: ``warmup_epochs`` epochs
    at ``warmup_lr``, then ``lr/2 (1 + cos(pi (e - warmup_epochs) / epochs))`` in epoch e;
    ``step-cosine`` falls from ``lr`` to ``min_lr``.
    """

    optimizer: Literal["sgd", "adam", "adam-w"] = "sgd"
    lr: float = 2e-3
    momentum: float = 0.9
    weight_decay: float = 5e-4
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    schedule: Literal["epoch-cosine", "step-cosine", "constant"] = "epoch-cosine"
    warmup_epochs: int = 1
    warmup_lr: float = 1e-5
    min_lr: float = 0.0
    epochs: int = 50
    steps_per_shot: int | None = None
    batch: int = 32

    @staticmethod
    def read(raw: dict[str, Any]) -> Recipe:
        """From the harness's JSON."""
        known = {f.name for f in dataclasses.fields(Recipe)}
        fields = {name: value for name, value in raw.items() if name in known}
        fields["betas"] = tuple(fields["betas"])
        return Recipe(**fields)

    def to_json(self) -> dict[str, Any]:
        """As the harness reads it."""
        raw = dataclasses.asdict(self)
        raw["betas"] = list(self.betas)
        for name in ("lr", "momentum", "weight_decay", "eps", "warmup_lr", "min_lr"):
            raw[name] = float(raw[name])
        return raw
