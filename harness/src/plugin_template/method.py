"""@TYPE@: learned vectors before the class name, as in CoOp (arXiv 2109.01134).

Replace what differs in your method. Other hooks: logits, loss, images, recipe, optimizer, build,
select.
"""

from dataclasses import dataclass
from typing import Annotated

from harness_sdk import Card, Parameter, Prompts, Words
from harness_sdk.torch import Method


@dataclass
class Config:
    """What a suite can set under `config:`. Unknown keys are errors."""

    length: Annotated[int, "M, the number of learned vectors."] = 4


class @TYPE@(Method):
    """@TYPE@: one line on its idea"""

    card = Card(
        id="@NAME@",
        paper="unpublished",
        family="input",
        depth="text input",
        sites=["text-input"],
        recomputed=["token ids of the class names"],
    )
    Config = Config

    @classmethod
    def parameters(cls, config, setting):
        # self.ctx = nn.Parameter(token_embedding("a photo of a"))
        shape = [config.length, setting.backbone.text.width]
        return [Parameter("ctx", shape, Words("a photo of a"))]

    def setup(self, host):
        """What is computed from the backbone at hand, and again on a target."""
        tokens = host.tokenize([f"{name}." for name in host.class_names])
        self.start = tokens.start_of_text
        self.names = [[*row, tokens.end_of_text] for row in tokens.rows]

    def classifier(self, host, parameters):
        """`encode(cat([SOS], ctx, name . [EOT]))`, `[C, E]`; the harness adds the cosine logits,
        the cross entropy and the training."""
        prompts = Prompts(host.classes).tokens([self.start])
        return host.encode_text(prompts.context(parameters["ctx"]).class_tokens(self.names))[0]
