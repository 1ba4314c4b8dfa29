"""Tip-Adapter-F (Zhang et al., arXiv 2207.09519): a cache with trained keys, in PyTorch."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from harness_sdk import DYNAMIC, Card, Parameter, Recipe
from harness_sdk.torch import Method, cosine_logits
from torch.nn import functional as F


@dataclass
class Config:
    alpha: Annotated[float, "Weight of the cache before the search."] = 1.17
    beta: Annotated[float, "Sharpness of the cache before the search."] = 1.0
    search: Annotated[bool, "Whether alpha and beta are searched on the validation split."] = True
    search_scale: Annotated[
        tuple[float, float], "Upper bounds of the search, [beta, alpha]: 200 and 20 values."
    ] = (7.0, 3.0)
    own_scale: Annotated[bool, "Whether logits have the backbone's scale, else 100."] = False


class TipAdapterF(Method):
    """Tip-Adapter-F: the cache with trained keys"""

    card = Card(
        id="tip-adapter-f-py",
        paper="arXiv 2207.09519",
        family="features",
        depth="logits",
        sites=["image-feature", "logits"],
        recomputed=["the zero-shot classifier"],
    )
    Config = Config

    @classmethod
    def recipe(cls, config, setting):
        return Recipe(
            optimizer="adam-w",
            lr=1e-3,
            weight_decay=1e-2,
            eps=1e-4,
            schedule="step-cosine",
            epochs=20,
            batch=256,
        )

    @classmethod
    def parameters(cls, config, setting):
        return [
            Parameter("keys", [DYNAMIC, setting.backbone.embed_dim]),
            Parameter("values", [DYNAMIC, len(setting.task.classes)], class_axis=1, fixed=True),
            Parameter("alpha", [1], fixed=True),
            Parameter("beta", [1], fixed=True),
        ]

    def setup(self, host):
        self.text = host.zero_shot()
        self.scale = host.logit_scale if self.config.own_scale else 100.0

    def build(self, host, initial):
        labels = host.labels("train")
        views = range(host.setting.task.train_views)
        features = [host.image_features("train", range(len(labels)), view) for view in views]
        return {
            "keys": F.normalize(sum(features) / len(features), dim=-1),
            "values": F.one_hot(labels, host.classes).float(),
            "alpha": torch.tensor([self.config.alpha]),
            "beta": torch.tensor([self.config.beta]),
        }

    def cache(self, image, parameters, beta):
        """``exp(-beta (1 - f F)) V``, ``[B, C]``."""
        affinity = image @ parameters["keys"].T
        return (beta * (affinity - 1.0)).exp() @ parameters["values"]

    def logits(self, host, parameters, batch, classifier):
        image = F.normalize(batch.features, dim=-1)
        cached = self.cache(image, parameters, parameters["beta"])
        return cosine_logits(image, self.text, self.scale) + parameters["alpha"] * cached

    def select(self, host, trained):
        labels = host.labels("val")
        if not self.config.search or not len(labels):
            return trained
        image = F.normalize(host.image_features("val", range(len(labels))), dim=-1)
        zero_shot = cosine_logits(image, self.text, self.scale)
        best = (-1, None, None)
        for beta in grid(self.config.search_scale[0], 200):
            cached = self.cache(image, trained, beta)
            for alpha in grid(self.config.search_scale[1], 20):
                # The first of equal logits counts, and the first of equally good pairs.
                predicted = (zero_shot + alpha * cached).numpy().argmax(-1)
                correct = int((predicted == labels.numpy()).sum())
                if correct > best[0]:
                    best = (correct, alpha, beta)
        _, alpha, beta = best
        return {**trained, "alpha": torch.tensor([alpha]), "beta": torch.tensor([beta])}


def grid(end, steps):
    """Evenly spaced values from 0.1 up to but excluding ``end``."""
    return [float(np.float32(i * (end - 0.1) / steps + 0.1)) for i in range(steps)]
