"""The methods that come with the package, and faulty ones, on the bench."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness_sdk import Card, Context, NotInjectable, Parameter, Setting
from harness_sdk.bench import Bench
from harness_sdk.conformance import check
from harness_sdk.errors import HarnessError
from harness_sdk.numpy import Array, Batch, Host, Method

EXAMPLES = Path(__file__).parents[1] / "examples"


def method(file: str, name: str) -> Any:
    """A method of an example; skipped without the libraries that it needs."""
    path = EXAMPLES / file
    if "numpy" not in file:
        pytest.importorskip("torch")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return getattr(module, name)


@pytest.mark.parametrize(
    ("file", "name", "config"),
    [
        ("coop_numpy.py", "CoOp", {}),
        ("coop.py", "CoOp", {}),
        ("coop.py", "CoOp", {"class_specific": True}),
        ("coop.py", "CoOp", {"context": {"layer": 1}}),
        ("kgcoop.py", "KgCoOp", {}),
        ("contcoop.py", "ContCoOp", {}),
        ("contcoop.py", "ContCoOp", {"class_embedding": "text-feature"}),
        ("clip_lora.py", "ClipLora", {}),
        ("tip_adapter_f.py", "TipAdapterF", {}),
    ],
)
def test_the_examples_conform(file: str, name: str, config: dict[str, Any]) -> None:
    check(method(file, name), config)


def test_numpy_and_torch_train_the_same_module() -> None:
    ours = Bench().train(method("coop_numpy.py", "CoOp"), epochs=3)
    theirs = Bench().train(method("coop.py", "CoOp"), epochs=3)
    assert np.allclose(ours["ctx"], theirs["ctx"], atol=1e-5)


def test_a_context_that_does_not_fit_is_a_result() -> None:
    kind = method("coop_numpy.py", "CoOp")
    with pytest.raises(NotInjectable, match="needs a context length of more than 33 tokens"):
        Bench().train(kind, {"length": 30})


class Faulty(Method):
    """Loses half of the gradient."""

    card = Card(id="faulty")
    Config = Context
    factor = 0.5

    @classmethod
    def parameters(cls, config: Any, setting: Setting) -> list[Parameter]:
        return [Parameter("x", [setting.backbone.embed_dim])]

    def gradients(
        self, host: Host, parameters: Mapping[str, Array], batch: Batch[Array]
    ) -> tuple[float, Mapping[str, Array]]:
        x = parameters["x"] - 1.0
        return float((x * x).sum()), {"x": np.float32(2.0 * self.factor) * x}


class Sound(Faulty):
    card = Card(id="sound")
    factor = 1.0


class NoGradient(Sound):
    card = Card(id="no-gradient")

    def gradients(self, *_: Any) -> Any:
        return 0.0, {}


class WrongShape(Sound):
    card = Card(id="wrong-shape")

    def logits(self, *_: Any) -> Array:
        return np.zeros((1, 1), np.float32)


class Raising(Sound):
    card = Card(id="raising")

    def setup(self, host: Host) -> None:
        raise ZeroDivisionError("of mine")


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Faulty, "the gradient of parameter `x` disagrees with finite differences"),
        (NoGradient, "has none for parameter `x`"),
        (WrongShape, "`logits` of `wrong-shape`: expected shape"),
        (Raising, "in `setup` of `raising` (test_methods.py:"),
    ],
)
def test_a_fault_is_named(kind: type[Method], says: str) -> None:
    with pytest.raises(HarnessError) as error:
        check(kind)
    assert says in str(error.value)


def test_a_sound_method_learns() -> None:
    bench = Bench()
    bench.train(Sound, epochs=20)
    assert bench.losses[-1] < bench.losses[0]


def test_labels_of_the_test_split_are_refused() -> None:
    host = Bench().host(Sound)
    with pytest.raises(HarnessError, match="not disclosed"):
        host.labels("test")


def test_random_streams_depend_on_name_and_step() -> None:
    host = Bench().host(Sound)
    draw = lambda name: host.random(name).normal(size=3).tolist()  # noqa: E731
    assert draw("a") == draw("a") != draw("b")
    before = draw("a")
    host.step_seed = 5
    assert draw("a") != before
    assert host.dropout(0.0, "x") is None
    dropout = host.dropout(0.5, "x")
    assert dropout is not None and dropout.rate == 0.5
