"""Trains, probes and evaluates methods, of numpy and of torch."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from . import numpy as of_numpy
from ._frames import Array
from .errors import ConfigError, HarnessError, NumericError, Placed
from .host import Host, Link, Split
from .method import BaseMethod, Batch, Forward
from .recipe import Recipe
from .setting import Setting

T = TypeVar("T")
Shapes = Mapping[str, bool]

#: Relative and absolute difference of gradients that rounding in f32 explains.
TOLERANCE, ROUNDING = 2e-2, 1e-4
#: Lengths of a step: small ones suffer from rounding, large ones from kinks such as ReLU's.
STEPS = (0.02, 0.005, 0.001)


@dataclass(frozen=True)
class Step:
    """One step, as the harness planned it."""

    number: int
    rows: list[int]
    view: int
    lr: float
    seed: int


class Steps:
    """The steps of a training; the harness draws them."""

    def __init__(self, host: Host[Any], epochs: int) -> None:
        self._host = host
        self.epochs = epochs

    def __iter__(self) -> Iterator[list[Step]]:
        while True:
            answer, _ = self._host.ask({"epoch": {}})
            if answer is None:
                return
            yield [Step(**step) for step in answer]

    def stepped(self, loss: float) -> None:
        """Tells the harness of a step."""
        if not np.isfinite(loss):
            raise NumericError(f"the loss became {loss}")
        self._host.ask({"stepped": {"loss": loss}})


@contextmanager
def place(method: BaseMethod[Any], function: str, step: int | None = None) -> Iterator[None]:
    """Adds to errors the function and line in which they occurred."""
    try:
        yield
    except HarnessError as error:
        if isinstance(error, Placed) or error.kind in ("config", "not-injectable", "cancelled"):
            raise
        raise Placed(error.kind, f"{_where(method, function, step, error)}: {error}") from error
    except Exception as error:
        traceback.print_exc()
        text = f"{type(error).__name__}: {error}".splitlines()
        message = " ".join(line.strip() for line in text if line.strip())
        raise Placed("internal", f"{_where(method, function, step, error)}: {message}") from error


def _where(
    method: BaseMethod[Any], function: str, step: int | None, error: BaseException
) -> str:
    file = getattr(sys.modules.get(type(method).__module__), "__file__", None)
    folder = os.path.dirname(file) if file else None
    line = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if folder and os.path.dirname(frame.filename) == folder:
            line = f" ({os.path.basename(frame.filename)}:{frame.lineno})"
    at = "" if step is None else f", step {step}"
    return f"in `{function}` of `{type(method).card.id}`{line}{at}"


class Runner(Generic[T]):
    """Runs a method; the subclasses know what its tensors are."""

    def __init__(self, method: BaseMethod[T], host: Host[T]) -> None:
        self.method = method
        self.host = host
        self.seed_everything(host.seed)
        with place(method, "setup"):
            method.setup(host)

    def seed_everything(self, seed: int) -> None:
        """Seeds the global random streams that a method may draw from."""
        np.random.seed(seed & 0xFFFFFFFF)

    def constant(self, array: Array) -> T:
        """A parameter that is not trained."""
        raise NotImplementedError

    def to_array(self, tensor: T) -> Array:
        """The values of a tensor."""
        raise NotImplementedError

    def without_gradients(self) -> Any:
        """Runs what needs no gradients."""
        return nullcontext()

    def batch(self, split: Split, rows: Sequence[int], view: int = 0) -> Batch[T]:
        """Images, with labels unless they are of the test split."""
        labels = None
        if split != "test":
            labels = self.host.labels(split)[list(rows)]
        return Batch(self.host, split, rows, view, labels)

    def forward(
        self, parameters: Mapping[str, T], batch: Batch[T], step: int | None = None
    ) -> Forward[T]:
        """One forward pass."""
        with place(self.method, "images", step):
            batch.images = self.method.images(self.host, parameters, batch)
        with place(self.method, "classifier", step):
            classifier = self.method.classifier(self.host, parameters)
        with place(self.method, "logits", step):
            logits = self.method.logits(self.host, parameters, batch, classifier)
        self._check_shape(logits, batch)
        return Forward(classifier, logits)

    def _check_shape(self, logits: Any, batch: Batch[T]) -> None:
        expected = (len(batch.rows), self.host.classes)
        if tuple(logits.shape) != expected:
            raise ConfigError(
                f"`logits` of `{type(self.method).card.id}`: expected shape {list(expected)}, "
                f"found {list(logits.shape)}"
            )

    def train(
        self, initial: dict[str, Array], fixed: Shapes, recipe: Recipe, steps: Steps, check: bool
    ) -> tuple[dict[str, Array], bool]:
        """The module, and whether gradients were compared with finite differences."""
        method = self.method
        with place(method, "build"), self.without_gradients():
            built = method.build(
                self.host, {name: self.constant(array) for name, array in initial.items()}
            )
        values = {name: self.to_array(tensor).copy() for name, tensor in built.items()}
        weights = method.epoch_weights(steps.epochs)
        if weights is not None and len(weights) != steps.epochs:
            raise ConfigError(f"epoch_weights: expected {steps.epochs}, found {len(weights)}")
        trained, checked = self.descend(values, fixed, recipe, steps, check, weights)
        self.host.step_seed = None
        with place(method, "select"), self.without_gradients():
            constants = {name: self.constant(array) for name, array in trained.items()}
            selected = method.select(self.host, constants)
            return {name: self.to_array(t).copy() for name, t in selected.items()}, checked

    def descend(
        self,
        values: dict[str, Array],
        fixed: Shapes,
        recipe: Recipe,
        steps: Steps,
        check: bool,
        weights: Sequence[float] | None,
    ) -> tuple[dict[str, Array], bool]:
        """Trains from values."""
        raise NotImplementedError

    def probe(
        self, values: dict[str, Array], fixed: Shapes, batch: Batch[T]
    ) -> tuple[float, Array, dict[str, Array]]:
        """Loss, logits and gradients."""
        raise NotImplementedError

    def predictor(self, values: dict[str, Array]) -> Callable[[Split, Sequence[int]], Array]:
        """Logits of images with a module."""
        parameters = {name: self.constant(array) for name, array in values.items()}
        with self.without_gradients(), place(self.method, "classifier"):
            classifier = self.method.classifier(self.host, parameters)

        def logits(split: Split, rows: Sequence[int]) -> Array:
            batch = Batch(self.host, split, rows)
            with self.without_gradients():
                with place(self.method, "images"):
                    batch.images = self.method.images(self.host, parameters, batch)
                with place(self.method, "logits"):
                    found = self.method.logits(self.host, parameters, batch, classifier)
                self._check_shape(found, batch)
                return self.to_array(found)

        return logits


class Average:
    """The weighted sum of the parameters over epochs."""

    def __init__(self, weights: Sequence[float] | None) -> None:
        self._weights = weights
        self._sum: dict[str, Array] = {}

    def add(self, epoch: int, values: Mapping[str, Array]) -> None:
        """Adds the values after an epoch."""
        if self._weights is None:
            return
        for name, value in values.items():
            term = (value * np.float32(self._weights[epoch])).astype(np.float32)
            self._sum[name] = self._sum[name] + term if name in self._sum else term

    def of(self, last: dict[str, Array]) -> dict[str, Array]:
        """The sum, or the last values where there is none."""
        return self._sum or last


def check_gradient(
    name: str, value: Array, gradient: Array, loss_at: Callable[[Array], float]
) -> None:
    """Compares a gradient with finite differences of the loss, in its own direction and in one
    that points to every element alike."""
    own = gradient.astype(np.float64).ravel()
    alike = np.where(np.arange(own.size) % 2 == 0, 1.0, -1.0)
    for direction in (own, alike):
        norm = np.sqrt((direction**2).sum())
        if norm < ROUNDING:
            continue
        unit = (direction / norm).reshape(gradient.shape).astype(np.float32)
        expected = float((own * unit.ravel().astype(np.float64)).sum())
        slopes = []
        for h in STEPS:
            f = [loss_at(value + unit * np.float32(by)) for by in (h, -h, 2 * h, -2 * h)]
            slopes.append((8.0 * (f[0] - f[1]) - (f[2] - f[3])) / (12.0 * h))
        if all(abs(s - expected) > TOLERANCE * abs(expected) + ROUNDING for s in slopes):
            found = ", ".join(f"{slope:.4e}" for slope in slopes)
            raise NumericError(
                f"the gradient of parameter `{name}` disagrees with finite differences of the "
                f"loss: its slope is {expected:.4e}, the loss changes by {found}"
            )


def check_finite(name: str, gradient: Array, shape: Sequence[int]) -> None:
    """Found here, before an optimizer spreads it over all values."""
    if tuple(gradient.shape) != tuple(shape):
        raise NumericError(
            f"the gradient of parameter `{name}` is {list(gradient.shape)}, the parameter "
            f"{list(shape)}"
        )
    if not np.isfinite(gradient).all():
        raise NumericError(f"the gradient of parameter `{name}` is not finite")


class NumpyRunner(Runner[Array]):
    """Runs methods of numpy."""

    method: of_numpy.Method

    def constant(self, array: Array) -> Array:
        return array

    def to_array(self, tensor: Array) -> Array:
        return np.asarray(tensor, dtype=np.float32)

    def _gradients(
        self, values: dict[str, Array], fixed: Shapes, batch: Batch[Array], step: int | None
    ) -> tuple[float, dict[str, Array]]:
        with place(self.method, "images", step):
            batch.images = self.method.images(self.host, values, batch)
        with place(self.method, "gradients", step):
            loss, found = self.method.gradients(self.host, values, batch)  # type: ignore[arg-type]
            gradients = {}
            for name, value in values.items():
                if fixed.get(name):
                    continue
                if name not in found:
                    raise NumericError(f"`gradients` has none for parameter `{name}`")
                gradients[name] = self.to_array(found[name])
                check_finite(name, gradients[name], value.shape)
        return float(loss), gradients

    def _is_trained(self) -> bool:
        return type(self.method).gradients is not of_numpy.Method.gradients

    def descend(
        self,
        values: dict[str, Array],
        fixed: Shapes,
        recipe: Recipe,
        steps: Steps,
        check: bool,
        weights: Sequence[float] | None,
    ) -> tuple[dict[str, Array], bool]:
        check = check and not type(self.method).stops_gradients and self._is_trained()
        if not self._is_trained():
            return values, False
        average = Average(weights)
        optimizer = Optimizer(recipe)
        for epoch, of_epoch in enumerate(steps):
            for step in of_epoch:
                self.host.step_seed = step.seed
                self.seed_everything(step.seed)
                batch = self.batch("train", step.rows, step.view)
                loss, gradients = self._gradients(values, fixed, batch, step.number)
                if check and step.number == 0:
                    self._check(values, fixed, gradients, step)
                for name, gradient in gradients.items():
                    values[name] = optimizer.step(name, values[name], gradient, step.lr)
                steps.stepped(loss)
            average.add(epoch, values)
        return average.of(values), check

    def _check(
        self, values: dict[str, Array], fixed: Shapes, gradients: dict[str, Array], step: Step
    ) -> None:
        for name, gradient in gradients.items():

            def loss_at(moved: Array, name: str = name) -> float:
                self.seed_everything(step.seed)
                batch = self.batch("train", step.rows, step.view)
                return self._gradients({**values, name: moved}, fixed, batch, step.number)[0]

            check_gradient(name, values[name], gradient, loss_at)

    def probe(
        self, values: dict[str, Array], fixed: Shapes, batch: Batch[Array]
    ) -> tuple[float, Array, dict[str, Array]]:
        forward = self.forward(values, batch)
        if self._is_trained():
            loss, gradients = self._gradients(values, fixed, batch, None)
        else:
            loss, gradients = of_numpy.cross_entropy(forward.logits, batch.labels)[0], {}
        return loss, self.to_array(forward.logits), gradients


class Optimizer:
    """The update rules of ``torch.optim``, for numpy."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._states: dict[str, list[Array]] = {}
        self._counts: dict[str, int] = {}

    def step(self, name: str, value: Array, gradient: Array, lr: float) -> Array:
        """The parameter after a step."""
        recipe = self._recipe
        if recipe.optimizer == "sgd":
            direction: Array = gradient + value * np.float32(recipe.weight_decay)
            if recipe.momentum > 0.0:
                # As in torch, the first buffer is the gradient itself.
                if name in self._states:
                    direction = self._states[name][0] * np.float32(recipe.momentum) + direction
                self._states[name] = [direction]
            return np.asarray(value - direction * np.float32(lr), np.float32)
        if recipe.optimizer == "adam-w":
            value = value * np.float32(1.0 - lr * recipe.weight_decay)
        else:
            gradient = gradient + value * np.float32(recipe.weight_decay)
        b1, b2 = recipe.betas
        zeros = np.zeros_like(value)
        first, second = self._states.get(name, [zeros, zeros])
        first = first * np.float32(b1) + gradient * np.float32(1.0 - b1)
        second = second * np.float32(b2) + gradient * gradient * np.float32(1.0 - b2)
        self._states[name] = [first, second]
        count = self._counts[name] = self._counts.get(name, 0) + 1
        root = np.sqrt(second / np.float32(1.0 - b2**count)) + np.float32(recipe.eps)
        moved: Array = value - first / root * np.float32(lr / (1.0 - b1**count))
        return moved


def runner(
    kind: type[BaseMethod[Any]], config: Any, link: Link, about: dict[str, Any]
) -> Runner[Any]:
    """A method on a host, by what its class derives from."""
    setting = Setting.read(about["setting"])
    arguments = (link, about["host"], setting, about["logit_scale"], about["seed"])
    method = kind(config)
    if isinstance(method, of_numpy.Method):
        return NumpyRunner(method, of_numpy.Host(*arguments))
    from . import _torch_runner

    return _torch_runner.create(method, arguments)
