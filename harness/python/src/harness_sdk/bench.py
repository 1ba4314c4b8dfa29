"""A small backbone in numpy, to test methods without the harness.

Its towers have blocks that mix tokens, like a transformer's, and answer the same requests: prompts
with contexts, edits of tokens, weights and biases, and their gradients. Its numbers mean nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._frames import Array
from ._training import Runner, Step, Steps, runner
from .config import read
from .errors import HostError
from .host import Host, Split
from .method import BaseMethod
from .parameter import (
    CopyOf,
    FromBackbone,
    ImageProjection,
    Normal,
    Parameter,
    Uniform,
    Words,
    WordsAfterZeros,
)
from .recipe import Recipe
from .setting import Setting

Floats = NDArray[np.float64]

START, END, CONTEXT_LENGTH, VOCABULARY = 1, 2, 24, 400
ROWS = {"train": 12, "val": 6, "test": 12}
PATCHES = 4
PROJECTIONS = ("q", "k", "v", "out")


class Bench:
    """A backbone with a task; implements what a method asks of the harness.

    ``seed`` decides the weights and the images; another ``width`` is that of another architecture.
    """

    def __init__(
        self,
        role: str = "source",
        seed: int = 1,
        width: int = 16,
        classes: Sequence[str] = ("red circle", "blue square", "cross"),
    ) -> None:
        rng = np.random.default_rng(seed)
        self.text = _Tower(rng, width, 8)
        self.image = _Tower(rng, 12, 8)
        self._embeddings = rng.normal(size=(VOCABULARY, width))
        self._positions = rng.normal(size=(CONTEXT_LENGTH, width)) * 0.3
        self._pixels = {s: rng.normal(size=(n, PATCHES + 1, 12)) for s, n in ROWS.items()}
        self._labels = {s: [i % len(classes) for i in range(n)] for s, n in ROWS.items()}
        self._tapes: dict[int, Callable[[Floats], list[Floats]]] = {}
        self._next_tape = 0
        self._steps: Iterator[list[Step]] = iter(())
        self.losses: list[float] = []
        self.setting = self._setting(role, width, classes)

    def _setting(self, role: str, width: int, classes: Sequence[str]) -> Setting:
        def facts(tower: _Tower) -> dict[str, Any]:
            return {"width": tower.width, "layers": tower.layers, "heads": 2}

        parameters = [
            {"tower": name, "name": key, "shape": list(value.shape)}
            for name, tower in (("text", self.text), ("image", self.image))
            for key, value in tower.weights.items()
        ]
        names = [{"id": f"id-{name}", "name": name} for name in classes]
        is_source = role == "source"
        text = {"context_length": CONTEXT_LENGTH, "vocab_size": VOCABULARY, "activation": "gelu"}
        image = {"patches": PATCHES, "has_ln_pre": True, "has_rope": False}
        sites = "text-input text-block image-input image-block weight bias image-feature"
        return Setting.read(
            {
                "backbone": {
                    "name": f"bench-{width}",
                    "embed_dim": 8,
                    "text": {**facts(self.text), **text},
                    "image": {**facts(self.image), **image},
                    "sites": [*sites.split(), "text-feature", "logits"],
                    "parameters": parameters,
                },
                "role": role,
                "task": {
                    "dataset": "bench",
                    "classes": names,
                    "templates": ["a photo of a {}."],
                    "train_rows": ROWS["train"] if is_source else 0,
                    "train_views": 1,
                    "val_rows": ROWS["val"] if is_source else 0,
                },
            }
        )

    @property
    def open_tapes(self) -> int:
        """Tapes that were not released."""
        return len(self._tapes)

    def run(self, kind: type[BaseMethod[Any]], config: Any = None, seed: int = 1) -> Runner[Any]:
        """A method on this backbone; ``config`` is a mapping as in a suite."""
        about = {
            "host": 0,
            "setting": self.setting.raw,
            "logit_scale": 10.0,
            "seed": seed,
        }
        return runner(kind, read(kind.Config, config or {}), self, about)

    def host(self, kind: type[BaseMethod[Any]]) -> Host[Any]:
        """The host as a method of this class sees it."""
        return self.run(kind).host

    def train(
        self,
        kind: type[BaseMethod[Any]],
        config: Any = None,
        seed: int = 1,
        epochs: int = 2,
        check_gradients: bool = False,
    ) -> dict[str, Array]:
        """The module that a method trains in a few steps of 4 images at a constant rate."""
        running = self.run(kind, config, seed)
        declared = self._declared(kind, running)
        recipe = kind.recipe(running.method.config, self.setting)
        rng = np.random.default_rng(seed)
        initial: dict[str, Array] = {}
        for parameter in declared:
            initial[parameter.name] = self._initial(parameter, initial, rng)
        self._steps = self._plan(rng, recipe, epochs)
        fixed = {p.name: p.fixed for p in declared}
        steps = Steps(running.host, epochs)
        return running.train(initial, fixed, recipe, steps, check_gradients)[0]

    def probe(
        self, kind: type[BaseMethod[Any]], module: Mapping[str, Array], config: Any = None
    ) -> tuple[float, Array, dict[str, Array]]:
        """Loss, logits and gradients of a module on six training images."""
        running = self.run(kind, config)
        fixed = {p.name: p.fixed for p in self._declared(kind, running)}
        return running.probe(dict(module), fixed, running.batch("train", range(6)))

    def logits(
        self,
        kind: type[BaseMethod[Any]],
        module: Mapping[str, Array],
        config: Any = None,
        rows: Sequence[int] = (0, 3, 5),
    ) -> Array:
        """Logits of test images with a module."""
        return self.run(kind, config).predictor(dict(module))("test", rows)

    def _declared(self, kind: type[BaseMethod[Any]], running: Runner[Any]) -> list[Parameter]:
        return list(kind.parameters(running.method.config, self.setting))

    def _plan(self, rng: np.random.Generator, recipe: Recipe, epochs: int) -> Iterator[list[Step]]:
        number = 0
        for _ in range(epochs):
            order = rng.permutation(ROWS["train"]).tolist()
            steps = []
            for first in range(0, len(order), 4):
                seed = int(rng.integers(1 << 62))
                steps.append(Step(number, order[first : first + 4], 0, recipe.lr, seed))
                number += 1
            yield steps

    def _initial(
        self, parameter: Parameter, earlier: Mapping[str, Array], rng: np.random.Generator
    ) -> Array:
        init, shape = parameter.init, tuple(parameter.shape)
        value: Floats = np.zeros(shape)
        if isinstance(init, Normal):
            value = rng.normal(0.0, init.std, shape)
        elif isinstance(init, Uniform):
            value = rng.uniform(-init.bound, init.bound, shape)
        elif isinstance(init, (Words, WordsAfterZeros)):
            value = rng.normal(0.0, 0.02 if isinstance(init, Words) else 0.0, shape)
            ids = [_word(w) for w in init.text.split()][-shape[-2] :]
            value[..., shape[-2] - len(ids) :, :] = self._embeddings[ids]
        elif isinstance(init, FromBackbone):
            value = self._tower(init.tower).weights[init.name].copy()
        elif isinstance(init, ImageProjection):
            value = self.image.projection.copy()
        elif isinstance(init, CopyOf):
            return earlier[init.name].copy()
        return value.astype(np.float32)

    # What a method asks.

    def release(self, tape: int) -> None:
        """Frees a tape."""
        self._tapes.pop(tape, None)

    def ask(
        self, host: int, ask: dict[str, Any], tensors: Sequence[Array] = ()
    ) -> tuple[Any, list[Array]]:
        """Answers a request in the JSON of the protocol."""
        ((kind, request),) = ask.items()
        given = [np.asarray(t, dtype=np.float64) for t in tensors]
        if kind == "service":
            return self._service(request)
        if kind == "vjp":
            gradients = self._tapes[request["tape"]](given[0])
            return None, [g.astype(np.float32) for g in gradients]
        if kind == "epoch":
            steps = next(self._steps, None)
            return steps and [vars(step) for step in steps], []
        if kind == "stepped":
            self.losses.append(request["loss"])
            return None, []
        features, backward = self._encode(kind, request, given)
        tape = None
        if request["tape"]:
            self._next_tape += 1
            tape = self._next_tape
            self._tapes[tape] = backward
        return {"tape": tape}, [features.astype(np.float32)]

    def _service(self, request: dict[str, Any]) -> tuple[Any, list[Array]]:
        name = request["service"]
        found: Floats
        if name == "tokenize":
            rows = [[_word(w) for w in text.split()] for text in request["texts"]]
            return {"rows": rows, "start_of_text": START, "end_of_text": END}, []
        if name == "labels":
            self._refuse_test(request["split"])
            return self._labels[request["split"]], []
        if name == "token-embeddings":
            found = self._embeddings[request["ids"]]
        elif name == "class-features":
            found = self._class_features(request["templates"])
        elif name == "image-features":
            pixels = self._images(request["split"], request["rows"])
            found = np.stack([self.image.forward(p, {}, {}, 0)[0] for p in pixels])
        elif name == "image-activations" and request["stage"] == "before-projection":
            found = self._images(request["split"], request["rows"])[:, 0]
        elif name == "image-activations":
            pixels = self._images(request["split"], request["rows"])
            found = pixels[:, 1:] @ self.image.projection.T
        elif name == "parameter" and request["name"] == "head.weight":
            found = self.image.projection
        elif name == "parameter":
            found = self._tower(request["tower"]).weight(request["name"])
        else:
            raise HostError("request", f"the bench has no service {name}")
        return None, [found.astype(np.float32)]

    def _refuse_test(self, split: Split) -> None:
        if split == "test":
            raise HostError("request", "the test split is not disclosed")

    def _tower(self, name: str) -> _Tower:
        return self.text if name == "text" else self.image

    def _images(self, split: str, rows: Sequence[int]) -> Floats:
        if any(not 0 <= row < ROWS[split] for row in rows):
            raise HostError("request", f"a row of {list(rows)} is out of range")
        found: Floats = self._pixels[split][list(rows)]
        return found

    def _class_features(self, templates: Sequence[str]) -> Floats:
        total: Floats = np.zeros((len(self.setting.task.classes), 8))
        for template in templates:
            for at, c in enumerate(self.setting.task.classes):
                words = template.replace("{}", c.name.replace("_", " ")).split()
                ids = [START, *map(_word, words), END]
                tokens = self._embeddings[ids] + self._positions[: len(ids)]
                feature, _ = self.text.forward(tokens, {}, {}, -1)
                total[at] += feature / np.linalg.norm(feature)
        unit: Floats = total / np.linalg.norm(total, axis=-1, keepdims=True)
        return unit

    def _encode(
        self, kind: str, request: dict[str, Any], given: list[Floats]
    ) -> tuple[Floats, Callable[[Floats], list[Floats]]]:
        edits = request.get("edits", [])
        if kind == "encode-text":
            shape: tuple[int, ...] = (request["groups"], request["classes"])
            prompts = [
                self._prompt(request, given, g, c)
                for g in range(shape[0])
                for c in range(shape[1])
            ]
            tower, read_at = self.text, -1
        else:
            pixels = self._images(request["split"], request["rows"])
            shape = (len(pixels),)
            prompts = []
            for at, image in enumerate(pixels):
                sources: list[tuple[Floats, _Place | None]] = [(row, None) for row in image]
                for edit in edits:
                    if "append-tokens" in edit:
                        sources += _rows(edit["append-tokens"]["tensor"], given, (at,))
                prompts.append(sources)
            tower, read_at = self.image, 0
        features, backwards = [], []
        for at, sources in enumerate(prompts):
            index = (at // shape[1], at % shape[1]) if len(shape) == 2 else (at,)
            feature, backward = _one(tower, sources, edits, given, index, read_at)
            features.append(feature)
            backwards.append(backward)

        def backward_all(cotangent: Floats) -> list[Floats]:
            gradients = [np.zeros_like(t) for t in given]
            for one, c in zip(backwards, cotangent.reshape(-1, cotangent.shape[-1])):
                one(c, gradients)
            return gradients

        return np.stack(features).reshape(*shape, -1), backward_all

    def _prompt(
        self, request: dict[str, Any], given: list[Floats], g: int, c: int
    ) -> list[tuple[Floats, _Place | None]]:
        sources: list[tuple[Floats, _Place | None]] = []
        for segment in request["segments"]:
            if "context" in segment:
                sources += _rows(segment["context"]["tensor"], given, (g, c))
                continue
            tokens = segment["tokens"]
            ids = tokens["shared"] if "shared" in tokens else tokens["per-class"][c]
            sources += [(self._embeddings[i], None) for i in ids]
        if len(sources) > CONTEXT_LENGTH:
            raise HostError("request", f"a prompt of {len(sources)} tokens is too long")
        return [(row + self._positions[at], place) for at, (row, place) in enumerate(sources)]


#: Where a token comes from: a tensor of the request and the index of a row in it.
_Place = tuple[int, tuple[int, ...]]


def _word(word: str) -> int:
    return 3 + sum(ord(letter) * (at + 1) for at, letter in enumerate(word)) % (VOCABULARY - 3)


def _rows(
    tensor: int, given: list[Floats], index: tuple[int, ...]
) -> list[tuple[Floats, _Place | None]]:
    """The rows of a tensor of tokens for one prompt or image; dimensions of 1 are shared."""
    value = given[tensor]
    lead = tuple(min(i, n - 1) for i, n in zip(index, value.shape))
    return [(value[(*lead, row)], (tensor, (*lead, row))) for row in range(value.shape[-2])]


def _one(
    tower: _Tower,
    sources: list[tuple[Floats, _Place | None]],
    edits: list[dict[str, Any]],
    given: list[Floats],
    index: tuple[int, ...],
    read_at: int,
) -> tuple[Floats, Callable[[Floats, list[Floats]], None]]:
    """The feature of one prompt or image, and what adds its gradients."""
    tokens = np.stack([row for row, _ in sources])
    places: dict[int, list[tuple[int, _Place]]] = {0: []}
    places[0] = [(at, place) for at, (_, place) in enumerate(sources) if place]
    replaced: dict[int, dict[int, Floats]] = {}
    weights: dict[str, Floats] = {}
    for edit in edits:
        ((kind, fields),) = edit.items()
        if kind == "replace-tokens":
            layer, rows = fields["layer"], _rows(fields["tensor"], given, index)
            start = fields["start"]
            start = len(tokens) - start if tower.is_image else start
            for at, (row, place) in enumerate(rows, start):
                replaced.setdefault(layer, {})[at] = row
                if place:
                    kept = [p for p in places.get(layer, []) if p[0] != at]
                    places[layer] = [*kept, (at, place)]
        elif kind == "low-rank":
            change = fields["scale"] * given[fields["b"]] @ given[fields["a"]]
            weights[fields["weight"]] = tower.weight(fields["weight"], weights) + change
        elif kind == "bias":
            old = tower.weight(fields["name"], weights)
            new = given[fields["tensor"]]
            weights[fields["name"]] = old + new if fields["mode"] == "delta" else new
    feature, trace = tower.forward(tokens, replaced, weights, read_at)

    def backward(cotangent: Floats, gradients: list[Floats]) -> None:
        of_tokens, of_weights = trace(cotangent)
        for layer, found in places.items():
            for at, (tensor, row) in found:
                gradients[tensor][row] += of_tokens[layer][at]
        for edit in edits:
            ((kind, fields),) = edit.items()
            if kind == "low-rank":
                change = fields["scale"] * of_weights[fields["weight"]]
                gradients[fields["a"]] += given[fields["b"]].T @ change
                gradients[fields["b"]] += change @ given[fields["a"]].T
            elif kind == "bias":
                gradients[fields["tensor"]] += of_weights[fields["name"]]

    return feature, backward


class _Tower:
    """Blocks ``h + tanh((h + mean h) W + b)``, where W and b are sums of four editable ones."""

    def __init__(self, rng: np.random.Generator, width: int, embed: int, layers: int = 2) -> None:
        self.width, self.layers = width, layers
        self.is_image = width == 12
        self.projection: Floats = rng.normal(size=(embed, width)) / math.sqrt(width)
        self.weights: dict[str, Floats] = {}
        for layer in range(layers):
            for name in PROJECTIONS:
                scale = 0.5 / math.sqrt(width)
                weight = rng.normal(size=(width, width)) * scale
                self.weights[f"blocks.{layer}.attn.{name}.weight"] = weight
                self.weights[f"blocks.{layer}.attn.{name}.bias"] = rng.normal(size=width) * 0.1

    def weight(self, name: str, edited: Mapping[str, Floats] | None = None) -> Floats:
        """A weight or bias; an unknown name is an error as the harness's."""
        found = (edited or {}).get(name, self.weights.get(name))
        if found is None:
            raise HostError("not-offered", f"the bench has no parameter {name}")
        return found

    def _sum(self, layer: int, kind: str, edited: Mapping[str, Floats]) -> Floats:
        names = [f"blocks.{layer}.attn.{name}.{kind}" for name in PROJECTIONS]
        total: Floats = sum((self.weight(name, edited) for name in names), np.zeros(1))
        return total

    def forward(
        self,
        tokens: Floats,
        replaced: Mapping[int, Mapping[int, Floats]],
        edited: Mapping[str, Floats],
        read_at: int,
    ) -> tuple[Floats, Callable[[Floats], tuple[list[Floats], dict[str, Floats]]]]:
        """The feature, and its backward pass: gradients of the tokens at the input of every block
        and of the weights."""
        kept = []
        hidden = tokens
        for layer in range(self.layers):
            hidden = hidden.copy()
            for at, row in replaced.get(layer, {}).items():
                hidden[at] = row
            mixed = hidden + hidden.mean(0)
            weight = self._sum(layer, "weight", edited)
            active = np.tanh(mixed @ weight.T + self._sum(layer, "bias", edited))
            kept.append((mixed, weight, active))
            hidden = hidden + active
        feature: Floats = self.projection @ hidden[read_at]

        def backward(cotangent: Floats) -> tuple[list[Floats], dict[str, Floats]]:
            gradient = np.zeros_like(hidden)
            gradient[read_at] = self.projection.T @ cotangent
            of_tokens: list[Floats] = [np.zeros(0)] * self.layers
            of_weights: dict[str, Floats] = {}
            for layer in reversed(range(self.layers)):
                mixed, weight, active = kept[layer]
                inner = gradient * (1.0 - active**2)
                for name in PROJECTIONS:
                    of_weights[f"blocks.{layer}.attn.{name}.weight"] = inner.T @ mixed
                    of_weights[f"blocks.{layer}.attn.{name}.bias"] = inner.sum(0)
                through = inner @ weight
                gradient = gradient + through + through.mean(0)
                of_tokens[layer] = gradient
                gradient = gradient.copy()
                for at in replaced.get(layer, {}):
                    gradient[at] = 0.0
            return of_tokens, of_weights

        return feature, backward
