"""Writes cupl.{json,safetensors}: the method's formula in PyTorch.

    python plugins/cupl/tests/golden/make.py

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


def main():
    empty = torch.zeros(0, WEIGHTS["token_embedding.weight"].shape[1])
    words = WORDS["template_token_ids"]
    # What the sentences below are as tokens.
    sentences = [F.normalize(text(empty, w), dim=1) for w in (words, words[2:], words)]
    classifier = F.normalize(torch.stack(sentences).mean(0), dim=1)
    images = F.normalize(INPUTS["image_features_raw"], dim=1)
    logits = SCALE * images @ classifier.T
    loss = F.cross_entropy(logits, LABELS).reshape(1)
    save_file({"logits": logits.contiguous(), "loss": loss}, HERE / "cupl.safetensors")
    written = lambda n: [f"a photo of a {n}.", f"of a {n}.", f"a photo of a {n}."]
    descriptions = {f"class{i}": written(f"class{i}") for i in range(len(classifier))}
    about = {"loss": "CE", "descriptions": descriptions}
    (HERE / "cupl.json").write_text(json.dumps(about, indent=1) + "\n")


main()
