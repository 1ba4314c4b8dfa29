"""What every method must satisfy, on the bench: ``check(MyMethod)`` in a test."""

from __future__ import annotations

from typing import Any

import numpy as np

from .bench import ROWS, Bench
from .errors import ConfigError, HarnessError, NotInjectable
from .method import BaseMethod

#: Other weights of the same architecture, another width, and other classes.
TARGET_SEED, WIDER = 2, 24


def check(kind: type[BaseMethod[Any]], config: Any = None) -> None:
    """Runs every check with one configuration; the first that fails raises AssertionError.

    ``harness plugin check FILE.py`` does the same on real backbones, for all configurations.
    """
    unknown_keys_are_refused(kind)
    training_gives_right_gradients(kind, config)
    a_seed_determines_the_module(kind, config)
    injection_changes_nothing(kind, config)
    rows_out_of_range_are_refused(kind, config)
    other_classes_are_predicted(kind, config)


def unknown_keys_are_refused(kind: type[BaseMethod[Any]]) -> None:
    """An unknown key of the configuration is an error that names it."""
    try:
        Bench().run(kind, {"no_such_key": 1})
    except ConfigError as error:
        assert "no_such_key" in str(error), error
    else:
        raise AssertionError("an unknown key of the configuration is accepted")


def training_gives_right_gradients(kind: type[BaseMethod[Any]], config: Any = None) -> None:
    """Gradients agree with finite differences of the loss, and tapes are released."""
    bench = Bench()
    module = bench.train(kind, config, check_gradients=True)
    for name, value in module.items():
        assert np.isfinite(value).all(), f"`{name}` is not finite"
    assert bench.open_tapes == 0, f"{bench.open_tapes} tapes were not released"


def a_seed_determines_the_module(kind: type[BaseMethod[Any]], config: Any = None) -> None:
    """The same seed gives the same bits."""
    first, second = (Bench().train(kind, config) for _ in range(2))
    for name in first:
        assert np.array_equal(first[name], second[name]), f"`{name}` differs with the same seed"


def injection_changes_nothing(kind: type[BaseMethod[Any]], config: Any = None) -> None:
    """A module gives finite logits on a target, the same each time, and stays as it is."""
    module = Bench().train(kind, config)
    before = {name: value.copy() for name, value in module.items()}
    for bench in (Bench("target"), Bench("target", seed=TARGET_SEED)):
        first, second = (bench.logits(kind, module, config) for _ in range(2))
        assert first.shape == (3, 3), f"logits have the shape {first.shape}"
        assert np.isfinite(first).all(), "logits are not finite"
        assert np.array_equal(first, second), "the same module gives other logits"
    for name, value in before.items():
        assert np.array_equal(value, module[name]), f"injecting changed `{name}`"


def rows_out_of_range_are_refused(kind: type[BaseMethod[Any]], config: Any = None) -> None:
    """A row that does not exist is an error, not a prediction."""
    module = Bench().train(kind, config)
    try:
        Bench("target").logits(kind, module, config, [ROWS["test"]])
    except HarnessError:
        return
    raise AssertionError("an image that does not exist gives logits")


def other_classes_are_predicted(kind: type[BaseMethod[Any]], config: Any = None) -> None:
    """A module without entries per class works for other classes."""
    target = Bench("target", classes=("cross", "green star"))
    settings = kind.parameters(target.run(kind, config).method.config, target.setting)
    if any(p.class_axis is not None for p in settings):
        return
    module = Bench().train(kind, config)
    try:
        logits = target.logits(kind, module, config)
    except NotInjectable:
        return
    assert logits.shape == (3, 2), f"logits of two classes have the shape {logits.shape}"
