"""ContCoOp (arXiv 2412.20895): a context that attends to class embeddings, in PyTorch.

The paper gives neither the attention layer nor the class embedding: this follows the choices of the
plugin in Rust.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal, Optional

import torch
from harness_sdk import Card, Context, NotInjectable, Parameter, Uniform, Zeros
from harness_sdk.torch import Method, cosine_logits, distillation
from torch.nn import functional as F


@dataclass
class Config:
    context: Annotated[Context, "The learned context."] = field(default_factory=Context)
    class_embedding: Annotated[
        Literal["name-tokens", "text-feature"],
        "What the context attends to: the token embeddings of the class name, or itself and the "
        "zero-shot text feature.",
    ] = "name-tokens"
    heads: Annotated[
        Optional[int], "Attention heads; null for one per 64 of the text width."
    ] = None
    bias: Annotated[bool, "Whether the four projections have biases."] = True
    weight: Annotated[float, "lambda, the weight of the distillation loss."] = 1.0
    temperature: Annotated[float, "Temperature of the distillation."] = 1.0


class ContCoOp(Method):
    """ContCoOp: class-conditioned context optimisation"""

    card = Card(
        id="contcoop-py",
        paper="arXiv 2412.20895",
        family="input",
        depth="text input",
        sites=["text-input"],
        recomputed=["class embeddings", "token ids and embeddings of the class names"],
    )
    Config = Config

    @classmethod
    def parameters(cls, config, setting):
        width = setting.backbone.text.width
        declared = [config.context.parameter("ctx", setting)]
        for name in "qkvo":
            init = Zeros() if name == "o" else Uniform(width**-0.5)
            declared.append(Parameter(f"w{name}", [width, width], init))
            if config.bias:
                declared.append(Parameter(f"b{name}", [width]))
        return declared

    def setup(self, host):
        self.prompts = self.config.context.prompts(host)
        self.teacher = host.zero_shot()
        width = host.setting.backbone.text.width
        self.heads = self.config.heads or max(1, width // 64)
        if width % self.heads:
            raise NotInjectable(f"{self.heads} heads do not divide the text width {width}")
        if self.config.class_embedding == "name-tokens":
            self.rows, self.mask = self.name_tokens(host)
        else:
            self.rows, self.mask = self.text_feature(width)

    def name_tokens(self, host):
        names = host.tokenize(host.class_names).rows
        longest = max(len(name) for name in names)
        ids = [name + [name[0]] * (longest - len(name)) for name in names]
        rows = host.token_embeddings([i for name in ids for i in name])
        mask = torch.zeros(len(names), longest)
        for at, name in enumerate(names):
            mask[at, len(name) :] = -1e9
        return rows.reshape(len(names), longest, -1), mask

    def text_feature(self, width):
        classes, embed = self.teacher.shape
        if embed > width:
            raise NotInjectable(f"text features of dimension {embed} do not fit the width {width}")
        return F.pad(self.teacher, (0, width - embed))[:, None], torch.zeros(classes, 1)

    def classifier(self, host, parameters):
        context = self.class_context(parameters)
        return host.encode_text(self.prompts.with_context(context))[0]

    def class_context(self, parameters):
        """``ctx + W_o MHA(Q = W_q ctx, K = W_k x, V = W_v x)`` for every class, ``[C, M, D]``."""
        context, rows, mask = parameters["ctx"], self.rows, self.mask
        classes, (length, width) = len(rows), context.shape
        if self.config.class_embedding == "text-feature":
            rows = torch.cat([context.expand(classes, -1, -1), rows], 1)
            mask = torch.cat([torch.zeros(classes, length), mask], 1)

        def project(name, x):
            return F.linear(x, parameters[f"w{name}"], parameters.get(f"b{name}"))

        def split(x):
            return x.reshape(classes, -1, self.heads, width // self.heads).transpose(1, 2)

        queries = split(project("q", context).expand(classes, -1, -1))
        keys, values = split(project("k", rows)), split(project("v", rows))
        scores = queries @ keys.transpose(2, 3) * (width // self.heads) ** -0.5
        weights = (scores + mask[:, None, None]).softmax(-1)
        mixed = (weights @ values).transpose(1, 2).reshape(classes, length, width)
        return context + project("o", mixed)

    def loss(self, host, parameters, batch, forward):
        teacher = cosine_logits(batch.features, self.teacher, host.logit_scale)
        kept = distillation(forward.logits, teacher, self.config.temperature)
        return super().loss(host, parameters, batch, forward) + self.config.weight * kept
