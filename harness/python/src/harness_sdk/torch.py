"""Methods in PyTorch. The harness's towers are differentiable operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from . import host as _host
from ._frames import Array
from .method import BaseMethod, Batch, Forward
from .numpy import image_request
from .prompts import Edits, Prompts
from .recipe import Recipe

__all__ = [
    "Batch",
    "Forward",
    "Host",
    "Method",
    "cosine_distance",
    "cosine_logits",
    "distillation",
]


class _Encode(torch.autograd.Function):
    """An encoder of the harness. Its tape is freed with the graph."""

    @staticmethod
    def forward(
        ctx: Any, host: Host, kind: str, request: dict[str, Any], *tensors: Tensor
    ) -> Tensor:
        answer, (features, *_) = host.ask({kind: request}, [_array(t) for t in tensors])
        ctx.tape = _host.Tape(host, answer["tape"])
        return torch.from_numpy(features)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> Any:
        gradients = ctx.tape.vjp(_array(cotangents[0]))
        return (None, None, None, *map(torch.from_numpy, gradients))


def _array(tensor: Tensor) -> Array:
    array: Array = tensor.detach().to(torch.float32).contiguous().numpy()
    return array


class Host(_host.Host[Tensor]):
    """A backbone with a task, in tensors of torch."""

    def wrap(self, array: Array) -> Tensor:
        return torch.from_numpy(array)

    def wrap_labels(self, labels: Sequence[int]) -> Tensor:
        return torch.from_numpy(np.asarray(labels, dtype=np.int64))

    def encode_text(self, prompts: Prompts) -> Tensor:
        """Unnormalised text features ``[G, C, E]``, differentiable in every tensor."""
        request, tensors = prompts.request(False)
        return self._encode("encode-text", request, tensors)

    def encode_image(self, batch: Batch[Tensor], edits: Edits) -> Tensor:
        """Unnormalised image features ``[B, E]`` with edits of the image tower, differentiable in
        every tensor."""
        return self._encode("encode-image", image_request(batch, edits, False), edits.tensors)

    def _encode(self, kind: str, request: dict[str, Any], tensors: list[Tensor]) -> Tensor:
        request["tape"] = torch.is_grad_enabled() and any(t.requires_grad for t in tensors)
        if request["tape"]:
            features: Tensor = _Encode.apply(self, kind, request, *tensors)
            return features
        _, (array, *_) = self.ask({kind: request}, [_array(t) for t in tensors])
        return torch.from_numpy(array)


class Method(BaseMethod[Tensor]):
    """A method in PyTorch."""

    def logits(
        self, host: Any, parameters: Mapping[str, Tensor], batch: Batch[Tensor], classifier: Tensor
    ) -> Tensor:
        return cosine_logits(batch.features, classifier, host.logit_scale)

    def loss(
        self,
        host: Any,
        parameters: Mapping[str, Tensor],
        batch: Batch[Tensor],
        forward: Forward[Tensor],
    ) -> Tensor:
        """The loss, a scalar; by default the cross entropy."""
        return F.cross_entropy(forward.logits, batch.labels)

    def optimizer(self, parameters: list[Tensor], recipe: Recipe) -> torch.optim.Optimizer:
        """The optimizer; by default the recipe's. The learning rate of every group is set before
        each step."""
        if recipe.optimizer == "sgd":
            return torch.optim.SGD(
                parameters, recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay
            )
        kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
        return kind(
            parameters, recipe.lr, recipe.betas, eps=recipe.eps, weight_decay=recipe.weight_decay
        )


def cosine_logits(image: Tensor, text: Tensor, scale: float) -> Tensor:
    """``scale cos(image, text)``: image ``[B, E]``, text ``[C, E]``, result ``[B, C]``."""
    cosines: Tensor = _normalize(image) @ _normalize(text).T
    return scale * cosines


def cosine_distance(a: Tensor, b: Tensor) -> Tensor:
    """``1 - mean_c cos(a_c, b_c)`` over the rows of ``[C, E]``; ``b`` is a constant."""
    mean: Tensor = (_normalize(a) * _normalize(b.detach())).sum(-1).mean()
    return 1.0 - mean


def distillation(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """``T^2 KL(softmax(teacher / T) || softmax(student / T))``, mean over the batch, of logits
    ``[B, C]`` (Hinton et al., arXiv 1503.02531); ``teacher`` is a constant."""
    student = F.log_softmax(student / temperature, -1)
    teacher = F.log_softmax(teacher.detach() / temperature, -1)
    kl: Tensor = F.kl_div(student, teacher, reduction="batchmean", log_target=True)
    return temperature**2 * kl


def _normalize(x: Tensor) -> Tensor:
    norm: Tensor = x.norm(dim=-1, keepdim=True)
    return x / norm
