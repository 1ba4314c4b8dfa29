"""CLIP-LoRA: low-rank adaptation of both towers (Zanella and Ben Ayed, arXiv 2405.18541)."""

from dataclasses import dataclass
from typing import Annotated

from harness_sdk import Card, Edits, Parameter, Prompts, Recipe, Uniform, Zeros
from harness_sdk.torch import Method


@dataclass
class Config:
    rank: Annotated[int, "r, the rank of every update."] = 2
    alpha: Annotated[float, "Updates are scaled by alpha / sqrt(r)."] = 1.0
    dropout: Annotated[float, "Dropout rate on the input of A during training."] = 0.25
    template: Annotated[str, "Prompt template; {} is the class name."] = "a photo of a {}."


def sites(setting, tower):
    """Each adapted projection of a tower: the prefix of its parameters and its weight."""
    layers = getattr(setting.backbone, tower).layers
    for layer in range(layers):
        for projection in "qkv":
            yield f"{tower}.{layer}.{projection}", f"blocks.{layer}.attn.{projection}.weight"


class ClipLora(Method):
    """CLIP-LoRA: low-rank adaptation of both towers"""

    card = Card(
        id="clip-lora-py",
        paper="arXiv 2405.18541",
        family="weights",
        depth="q, k, v of every block of both towers",
        sites=["weight"],
        data="pixels",
        carried=["A and B of every projection"],
        needs=["A [rank, width] and B [width, rank] of q, k and v of every block"],
        recomputed=["token ids of the class names"],
    )
    Config = Config

    @classmethod
    def recipe(cls, config, setting):
        return Recipe(
            optimizer="adam-w",
            lr=2e-4,
            weight_decay=1e-2,
            schedule="step-cosine",
            min_lr=1e-6,
            steps_per_shot=500,
        )

    @classmethod
    def parameters(cls, config, setting):
        declared = []
        for tower in ("text", "image"):
            width = getattr(setting.backbone, tower).width
            for site, _ in sites(setting, tower):
                a = Parameter(f"{site}.a", [config.rank, width], Uniform(width**-0.5))
                declared += [a, Parameter(f"{site}.b", [width, config.rank], Zeros())]
        return declared

    def setup(self, host):
        self.prompts = host.class_prompts(self.config.template)

    def edits(self, host, parameters, tower):
        edits = Edits(tower)
        scale = self.config.alpha / self.config.rank**0.5
        for site, weight in sites(host.setting, tower):
            a, b = parameters[f"{site}.a"], parameters[f"{site}.b"]
            edits.low_rank(weight, a, b, scale, host.dropout(self.config.dropout, site))
        return edits

    def classifier(self, host, parameters):
        prompts = Prompts(host.classes).class_tokens(self.prompts)
        return host.encode_text(prompts.with_edits(self.edits(host, parameters, "text")))[0]

    def images(self, host, parameters, batch):
        return host.encode_image(batch, self.edits(host, parameters, "image"))
