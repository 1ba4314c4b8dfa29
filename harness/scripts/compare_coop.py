#!/usr/bin/env python3
"""CoOp in PyTorch, for `harness plugin compare`: the pattern for a method of your own.

    harness plugin compare my-method --write-inputs inputs.safetensors
    python compare_coop.py inputs.safetensors expected.safetensors
    harness plugin compare my-method --expected expected.safetensors

Needs torch, safetensors and open_clip_torch. What the inputs hold, for a batch of B training images
and C classes:

    labels [B], image_features [B, E] (unnormalised), pixels [B, 3, N, N] (normalised)
    name_tokens [C, L]       "NAME." with start and end token, padded with 0
    template_tokens [C, L]   the data set's first template
    logit_scale []           the factor, not its logarithm
    param.NAME               the module before the first step

The expected file passes all of it on, with the metadata, and adds any of

    logits [B, C], loss [], grad.NAME, after3.NAME (after three steps of plain SGD with rate 0.1)
"""

import json
import sys

import open_clip
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file

RATE, STEPS = 0.1, 3


def read(path):
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()


def text_features(model, context, name_tokens):
    """Features [C, E] of `[SOS] context name . [EOT]`."""
    embedded = model.token_embedding(name_tokens)
    classes, length = name_tokens.shape
    ctx = context.expand(classes, -1, -1)
    x = torch.cat([embedded[:, :1], ctx, embedded[:, 1:]], 1)
    # The end token has the largest id, and moves behind the context.
    ends = name_tokens.argmax(1) + context.shape[0]
    x = x + model.positional_embedding[: x.shape[1]]
    x = model.transformer(x, attn_mask=model.attn_mask[: x.shape[1], : x.shape[1]])
    return model.ln_final(x)[torch.arange(classes), ends] @ model.text_projection


def main(inputs, expected):
    tensors, metadata = read(inputs)
    about = json.loads(metadata["harness"])
    model = open_clip.create_model("local-dir:" + about["weights"], precision="fp32").eval()
    model.requires_grad_(False)
    context = tensors["param.ctx"].clone().requires_grad_()
    images = F.normalize(tensors["image_features"], dim=-1)
    for step in range(STEPS):
        classifier = F.normalize(text_features(model, context, tensors["name_tokens"]), dim=-1)
        logits = tensors["logit_scale"] * images @ classifier.T
        loss = F.cross_entropy(logits, tensors["labels"])
        (gradient,) = torch.autograd.grad(loss, context)
        if step == 0:
            tensors |= {"logits": logits.detach(), "loss": loss.detach(), "grad.ctx": gradient}
        context = (context - RATE * gradient).detach().requires_grad_()
    tensors["after3.ctx"] = context.detach()
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, expected, metadata)


if __name__ == "__main__":
    main(*sys.argv[1:])
