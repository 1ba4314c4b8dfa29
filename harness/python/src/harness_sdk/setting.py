"""What a method is told about the backbone and the task."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Text:
    """Dimensions of the text tower; ``width`` is D."""

    width: int
    layers: int
    heads: int
    context_length: int
    vocab_size: int
    activation: str


@dataclass(frozen=True)
class Image:
    """Dimensions of the image tower; ``patches`` leaves out the class token."""

    width: int
    layers: int
    heads: int
    patches: int
    has_ln_pre: bool
    has_rope: bool


@dataclass(frozen=True)
class NamedParameter:
    """A weight, bias or gain that edits can change."""

    tower: str
    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Backbone:
    """A backbone; ``embed_dim`` is E, the dimension of the joint space."""

    name: str
    embed_dim: int
    text: Text
    image: Image
    sites: tuple[str, ...] = ()
    parameters: tuple[NamedParameter, ...] = ()


@dataclass(frozen=True)
class Class:
    """A class: an id that data sets share, and its name."""

    id: str
    name: str


@dataclass(frozen=True)
class Task:
    """A data set with its few-shot splits; on a target they are empty."""

    dataset: str
    classes: tuple[Class, ...]
    templates: tuple[str, ...]
    train_rows: int = 0
    train_views: int = 1
    val_rows: int = 0


@dataclass(frozen=True)
class Setting:
    """Everything that is known before weights are loaded; ``role`` is ``source`` or ``target``."""

    backbone: Backbone
    role: str
    task: Task
    raw: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def read(raw: dict[str, Any]) -> Setting:
        """From the harness's JSON. Fields of newer versions are left out."""
        backbone = dict(raw["backbone"])
        backbone["text"] = _read(Text, backbone["text"])
        backbone["image"] = _read(Image, backbone["image"])
        backbone["sites"] = tuple(backbone["sites"])
        backbone["parameters"] = tuple(
            NamedParameter(p["tower"], p["name"], tuple(p["shape"]))
            for p in backbone.get("parameters", [])
        )
        task = dict(raw["task"])
        task["classes"] = tuple(_read(Class, c) for c in task["classes"])
        task["templates"] = tuple(task["templates"])
        return Setting(_read(Backbone, backbone), raw["role"], _read(Task, task), raw)


def _read(kind: type[T], raw: dict[str, Any]) -> T:
    known = {f.name for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in raw.items() if name in known})
