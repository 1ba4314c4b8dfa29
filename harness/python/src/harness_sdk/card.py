"""A method's entry in lists and reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Site = Literal[
    "text-input",
    "text-block",
    "image-input",
    "image-block",
    "weight",
    "bias",
    "image-feature",
    "text-feature",
    "logits",
]


@dataclass(frozen=True)
class Card:
    """Name, origin and requirements. Only ``id`` is needed.

    ``title`` is by default the first line of the class's documentation, ``carried`` and ``needs``
    are what ``parameters`` declares. ``data`` is ``pixels`` for a method with a pass of its own
    through the image tower.
    """

    id: str
    title: str = ""
    paper: str = ""
    family: Literal["input", "deep", "weights", "features"] = "features"
    depth: str = ""
    sites: Sequence[Site] = ()
    needs: Sequence[str] | None = None
    data: Literal["features", "pixels"] = "features"
    carried: Sequence[str] | None = None
    recomputed: Sequence[str] = ()
    deviations: Sequence[str] = ()
