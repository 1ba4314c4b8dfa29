"""The child's side of the protocol; see docs/script-protocol.md."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from .errors import ConfigError, HarnessError, HostError

if TYPE_CHECKING:
    from types import ModuleType

    from ._frames import Array
    from .method import BaseMethod

PROTOCOL = "harness-script/1"
#: Libraries that decide what a method computes.
LIBRARIES = ("numpy", "torch")


class Pipes:
    """The pipes to the harness."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        # Without numpy there is no runtime, and the harness is told so.
        from . import _frames

        self._frames = _frames
        self._source, self._sink = source, sink
        self._released: list[int] = []

    def receive(self) -> tuple[dict[str, Any], list[Array]]:
        """The next frame; the process ends where the harness closes the pipe."""
        frame = self._frames.read(self._source)
        if frame is None:
            sys.stderr.flush()
            os._exit(0)
        return frame

    def send(self, head: dict[str, Any], tensors: Sequence[Array] = ()) -> None:
        """Sends a frame."""
        if self._released:
            head = {**head, "released": self._released}
            self._released = []
        self._frames.write(self._sink, head, tensors)

    def ask(
        self, host: int, ask: dict[str, Any], tensors: Sequence[Array] = ()
    ) -> tuple[Any, list[Array]]:
        """Asks the harness."""
        self.send({"ask": ask, "host": host}, tensors)
        head, tensors = self.receive()
        if "error" in head:
            raise HostError(head["error"]["kind"], head["error"]["message"])
        return head["answer"], list(tensors)

    def release(self, tape: int) -> None:
        """Frees a tape with the next message."""
        self._released.append(tape)


class Script:
    """The script and its methods."""

    def __init__(self, path: str, nominal: dict[str, Any]) -> None:
        from . import _imports

        self.path = path
        self.name = os.path.basename(path)
        self.files = _imports.files(path)
        self.module = self._load()
        self.methods = {kind.card.id: kind for kind in self._kinds()}
        self.nominal = nominal

    def _load(self) -> ModuleType:
        sys.path.insert(0, os.path.dirname(self.path))
        # A script may be called as a module of Python's own.
        name = "harness_script_" + os.path.splitext(self.name)[0]
        spec = importlib.util.spec_from_file_location(name, self.path)
        if spec is None or spec.loader is None:
            raise ConfigError(f"{self.path} is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    def _kinds(self) -> list[type[BaseMethod[Any]]]:
        from .method import BaseMethod

        kinds = [
            kind
            for kind in vars(self.module).values()
            if isinstance(kind, type)
            and issubclass(kind, BaseMethod)
            and kind.__module__ == self.module.__name__
            and hasattr(kind, "card")
        ]
        if not kinds:
            raise ConfigError(
                f"{self.name} defines no method: no class with a `card` derives from "
                "harness_sdk.torch.Method or harness_sdk.numpy.Method"
            )
        return kinds

    def method(self, method: str) -> type[BaseMethod[Any]]:
        """A method by its id."""
        if method not in self.methods:
            known = ", ".join(self.methods)
            raise ConfigError(f"{self.name} has no method `{method}`, only {known}")
        return self.methods[method]

    def hello(self) -> dict[str, Any]:
        """What the script says of itself."""
        versions = {"python": platform.python_version()}
        for library in LIBRARIES:
            if library in sys.modules:
                versions[library] = sys.modules[library].__version__
        return {
            "protocol": PROTOCOL,
            "name": self.name,
            "version": str(getattr(self.module, "__version__", "0")),
            "license": str(getattr(self.module, "__license__", "")),
            "facts": {"versions": versions, "files": self.files},
            "methods": [self._card(kind) for kind in self.methods.values()],
        }

    def _card(self, kind: type[BaseMethod[Any]]) -> dict[str, Any]:
        from . import config
        from .setting import Setting

        card, default = kind.card, config.default(kind.Config)
        setting = Setting.read(self.nominal)
        parameters = kind.parameters(default, setting)
        doc = (kind.__doc__ or "").strip().splitlines()
        needs = [f"{p.name} {list(p.shape)} at ViT-B/16" for p in parameters]
        return {
            "id": card.id,
            "title": card.title or (doc[0].strip() if doc else card.id),
            "paper": card.paper,
            "family": card.family,
            "depth": card.depth,
            "sites": list(card.sites),
            "needs": needs if card.needs is None else list(card.needs),
            "data": card.data,
            "carried": [p.name for p in parameters] if card.carried is None else list(card.carried),
            "recomputed": list(card.recomputed),
            "deviations": list(card.deviations),
            "config_schema": config.schema(kind.Config),
            "recipe": kind.recipe(default, setting).to_json(),
        }

    def check_imports(self) -> None:
        """Refuses what the keys of cells do not cover."""
        from . import _imports

        new = sorted(_imports.loaded(self.path) - set(self.files))
        if new:
            raise ConfigError(
                f"{self.name} loads {', '.join(new)} in a way that the harness cannot see, so that "
                "results would outlive changes of it; use an import statement"
            )


class Calls:
    """Answers calls, one at a time."""

    def __init__(self, pipes: Pipes) -> None:
        self._pipes = pipes
        self._script: Script | None = None
        self._predictors: dict[int, Callable[[Any, Sequence[int]], Array]] = {}

    @property
    def script(self) -> Script:
        """The script, once it was read."""
        if self._script is None:
            raise ConfigError("no script was read")
        return self._script

    def hello(self, _: list[Array], protocol: str, script: str, nominal: Any) -> Any:
        """Reads the script."""
        if protocol != PROTOCOL:
            raise ConfigError(f"expected the protocol {PROTOCOL}, found {protocol}")
        try:
            self._script = Script(script, nominal)
            return self._script.hello(), []
        except Exception as error:
            if not isinstance(error, (HarnessError, ModuleNotFoundError)):
                traceback.print_exc()
            is_known = isinstance(error, HarnessError)
            message = str(error) if is_known else described(error, script)
            raise ConfigError(message) from error

    def configure(self, _: list[Array], method: str, config: Any) -> Any:
        """The configuration with all fields."""
        from . import config as configs

        return configs.to_json(configs.read(self.script.method(method).Config, config)), []

    def survey(self, _: list[Array], method: str, config: Any, setting: Any) -> Any:
        """Parameters and recipe in a setting."""
        from .setting import Setting

        kind, value = self._configured(method, config)
        there = Setting.read(setting)
        parameters = [p.to_json() for p in kind.parameters(value, there)]
        return {"parameters": parameters, "recipe": kind.recipe(value, there).to_json()}, []

    def train(
        self,
        tensors: list[Array],
        names: list[str],
        recipe: Any,
        steps: int,
        epochs: int,
        check_gradients: bool,
        **about: Any,
    ) -> Any:
        """Trains; tensors are the initial values."""
        from ._training import Steps
        from .recipe import Recipe

        runner, fixed = self._runner(about)
        initial = dict(zip(names, tensors))
        planned = Steps(runner.host, epochs)
        module, checked = runner.train(
            initial, fixed, Recipe.read(recipe), planned, check_gradients
        )
        return {"names": list(module), "checked_gradients": checked}, list(module.values())

    def probe(
        self, tensors: list[Array], names: list[str], split: Any, rows: list[int], **about: Any
    ) -> Any:
        """Loss, logits and gradients of a module."""
        runner, fixed = self._runner(about)
        batch = runner.batch(split, rows)
        loss, logits, gradients = runner.probe(dict(zip(names, tensors)), fixed, batch)
        return {"loss": loss, "names": list(gradients)}, [logits, *gradients.values()]

    def inject(self, tensors: list[Array], names: list[str], **about: Any) -> Any:
        """Puts a module into a backbone."""
        runner, _ = self._runner(about)
        self._predictors[about["host"]] = runner.predictor(dict(zip(names, tensors)))
        return None, []

    def logits(self, _: list[Array], host: int, split: Any, rows: list[int]) -> Any:
        """Logits of images with a module."""
        return None, [self._predictors[host](split, rows)]

    def forget(self, _: list[Array], host: int) -> Any:
        """Drops a module."""
        self._predictors.pop(host, None)
        return None, []

    def _configured(self, method: str, config: Any) -> tuple[type[BaseMethod[Any]], Any]:
        from . import config as configs

        kind = self.script.method(method)
        return kind, configs.read(kind.Config, config)

    def _runner(self, about: dict[str, Any]) -> Any:
        from ._training import runner
        from .setting import Setting

        kind, config = self._configured(about["method"], about["config"])
        parameters = kind.parameters(config, Setting.read(about["setting"]))
        fixed = {p.name: p.fixed for p in parameters}
        return runner(kind, config, self._pipes, about), fixed

    def answer(self, call: dict[str, Any], tensors: list[Array]) -> None:
        """Answers a call."""
        ((name, fields),) = call.items()
        try:
            value, results = getattr(self, name)(tensors, **fields)
            if name != "hello":
                self.script.check_imports()
        except Exception as error:
            self._pipes.send({"error": self._failure(error)})
            return
        self._pipes.send({"return": value}, results)

    def _failure(self, error: Exception) -> dict[str, str]:
        if isinstance(error, HarnessError):
            return {"kind": error.kind, "message": str(error)}
        traceback.print_exc()
        script = self._script.path if self._script else ""
        return {"kind": "internal", "message": described(error, script)}


def described(error: BaseException, script: str = "") -> str:
    """An error in one line, with the place in the author's files."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        return (
            f"it needs {package}, which {sys.executable} ({platform.python_version()}) does not "
            f"have: {sys.executable} -m pip install {package}"
        )
    where = ""
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{os.path.basename(error.filename)}:{error.lineno}: "
    for frame in traceback.extract_tb(error.__traceback__):
        if script and os.path.dirname(frame.filename) == os.path.dirname(script):
            where = f"{os.path.basename(frame.filename)}:{frame.lineno}: "
    text = f"{type(error).__name__}: {error}".splitlines()
    return where + " ".join(line.strip() for line in text if line.strip())


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answers calls until the harness closes the pipe."""
    try:
        pipes = Pipes(source, sink)
    except ModuleNotFoundError as error:
        _refuse(source, sink, described(error))
        return
    calls = Calls(pipes)
    while True:
        head, tensors = pipes.receive()
        calls.answer(head["call"], tensors)


def _refuse(source: BinaryIO, sink: BinaryIO, message: str) -> None:
    """Answers the first call without numpy."""
    import json
    import struct

    length, _ = struct.unpack("<IQ", source.read(12))
    source.read(length)
    head = {"error": {"kind": "config", "message": message}, "tensors": []}
    text = json.dumps(head).encode()
    sink.write(struct.pack("<IQ", len(text), 0) + text)
    sink.flush()
