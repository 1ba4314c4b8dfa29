"""What a method implements; :mod:`harness_sdk.torch` and :mod:`harness_sdk.numpy` complete it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from .card import Card
from .config import NoConfig
from .host import Host, Split
from .parameter import Parameter
from .recipe import Recipe
from .setting import Setting

T = TypeVar("T")


class Batch(Generic[T]):
    """Images of a split; with labels, except for the test split."""

    def __init__(
        self, host: Host[T], split: Split, rows: Sequence[int], view: int = 0, labels: Any = None
    ) -> None:
        self._host = host
        self.split: Split = split
        #: Indices of the images in the split.
        self.rows = [int(row) for row in rows]
        #: The augmented view; epochs alternate between the views.
        self.view = view
        self._labels = labels
        self._frozen: T | None = None
        self.images: T | None = None

    @property
    def labels(self) -> Any:
        """Class indices ``[B]``."""
        if self._labels is None:
            raise ValueError("the labels of the test split are not disclosed")
        return self._labels

    @property
    def features(self) -> T:
        """Unnormalised image features ``[B, E]`` from ``images``; before it has run, from the
        frozen image tower."""
        return self.frozen_features if self.images is None else self.images

    @property
    def frozen_features(self) -> T:
        """Unnormalised image features ``[B, E]`` from the frozen image tower."""
        if self._frozen is None:
            self._frozen = self._host.image_features(self.split, self.rows, self.view)
        return self._frozen


@dataclass(frozen=True)
class Forward(Generic[T]):
    """The result of a forward pass: ``classifier`` ``[C, E]`` and ``logits`` ``[B, C]``."""

    classifier: T
    logits: T


class BaseMethod(Generic[T]):
    """A fine-tuning method.

    An instance holds what is computed from the backbone and recomputed on a target (``setup``).
    The declared ``parameters`` are trained on the source and carried to targets unchanged.
    """

    card: ClassVar[Card]
    #: A dataclass with defaults for all fields; a suite can set some.
    Config: ClassVar[type] = NoConfig
    #: Whether ``loss`` stops a gradient on purpose; gradients are then not compared with finite
    #: differences of the loss.
    stops_gradients: ClassVar[bool] = False

    def __init__(self, config: Any = None) -> None:
        self.config: Any = type(self).Config() if config is None else config

    @classmethod
    def recipe(cls, config: Any, setting: Setting) -> Recipe:
        """The training recipe unless a suite changes it; by default CoOp's."""
        return Recipe()

    @classmethod
    def parameters(cls, config: Any, setting: Setting) -> Sequence[Parameter]:
        """The parameters, from the backbone's dimensions. Raise :class:`NotInjectable` where the
        method cannot work, :class:`ConfigError` for an invalid configuration."""
        raise NotImplementedError(f"{cls.__name__} declares no parameters")

    def setup(self, host: Any) -> None:
        """Computes what is not carried: token ids, class embeddings, reference features."""

    def classifier(self, host: Any, parameters: Mapping[str, T]) -> T:
        """Unnormalised text features ``[C, E]`` of all classes; by default the zero-shot
        classifier. Called once per step and once per evaluation."""
        features: T = host.zero_shot()
        return features

    def images(self, host: Any, parameters: Mapping[str, T], batch: Batch[T]) -> T:
        """Unnormalised image features ``[B, E]`` of a batch; by default those of the frozen
        tower."""
        return batch.frozen_features

    def logits(
        self, host: Any, parameters: Mapping[str, T], batch: Batch[T], classifier: T
    ) -> T:
        """Logits ``[B, C]``; by default scaled cosine similarities."""
        raise NotImplementedError

    def build(self, host: Any, initial: dict[str, T]) -> Mapping[str, T]:
        """The parameters before the first step; by default the declared initial values."""
        return initial

    def epoch_weights(self, epochs: int) -> Sequence[float] | None:
        """One weight per epoch: the module is the weighted sum of the parameters after each
        epoch; None: those after the last."""
        return None

    def select(self, host: Any, trained: dict[str, T]) -> Mapping[str, T]:
        """Chooses the module on the validation split after training; by default as trained."""
        return trained
