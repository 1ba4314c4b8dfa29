"""What a method in Python is written with.

Derive from :class:`harness_sdk.torch.Method`, or from :class:`harness_sdk.numpy.Method` for one
without PyTorch. The harness starts the file in a process of its own; its towers are differentiable
operations here, and initial values, the order of images, learning rates and module files are those
of every other method.
"""

from .card import Card
from .config import SideFile
from .errors import ConfigError, HarnessError, HostError, NotInjectable
from .host import Dropout, Host, Tokenized
from .method import Batch, Forward
from .parameter import (
    DYNAMIC,
    CopyOf,
    FromBackbone,
    ImageProjection,
    Normal,
    Parameter,
    Uniform,
    Words,
    WordsAfterZeros,
    Zeros,
)
from .prompts import ClassPrompts, Context, Edits, Prompts
from .recipe import Recipe
from .setting import Setting

__all__ = [
    "DYNAMIC",
    "Batch",
    "Card",
    "ClassPrompts",
    "ConfigError",
    "Context",
    "CopyOf",
    "Dropout",
    "Edits",
    "Forward",
    "FromBackbone",
    "HarnessError",
    "Host",
    "HostError",
    "ImageProjection",
    "Normal",
    "NotInjectable",
    "Parameter",
    "Prompts",
    "Recipe",
    "Setting",
    "SideFile",
    "Tokenized",
    "Uniform",
    "Words",
    "WordsAfterZeros",
    "Zeros",
]
