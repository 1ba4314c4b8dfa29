"""Methods without PyTorch: closed forms, caches, and gradients written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import host as _host
from ._frames import Array
from .method import BaseMethod, Batch, Forward
from .prompts import Edits, Prompts

__all__ = [
    "Array",
    "Batch",
    "Encoded",
    "Forward",
    "Host",
    "Method",
    "cosine_logits",
    "cross_entropy",
    "normalize",
    "softmax",
]


@dataclass(frozen=True)
class Encoded:
    """Features with their backward pass."""

    #: ``[G, C, E]`` of prompts, ``[B, E]`` of images.
    features: Array
    _tape: _host.Tape | None

    def vjp(self, cotangent: Array) -> list[Array]:
        """The gradient of every tensor of the request, from that of the features."""
        if self._tape is None:
            raise ValueError("nothing to differentiate: the request had tape=False")
        return self._tape.vjp(cotangent)


class Host(_host.Host[Array]):
    """A backbone with a task, in arrays of numpy."""

    def wrap(self, array: Array) -> Array:
        return array

    def wrap_labels(self, labels: Sequence[int]) -> NDArray[np.int64]:
        return np.asarray(labels, dtype=np.int64)

    def encode_text(self, prompts: Prompts, tape: bool = True) -> Encoded:
        """Unnormalised text features ``[G, C, E]``; ``tape=False`` where no gradient is wanted."""
        request, tensors = prompts.request(tape)
        return self._encode("encode-text", request, tensors)

    def encode_image(self, batch: Batch[Array], edits: Edits, tape: bool = True) -> Encoded:
        """Unnormalised image features ``[B, E]`` with edits of the image tower."""
        request = image_request(batch, edits, tape)
        return self._encode("encode-image", request, edits.tensors)

    def _encode(self, kind: str, request: dict[str, Any], tensors: list[Array]) -> Encoded:
        answer, (features, *_) = self.ask({kind: request}, tensors)
        tape = answer.get("tape")
        return Encoded(features, None if tape is None else _host.Tape(self, tape))


def image_request(batch: Batch[Any], edits: Edits, tape: bool) -> dict[str, Any]:
    """A request to encode images, in the JSON of the protocol."""
    request: dict[str, Any] = {"split": batch.split, "rows": batch.rows, "tape": tape}
    if batch.view:
        request["view"] = batch.view
    if edits.edits:
        request["edits"] = edits.edits
    return request


class Method(BaseMethod[Array]):
    """A method in numpy. With :meth:`gradients` it is trained by the recipe's optimizer, without
    it ``build`` gives the module."""

    def logits(
        self, host: Any, parameters: Mapping[str, Array], batch: Batch[Array], classifier: Array
    ) -> Array:
        return cosine_logits(batch.features, classifier, host.logit_scale)

    def gradients(
        self, host: Host, parameters: Mapping[str, Array], batch: Batch[Array]
    ) -> tuple[float, Mapping[str, Array]]:
        """The loss of a batch and its gradient in every trained parameter."""
        raise NotImplementedError


def normalize(x: Array) -> Array:
    """``x / ||x||`` over the last dimension."""
    norm: Array = np.sqrt((x * x).sum(-1, keepdims=True))
    return x / norm


def softmax(x: Array) -> Array:
    """Softmax over the last dimension."""
    exp: Array = np.exp(x - x.max(-1, keepdims=True))
    total: Array = exp.sum(-1, keepdims=True)
    return exp / total


def cosine_logits(image: Array, text: Array, scale: float) -> Array:
    """``scale cos(image, text)``: image ``[B, E]``, text ``[C, E]``, result ``[B, C]``."""
    cosines: Array = normalize(image) @ normalize(text).T
    return cosines * np.float32(scale)


def cross_entropy(logits: Array, labels: NDArray[np.int64]) -> tuple[float, Array]:
    """Mean cross entropy, and its gradient in the logits ``[B, C]``."""
    probabilities = softmax(logits)
    rows = np.arange(len(labels))
    shifted = logits - logits.max(-1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(-1))
    loss = float((log_sum - shifted[rows, labels]).mean())
    probabilities[rows, labels] -= 1.0
    return loss, probabilities / np.float32(len(labels))
