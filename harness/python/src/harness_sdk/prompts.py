"""Prompts as segments in order, and edits of the towers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Optional

from .errors import ConfigError, NotInjectable
from .host import Dropout, Host, Tower
from .parameter import Init, Normal, Parameter, Words
from .setting import Setting


class Edits:
    """Changes inside one tower. Encoding is differentiable in every tensor."""

    def __init__(self, tower: Tower) -> None:
        self.tower: Tower = tower
        self.edits: list[dict[str, Any]] = []
        self.tensors: list[Any] = []

    def append(self, tokens: Any) -> Edits:
        """Appends tokens ``[n, D]`` or ``[B, n, D]`` after the patches at the image input."""
        if self.tower != "image":
            raise ConfigError("tokens can be appended in the image tower only")
        self.edits.append({"append-tokens": {"tensor": self.push_tokens(tokens)}})
        return self

    def replace(self, layer: int, start: int, tokens: Any) -> Edits:
        """Replaces tokens at the input of a block; 0 is the tower's input. In the image tower
        ``start`` counts from the end."""
        tensor = self.push_tokens(tokens)
        edit = {"tower": self.tower, "layer": layer, "start": start, "tensor": tensor}
        self.edits.append({"replace-tokens": edit})
        return self

    def low_rank(
        self, weight: str, a: Any, b: Any, scale: float, dropout: Dropout | None = None
    ) -> Edits:
        """Adds ``scale B A`` to a weight of a linear layer; ``a`` is ``[r, in]``, ``b``
        ``[out, r]``. :meth:`Host.dropout` gives dropout of the input."""
        edit: dict[str, Any] = {"tower": self.tower, "weight": weight}
        edit.update(a=self._push(a), b=self._push(b), scale=float(scale))
        if dropout is not None:
            edit["dropout"] = dropout.to_json()
        self.edits.append({"low-rank": edit})
        return self

    def bias(self, name: str, value: Any, mode: Literal["replace", "delta"] = "replace") -> Edits:
        """Replaces or adds to a bias, gain or weight."""
        edit = {"tower": self.tower, "name": name, "mode": mode, "tensor": self._push(value)}
        self.edits.append({"bias": edit})
        return self

    def push_tokens(self, tokens: Any) -> int:
        """Adds a tensor with all leading dimensions that the protocol requires for tokens."""
        full = 4 if self.tower == "text" else 3
        rank = len(tokens.shape)
        if rank < 2 or rank > full:
            raise ConfigError(
                f"tokens: expected [n, D] with up to {full - 2} leading dimensions, found "
                f"{list(tokens.shape)}"
            )
        return self._push(tokens.reshape((1,) * (full - rank) + tuple(tokens.shape)))

    def _push(self, tensor: Any) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1


class Prompts:
    """A builder of G groups of C prompts. The last token must be the end of text."""

    def __init__(self, classes: int, groups: int = 1) -> None:
        self.classes = classes
        self.groups = groups
        self._segments: list[dict[str, Any]] = []
        self._edits = Edits("text")

    def tokens(self, ids: Sequence[int]) -> Prompts:
        """Adds token ids shared by all prompts."""
        self._segments.append({"tokens": {"shared": [int(i) for i in ids]}})
        return self

    def class_tokens(self, rows: Sequence[Sequence[int]]) -> Prompts:
        """Adds token ids per class."""
        self._segments.append({"tokens": {"per-class": [[int(i) for i in r] for r in rows]}})
        return self

    def context(self, context: Any) -> Prompts:
        """Adds vectors: ``[M, D]`` shared, ``[C, M, D]`` per class or ``[G|1, C|1, M, D]``."""
        self._segments.append({"context": {"tensor": self._edits.push_tokens(context)}})
        return self

    def replace(self, layer: int, start: int, tokens: Any) -> Prompts:
        """Replaces the tokens from position ``start`` at the input of text block ``layer``."""
        self._edits.replace(layer, start, tokens)
        return self

    def with_edits(self, edits: Edits) -> Prompts:
        """Adds edits of the text tower."""
        first = len(self._edits.tensors)
        self._edits.tensors.extend(edits.tensors)
        for edit in edits.edits:
            ((kind, fields),) = edit.items()
            moved = {
                name: value + first if name in ("tensor", "a", "b") else value
                for name, value in fields.items()
            }
            self._edits.edits.append({kind: moved})
        return self

    def request(self, tape: bool) -> tuple[dict[str, Any], list[Any]]:
        """The request in the JSON of the protocol, and its tensors."""
        request: dict[str, Any] = {
            "groups": self.groups,
            "classes": self.classes,
            "segments": self._segments,
            "tape": tape,
        }
        if self._edits.edits:
            request["edits"] = self._edits.edits
        return request, self._edits.tensors


@dataclass(frozen=True)
class ClassPrompts:
    """``[SOS] context name . [EOS]`` for every class of the task."""

    start: int
    names: list[list[int]]
    placeholder: list[int]
    layer: int

    def with_context(self, context: Any) -> Prompts:
        """The prompts with a context ``[M, D]``, ``[C, M, D]`` or ``[G, C|1, M, D]``."""
        groups = context.shape[0] if len(context.shape) == 4 else 1
        prompts = Prompts(len(self.names), groups).tokens([self.start])
        if self.layer == 0:
            return prompts.context(context).class_tokens(self.names)
        prompts.tokens(self.placeholder).class_tokens(self.names)
        return prompts.replace(self.layer, 1, context)


@dataclass
class Context:
    """A learned context, which CoOp and its successors share."""

    length: Annotated[int, "M, the number of context vectors."] = 4
    init: Annotated[
        Optional[str],
        "Words that initialise the context with their embeddings; null for N(0, 0.02²). Fewer than "
        "`length` tokens fill the last positions; of more, the last are used.",
    ] = "a photo of a"
    class_token_position: Annotated[
        Literal["end"], "Position of the class name: after the context."
    ] = "end"
    layer: Annotated[
        int,
        "Where the context enters: 0 is the text input; j replaces the words of `init` at the "
        "input of text block j, initialised from N(0, 0.02²).",
    ] = 0

    def parameter(self, name: str, setting: Setting, class_specific: bool = False) -> Parameter:
        """The context as a parameter: ``[M, D]``, or ``[C, M, D]`` when class-specific."""
        text, backbone = setting.backbone.text, setting.backbone.name
        if self.length < 1:
            raise ConfigError("context.length must be at least 1")
        if self.length + 4 > text.context_length:
            raise NotInjectable(
                f"needs a context length of more than {self.length + 3} tokens, {backbone} has "
                f"{text.context_length}"
            )
        if self.layer >= text.layers:
            raise NotInjectable(
                f"needs text block {self.layer}, {backbone} has {text.layers} text blocks (0 to "
                f"{text.layers - 1})"
            )
        site = "text-block" if self.layer else "text-input"
        if site not in setting.backbone.sites:
            raise NotInjectable(f"needs the site {site}, which {backbone} does not offer")
        init: Init = Normal(0.02)
        if self.init is not None and self.layer == 0:
            init = Words(self.init)
        if class_specific:
            shape = [len(setting.task.classes), self.length, text.width]
            return Parameter(name, shape, init, class_axis=0)
        return Parameter(name, [self.length, text.width], init)

    def prompts(self, host: Host[Any], suffix: str = ".") -> ClassPrompts:
        """The class prompts, tokenised by the harness."""
        found = host.tokenize([name + suffix for name in host.class_names])
        names = [[*row, found.end_of_text] for row in found.rows]
        placeholder = self._placeholder(host) if self.layer else []
        return ClassPrompts(found.start_of_text, names, placeholder, self.layer)

    def _placeholder(self, host: Host[Any]) -> list[int]:
        (x, *_), words = host.tokenize(["x", self.init or ""]).rows
        words = words[max(0, len(words) - self.length) :]
        return [x] * (self.length - len(words)) + words
