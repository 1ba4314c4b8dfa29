"""Tensors that a method trains or carries, before they have values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Union

#: A dimension that ``build`` determines, such as the number of training images.
DYNAMIC = 0


@dataclass(frozen=True)
class Zeros:
    """All 0."""

    def to_json(self) -> dict[str, Any]:
        return {"kind": "zeros"}


@dataclass(frozen=True)
class Normal:
    """N(0, std^2)."""

    std: float

    def to_json(self) -> dict[str, Any]:
        return {"kind": "normal", "std": float(self.std)}


@dataclass(frozen=True)
class Uniform:
    """U(-bound, bound); ``1 / sqrt(inputs)`` is torch's default for a linear layer."""

    bound: float

    def to_json(self) -> dict[str, Any]:
        return {"kind": "uniform", "bound": float(self.bound)}


@dataclass(frozen=True)
class Words:
    """Token embeddings of words in the last rows of ``[.., M, D]``, N(0, 0.02^2) before them."""

    text: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": "words", "text": self.text}


@dataclass(frozen=True)
class WordsAfterZeros:
    """Like :class:`Words`, with zeros in the rows before them."""

    text: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": "words-after-zeros", "text": self.text}


@dataclass(frozen=True)
class FromBackbone:
    """The backbone's own bias or gain of this name."""

    tower: Literal["text", "image"]
    name: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": "from-backbone", "tower": self.tower, "name": self.name}


@dataclass(frozen=True)
class ImageProjection:
    """The projection of the image tower, ``[E, image.width]``."""

    def to_json(self) -> dict[str, Any]:
        return {"kind": "image-projection"}


@dataclass(frozen=True)
class CopyOf:
    """A copy of a parameter declared earlier."""

    name: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": "copy-of", "name": self.name}


Init = Union[
    Zeros, Normal, Uniform, Words, WordsAfterZeros, FromBackbone, ImageProjection, CopyOf
]


@dataclass(frozen=True)
class Parameter:
    """A tensor in the module file.

    ``class_axis`` marks the dimension with one entry per class, ``optional`` leaves the tensor out
    on targets without a counterpart, ``fixed`` carries it without training it.
    """

    name: str
    shape: Sequence[int]
    init: Init = field(default_factory=Zeros)
    class_axis: int | None = None
    optional: bool = False
    fixed: bool = False

    def to_json(self) -> dict[str, Any]:
        """As the harness reads it."""
        return {
            "name": self.name,
            "shape": [int(n) for n in self.shape],
            "init": self.init.to_json(),
            "class_axis": self.class_axis,
            "optional": self.optional,
            "fixed": self.fixed,
        }
