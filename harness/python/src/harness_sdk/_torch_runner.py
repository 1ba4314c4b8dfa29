"""Runs methods of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from . import torch as of_torch
from ._frames import Array
from ._training import Average, Runner, Shapes, Step, Steps, check_finite, check_gradient, place
from .errors import ConfigError, NumericError
from .method import BaseMethod, Batch
from .recipe import Recipe


class TorchRunner(Runner[Tensor]):
    """Runs methods of torch."""

    method: of_torch.Method

    def seed_everything(self, seed: int) -> None:
        super().seed_everything(seed)
        torch.manual_seed(seed & 0x7FFFFFFFFFFFFFFF)

    def constant(self, array: Array) -> Tensor:
        return torch.from_numpy(array.copy())

    def to_array(self, tensor: Tensor) -> Array:
        array: Array = tensor.detach().to(torch.float32).contiguous().numpy()
        return array

    def without_gradients(self) -> Any:
        return torch.no_grad()

    def _tracked(self, values: Mapping[str, Array], fixed: Shapes) -> dict[str, Tensor]:
        tensors = {name: self.constant(array) for name, array in values.items()}
        for name, tensor in tensors.items():
            tensor.requires_grad_(not fixed.get(name))
        return tensors

    def _loss(
        self, parameters: Mapping[str, Tensor], batch: Batch[Tensor], step: int | None
    ) -> tuple[Tensor, Tensor]:
        """Loss and logits."""
        forward = self.forward(parameters, batch, step)
        with place(self.method, "loss", step):
            loss = self.method.loss(self.host, parameters, batch, forward)
            if loss.numel() != 1:
                raise ConfigError(f"the loss must be a scalar, found {list(loss.shape)}")
            loss = loss.reshape(())
            if not torch.isfinite(loss):
                raise NumericError(f"the loss became {loss.item()}")
        return loss, forward.logits

    def _backward(
        self, loss: Tensor, trained: Mapping[str, Tensor], step: int | None
    ) -> None:
        with place(self.method, "loss", step):
            if loss.requires_grad:
                loss.backward()  # type: ignore[no-untyped-call]
            for name, tensor in trained.items():
                if tensor.grad is None:
                    raise NumericError(
                        f"parameter `{name}` got no gradient: the loss does not depend on it"
                    )
                check_finite(name, tensor.grad.numpy(), tensor.shape)

    def descend(
        self,
        values: dict[str, Array],
        fixed: Shapes,
        recipe: Recipe,
        steps: Steps,
        check: bool,
        weights: Sequence[float] | None,
    ) -> tuple[dict[str, Array], bool]:
        check = check and not type(self.method).stops_gradients
        parameters = self._tracked(values, fixed)
        trained = {name: tensor for name, tensor in parameters.items() if tensor.requires_grad}
        if not trained:
            return values, False
        with place(self.method, "optimizer"):
            optimizer = self.method.optimizer(list(trained.values()), recipe)
        average = Average(weights)
        for epoch, of_epoch in enumerate(steps):
            for step in of_epoch:
                if check and step.number == 0:
                    self._check(parameters, trained, step)
                steps.stepped(self._step(parameters, trained, optimizer, step))
            average.add(epoch, {name: self.to_array(t).copy() for name, t in parameters.items()})
        last = {name: self.to_array(tensor).copy() for name, tensor in parameters.items()}
        return average.of(last), check

    def _at(self, step: Step) -> Batch[Tensor]:
        self.host.step_seed = step.seed
        self.seed_everything(step.seed)
        return self.batch("train", step.rows, step.view)

    def _step(
        self,
        parameters: Mapping[str, Tensor],
        trained: Mapping[str, Tensor],
        optimizer: torch.optim.Optimizer,
        step: Step,
    ) -> float:
        for group in optimizer.param_groups:
            group["lr"] = step.lr
        first: list[float] = []

        def closure() -> float:
            optimizer.zero_grad()
            loss, _ = self._loss(parameters, self._at(step), step.number)
            self._backward(loss, trained, step.number)
            first.append(loss.item())
            return first[-1]

        with torch.enable_grad():
            optimizer.step(closure)
        return first[0]

    def _check(
        self, parameters: Mapping[str, Tensor], trained: Mapping[str, Tensor], step: Step
    ) -> None:
        loss, _ = self._loss(parameters, self._at(step), step.number)
        self._backward(loss, trained, step.number)
        for name, tensor in trained.items():
            value, gradient = self.to_array(tensor).copy(), self.to_array(tensor.grad).copy()  # type: ignore[arg-type]

            def loss_at(moved: Array, name: str = name) -> float:
                there = {**parameters, name: torch.from_numpy(moved)}
                with torch.no_grad():
                    return self._loss(there, self._at(step), step.number)[0].item()

            check_gradient(name, value, gradient, loss_at)
        for tensor in trained.values():
            tensor.grad = None

    def probe(
        self, values: dict[str, Array], fixed: Shapes, batch: Batch[Tensor]
    ) -> tuple[float, Array, dict[str, Array]]:
        parameters = self._tracked(values, fixed)
        trained = {name: tensor for name, tensor in parameters.items() if tensor.requires_grad}
        loss, logits = self._loss(parameters, batch, None)
        self._backward(loss, trained, None)
        gradients = {name: self.to_array(t.grad) for name, t in trained.items()}  # type: ignore[arg-type]
        return loss.item(), self.to_array(logits), gradients


def create(method: BaseMethod[Any], host: tuple[Any, ...]) -> TorchRunner:
    """A method of torch on a host."""
    if not isinstance(method, of_torch.Method):
        raise ConfigError(
            f"{type(method).__name__} must derive from harness_sdk.torch.Method or "
            "harness_sdk.numpy.Method"
        )
    torch.set_num_threads(1)
    return TorchRunner(method, of_torch.Host(*host))
