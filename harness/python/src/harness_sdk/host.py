"""The harness as a method sees it: one backbone with one task."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

import numpy as np

from ._frames import Array
from .setting import Setting

T = TypeVar("T")
Split = Literal["train", "val", "test"]
Tower = Literal["text", "image"]


class Link(Protocol):
    """Whoever answers requests: the harness over pipes, or a test bench."""

    def ask(
        self, host: int, ask: dict[str, Any], tensors: Sequence[Array] = ()
    ) -> tuple[Any, list[Array]]:
        """Asks a host; an error is a :class:`HostError`."""
        ...

    def release(self, tape: int) -> None:
        """Frees a tape, at once or with the next message."""
        ...


@dataclass(frozen=True)
class Tokenized:
    """Token ids of texts, without start and end tokens."""

    rows: list[list[int]]
    start_of_text: int
    end_of_text: int


@dataclass(frozen=True)
class Dropout:
    """Dropout of a site in one training step."""

    rate: float
    seed: int

    def to_json(self) -> dict[str, Any]:
        return {"rate": self.rate, "seed": self.seed}


class Tape:
    """What the harness keeps for a backward pass; freed with the last reference."""

    def __init__(self, host: Host[Any], number: int) -> None:
        self._host = host
        self._number = number

    def vjp(self, cotangent: Array) -> list[Array]:
        """Gradients of the tensors of the request, from that of its result."""
        return self._host.ask({"vjp": {"tape": self._number}}, [cotangent])[1]

    def __del__(self) -> None:
        self._host.link.release(self._number)


class Host(Generic[T]):
    """A backbone with a task. What it returns are arrays of numpy or tensors of torch."""

    def __init__(
        self, link: Link, number: int, setting: Setting, logit_scale: float, seed: int
    ) -> None:
        self.link = link
        self.number = number
        #: Dimensions of the backbone, its role, the classes and their templates.
        self.setting = setting
        #: exp of the backbone's logit scale.
        self.logit_scale = logit_scale
        #: Seed of the training that the module is from, on the source and on a target.
        self.seed = seed
        #: Seed of the present training step; None outside training.
        self.step_seed: int | None = None
        self._zero_shot: T | None = None
        self._labels: dict[str, Any] = {}

    @abstractmethod
    def wrap(self, array: Array) -> T:
        """An array as the method computes with it."""

    @abstractmethod
    def wrap_labels(self, labels: Sequence[int]) -> Any:
        """Class indices as the method computes with them."""

    def ask(self, ask: dict[str, Any], tensors: Sequence[Array] = ()) -> tuple[Any, list[Array]]:
        """Asks the harness, in the JSON of the protocol."""
        return self.link.ask(self.number, ask, tensors)

    def _service(self, service: str, /, **fields: Any) -> tuple[Any, list[Array]]:
        return self.ask({"service": {"service": service, **fields}})

    def _tensor(self, service: str, /, **fields: Any) -> T:
        return self.wrap(self._service(service, **fields)[1][0])

    @property
    def classes(self) -> int:
        """C, the number of classes."""
        return len(self.setting.task.classes)

    @property
    def class_names(self) -> list[str]:
        """Class names for prompts, with spaces instead of ``_``."""
        return [c.name.replace("_", " ") for c in self.setting.task.classes]

    def tokenize(self, texts: Sequence[str]) -> Tokenized:
        """Token ids of texts."""
        answer, _ = self._service("tokenize", texts=list(texts))
        return Tokenized(answer["rows"], answer["start_of_text"], answer["end_of_text"])

    def class_prompts(self, template: str) -> list[list[int]]:
        """Token ids ``[start] template with name [end]`` of every class."""
        found = self.tokenize([template.replace("{}", name) for name in self.class_names])
        return [[found.start_of_text, *row, found.end_of_text] for row in found.rows]

    def token_embeddings(self, ids: Sequence[int]) -> T:
        """Token embeddings ``[n, D]``, without positions."""
        return self._tensor("token-embeddings", ids=[int(i) for i in ids])

    def class_features(
        self,
        templates: Sequence[str],
        ensemble: Literal["normalised-mean", "raw-mean"] = "normalised-mean",
    ) -> T:
        """Text features ``[C, E]`` of the class names in templates, from the unchanged backbone."""
        return self._tensor("class-features", templates=list(templates), ensemble=ensemble)

    def zero_shot(self) -> T:
        """The zero-shot classifier ``[C, E]``: the data set's templates, normalised mean."""
        if self._zero_shot is None:
            self._zero_shot = self.class_features(self.setting.task.templates)
        return self._zero_shot

    def image_features(self, split: Split, rows: Sequence[int], view: int = 0) -> T:
        """Unnormalised image features ``[n, E]`` from the unchanged backbone."""
        rows = [int(row) for row in rows]
        view_field = {"view": view} if view else {}
        return self._tensor("image-features", split=split, rows=rows, **view_field)

    def image_activations(
        self,
        batch: Any,
        stage: Literal["before-projection", "patch-features"],
    ) -> T:
        """What the unchanged image tower computes before its features: ``[n, image.width]`` or
        ``[n, image.patches, E]``. The method's card has ``data="pixels"``."""
        fields: dict[str, Any] = {"split": batch.split, "rows": batch.rows, "stage": stage}
        if batch.view:
            fields["view"] = batch.view
        return self._tensor("image-activations", **fields)

    def parameter(self, tower: Tower, name: str) -> T:
        """A weight, bias or gain of the unchanged backbone."""
        return self._tensor("parameter", tower=tower, name=name)

    def labels(self, split: Split) -> Any:
        """The class index of every image of a split; the test split's are never disclosed."""
        if split not in self._labels:
            self._labels[split] = self.wrap_labels(self._service("labels", split=split)[0])
        return self._labels[split]

    def random(self, name: str) -> np.random.Generator:
        """A random stream by name. In a training step it depends on the seed of the training and
        the step, elsewhere on the seed alone: what ``setup`` draws on the source it draws on a
        target."""
        seed = self.seed if self.step_seed is None else self.step_seed
        return np.random.default_rng(seed ^ _hash(name))

    def dropout(self, rate: float, site: str) -> Dropout | None:
        """Dropout for a site of an edit in a training step; None elsewhere."""
        if self.step_seed is None or rate <= 0.0:
            return None
        return Dropout(rate, self.step_seed ^ _hash(site))


def _hash(name: str) -> int:
    """FNV-1a."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value
