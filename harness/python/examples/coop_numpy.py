"""CoOp without PyTorch: the gradient of the loss by hand, through the harness's text tower."""

import numpy as np
from harness_sdk import Card, Context
from harness_sdk.numpy import Method, cross_entropy, normalize


class CoOp(Method):
    """CoOp with a gradient by hand"""

    card = Card(id="coop-numpy", paper="arXiv 2109.01134", family="input", sites=["text-input"])
    Config = Context

    @classmethod
    def parameters(cls, config, setting):
        return [config.parameter("ctx", setting)]

    def setup(self, host):
        self.prompts = self.config.prompts(host)

    def classifier(self, host, parameters):
        prompts = self.prompts.with_context(parameters["ctx"])
        return host.encode_text(prompts, tape=False).features[0]

    def gradients(self, host, parameters, batch):
        encoded = host.encode_text(self.prompts.with_context(parameters["ctx"]))
        text = encoded.features[0]
        norm = np.sqrt((text * text).sum(-1, keepdims=True))
        unit, image = text / norm, normalize(batch.features)
        scale = np.float32(host.logit_scale)
        loss, of_logits = cross_entropy(scale * image @ unit.T, batch.labels)
        of_unit = scale * of_logits.T @ image
        # Through the normalisation: only what is orthogonal to the feature changes it.
        of_text = (of_unit - unit * (of_unit * unit).sum(-1, keepdims=True)) / norm
        return loss, {"ctx": encoded.vjp(of_text[None])[0].reshape(parameters["ctx"].shape)}
