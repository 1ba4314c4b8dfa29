"""Writes prolip.{json,safetensors}: the method's formula in PyTorch.

    python plugins/prolip/tests/golden/make.py

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


def image_tokens(pixels):
    """Tokens after the last block and ln_post, [B, 1 + P, D]."""
    kernel = WEIGHTS["visual.conv1.weight"]
    d = kernel.shape[0]
    patches = F.conv2d(pixels, kernel, stride=kernel.shape[2]).flatten(2).transpose(1, 2)
    first = WEIGHTS["visual.class_embedding"].expand(len(pixels), 1, d)
    x = torch.cat([first, patches], 1) + WEIGHTS["visual.positional_embedding"]
    x = F.layer_norm(x, (d,), WEIGHTS["visual.ln_pre.weight"], WEIGHTS["visual.ln_pre.bias"])
    heads = d // CONFIG["vision_cfg"].get("head_width", 64)
    for i in range(depth("visual.transformer.resblocks.")):
        x = block(x, f"visual.transformer.resblocks.{i}.", heads, None)
    return F.layer_norm(x, (d,), WEIGHTS["visual.ln_post.weight"], WEIGHTS["visual.ln_post.bias"])


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
    save_file(out, HERE / "prolip.safetensors")
    (HERE / "prolip.json").write_text(json.dumps(about, indent=1) + "\n")


def main():
    torch.manual_seed(11)
    inputs = image_tokens(INPUTS["pixels"])[:, 0]
    own = WEIGHTS["visual.proj"].T
    assert torch.allclose(inputs @ own.T, INPUTS["image_features_raw"], rtol=1e-4, atol=1e-5)
    classifier = INPUTS["zero_shot_text_features"]
    weight = 1 / -(-len(LABELS) // len(classifier))

    def forward(p):
        logits = SCALE * F.normalize(inputs @ p["proj"].T, dim=1) @ classifier.T
        return logits, F.cross_entropy(logits, LABELS) + weight * (p["proj"] - own).square().sum()

    proj = (own + 0.05 * torch.randn(own.shape)).requires_grad_()
    write({"proj": proj}, forward, {"loss": "CE + |W - W0|^2 / N", "shots": 1 / weight})


main()
