"""Writes proda.{json,safetensors}: the method's formula in PyTorch.

    python plugins/proda/tests/golden/make.py

Needs torch and safetensors, only to write the files anew. The inputs are those of the
other methods' cases, harness/fixtures/golden.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
GOLDEN = HERE.parents[3] / "harness/fixtures/golden"
WEIGHTS = load_file(GOLDEN / "backbones/open-clip-quickgelu/model.safetensors")
CONFIG = json.loads((GOLDEN / "backbones/open-clip-quickgelu/config.json").read_text())
INPUTS = load_file(GOLDEN / "methods/inputs.safetensors")
WORDS = json.loads((GOLDEN / "methods/inputs.json").read_text())
SCALE = INPUTS["logit_scale"].reshape(())
LABELS = INPUTS["labels"]


def block(x, at, heads, mask):
    """A pre-norm transformer block with QuickGELU; x is [N, S, D]."""
    n, s, d = x.shape
    w = lambda name: WEIGHTS[at + name]
    h = F.layer_norm(x, (d,), w("ln_1.weight"), w("ln_1.bias"))
    qkv = F.linear(h, w("attn.in_proj_weight"), w("attn.in_proj_bias"))
    q, k, v = (t.reshape(n, s, heads, -1).transpose(1, 2) for t in qkv.split(d, dim=2))
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    mixed = mixed.transpose(1, 2).reshape(n, s, d)
    x = x + F.linear(mixed, w("attn.out_proj.weight"), w("attn.out_proj.bias"))
    h = F.layer_norm(x, (d,), w("ln_2.weight"), w("ln_2.bias"))
    h = F.linear(h, w("mlp.c_fc.weight"), w("mlp.c_fc.bias"))
    h = h * torch.sigmoid(1.702 * h)
    return x + F.linear(h, w("mlp.c_proj.weight"), w("mlp.c_proj.bias"))


def depth(prefix):
    return len({name.split(".")[prefix.count(".")] for name in WEIGHTS if name.startswith(prefix)})


def encode(x):
    """Feature [E] of one prompt [S, D] that ends in [EOT]."""
    x = (x + WEIGHTS["positional_embedding"][: len(x)])[None]
    mask = torch.full((x.shape[1], x.shape[1]), float("-inf")).triu(1)
    for i in range(depth("transformer.resblocks.")):
        x = block(x, f"transformer.resblocks.{i}.", CONFIG["text_cfg"]["heads"], mask)
    end = x[0, -1]
    end = F.layer_norm(end, end.shape, WEIGHTS["ln_final.weight"], WEIGHTS["ln_final.bias"])
    return F.normalize(end @ WEIGHTS["text_projection"], dim=0)


def features(contexts):
    """Normalised features [K, C, E] with the class name in front, in the middle, at the end, at the end."""
    embed = WEIGHTS["token_embedding.weight"]
    start, end = embed[[WORDS["sot"]]], embed[[WORDS["period"], WORDS["eot"]]]
    rows = []
    for at, context in enumerate(contexts):
        before = [0, len(context) // 2, len(context), len(context)][at]
        for name in WORDS["class_name_token_ids"]:
            parts = [start, context[:before], embed[name], context[before:], end]
            rows.append(encode(torch.cat(parts)))
    return torch.stack(rows).reshape(len(contexts), -1, rows[0].shape[0])


def alone(contexts):
    """Normalised features [K, E] of the contexts without a class name."""
    embed = WEIGHTS["token_embedding.weight"]
    start, end = embed[[WORDS["sot"]]], embed[[WORDS["period"], WORDS["eot"]]]
    return torch.stack([encode(torch.cat([start, context, end])) for context in contexts])


def write(parameters, forward, about):
    """`parameters` are leaves by name; `forward` gives logits and loss from them."""
    out = {f"param.{n}": p.detach().clone() for n, p in parameters.items()}
    for step in range(3):
        logits, loss = forward(parameters)
        gradients = torch.autograd.grad(loss, list(parameters.values()))
        if step == 0:
            out |= {"logits": logits.detach(), "loss": loss.detach().reshape(1)}
            out |= {f"grad.{n}": g for n, g in zip(parameters, gradients)}
        with torch.no_grad():
            for p, g in zip(parameters.values(), gradients):
                p -= 0.1 * g
    out |= {f"after3.{n}": p.detach().clone() for n, p in parameters.items()}
    out = {name: tensor.contiguous() for name, tensor in out.items()}
    save_file(out, HERE / "proda.safetensors")
    (HERE / "proda.json").write_text(json.dumps(about, indent=1) + "\n")


def main():
    torch.manual_seed(17)
    images = F.normalize(INPUTS["image_features_raw"], dim=1)
    rows = torch.arange(len(LABELS))

    def forward(p):
        samples = features(p["ctx"])
        mean = samples.mean(0)
        logits = SCALE * images @ mean.T
        centred = samples - mean
        # [E, C, C], a diagonal over E of the covariance between classes.
        covariance = torch.einsum("pie,pke->eik", centred, centred) / (len(samples) + 1)
        quadratic = torch.einsum("be,eik->bik", images**2, covariance)
        own = quadratic[rows, LABELS, LABELS][:, None]
        between = quadratic[rows, LABELS]
        sigma = own + quadratic.diagonal(dim1=1, dim2=2) - 2 * between
        cosines = alone(p["ctx"]) @ alone(p["ctx"]).T
        pairs = cosines[~torch.eye(len(cosines), dtype=torch.bool)]
        bound = F.cross_entropy(logits + SCALE**2 / 2 * sigma, LABELS)
        return logits, bound + 0.1 * pairs.abs().mean()

    # Larger than the initial values of the method, so that the prompts differ.
    ctx = 0.2 * torch.randn(4, 3, WEIGHTS["token_embedding.weight"].shape[1])
    about = {"loss": "CE of the logits + s^2/2 sigma, + 0.1 mean |cos| of the contexts alone"}
    write({"ctx": ctx.requires_grad_()}, forward, about)


main()
