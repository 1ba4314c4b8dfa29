"""Writes lasp.{json,safetensors}: the method's formula in PyTorch.

    python plugins/lasp/tests/golden/make.py

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


def text(context, words):
    """Features [C, E] of `[SOS] context words name . [EOT]`; context is [M, D] or empty."""
    embed, positions = WEIGHTS["token_embedding.weight"], WEIGHTS["positional_embedding"]
    rows = []
    for name in WORDS["class_name_token_ids"]:
        tail = embed[[*words, *name, WORDS["period"], WORDS["eot"]]]
        x = torch.cat([embed[[WORDS["sot"]]], context, tail])
        x = (x + positions[: len(x)])[None]
        mask = torch.full((x.shape[1], x.shape[1]), float("-inf")).triu(1)
        for i in range(depth("transformer.resblocks.")):
            x = block(x, f"transformer.resblocks.{i}.", CONFIG["text_cfg"]["heads"], mask)
        end = x[0, -1]
        end = F.layer_norm(end, end.shape, WEIGHTS["ln_final.weight"], WEIGHTS["ln_final.bias"])
        rows.append(end @ WEIGHTS["text_projection"])
    return torch.stack(rows)


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
    save_file(out, HERE / "lasp.safetensors")
    (HERE / "lasp.json").write_text(json.dumps(about, indent=1) + "\n")


def main():
    torch.manual_seed(13)
    empty, words = torch.zeros(0, WEIGHTS["token_embedding.weight"].shape[1]), WORDS["template_token_ids"]
    hand_written = torch.stack([F.normalize(text(empty, w), dim=1) for w in (words, words[2:])])
    assert torch.allclose(hand_written[0], INPUTS["zero_shot_text_features"], rtol=1e-4, atol=1e-5)
    images = F.normalize(INPUTS["image_features_raw"], dim=1)
    count = hand_written.shape[1]

    def forward(p):
        learned = F.normalize(text(p["ctx"], []) + p["w"], dim=1)
        logits = SCALE * images @ learned.T
        between = SCALE * hand_written @ learned.T
        labels = torch.arange(count).repeat(len(hand_written))
        loss = F.cross_entropy(between.reshape(-1, count), labels)
        return logits, F.cross_entropy(logits, LABELS) + 5 * loss

    embedding = WEIGHTS["token_embedding.weight"]
    ctx = embedding[words] + 0.05 * torch.randn(len(words), embedding.shape[1])
    w = 0.1 * torch.randn(1, WEIGHTS["text_projection"].shape[1])
    parameters = {"ctx": ctx.requires_grad_(), "w": w.requires_grad_()}
    about = {"loss": "CE + 5 CE of the templates' features", "templates": 2, "noise": 0}
    write(parameters, forward, about)


main()
