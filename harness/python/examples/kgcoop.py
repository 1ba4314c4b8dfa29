"""KgCoOp: knowledge-guided context optimisation (Yao et al., arXiv 2303.13283), in PyTorch."""

from dataclasses import dataclass, field
from typing import Annotated

from harness_sdk import Card, ConfigError, Context, Recipe
from harness_sdk.torch import Method, cosine_distance


@dataclass
class Config:
    context: Annotated[Context, "The learned context."] = field(default_factory=Context)
    weight: Annotated[float, "w, the weight of the distance to the zero-shot text features."] = 8.0


class KgCoOp(Method):
    """KgCoOp: knowledge-guided context optimisation"""

    card = Card(
        id="kgcoop-py",
        paper="arXiv 2303.13283",
        family="input",
        depth="text input",
        sites=["text-input"],
        recomputed=["token ids and embeddings of the class names"],
    )
    Config = Config

    @classmethod
    def recipe(cls, config, setting):
        return Recipe(epochs=100, batch=128)

    @classmethod
    def parameters(cls, config, setting):
        if config.weight < 0.0:
            raise ConfigError(f"weight must not be negative, found {config.weight}")
        return [config.context.parameter("ctx", setting)]

    def setup(self, host):
        self.prompts = self.config.context.prompts(host)
        self.teacher = host.zero_shot() if host.setting.role == "source" else None

    def classifier(self, host, parameters):
        return host.encode_text(self.prompts.with_context(parameters["ctx"]))[0]

    def loss(self, host, parameters, batch, forward):
        loss = super().loss(host, parameters, batch, forward)
        return loss + self.config.weight * cosine_distance(forward.classifier, self.teacher)
