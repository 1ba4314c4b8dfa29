"""CoOp: context optimisation (Zhou et al., arXiv 2109.01134), in PyTorch."""

from dataclasses import dataclass, field
from typing import Annotated

from harness_sdk import Card, Context
from harness_sdk.torch import Method


@dataclass
class Config:
    context: Annotated[Context, "The learned context."] = field(default_factory=Context)
    class_specific: Annotated[bool, "One context per class instead of a shared one."] = False


class CoOp(Method):
    """CoOp: context optimisation"""

    card = Card(
        id="coop-py",
        paper="arXiv 2109.01134",
        family="input",
        depth="text input",
        sites=["text-input"],
        recomputed=["token ids and embeddings of the class names"],
    )
    Config = Config

    @classmethod
    def parameters(cls, config, setting):
        return [config.context.parameter("ctx", setting, config.class_specific)]

    def setup(self, host):
        # [SOS] ctx name . [EOS] for every class.
        self.prompts = self.config.context.prompts(host)

    def classifier(self, host, parameters):
        return host.encode_text(self.prompts.with_context(parameters["ctx"]))[0]
