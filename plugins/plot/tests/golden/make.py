"""Writes plot.{json,safetensors}: the method's formula in PyTorch.

    python plugins/plot/tests/golden/make.py

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
    save_file(out, HERE / "plot.safetensors")
    (HERE / "plot.json").write_text(json.dumps(about, indent=1) + "\n")


def plan(similarity):
    """Sinkhorn's plan of one image for all classes at once; similarity is [C, M, N]."""
    kernel = torch.exp((similarity.double() - 1) / 0.1)
    c, m, n = kernel.shape
    rows, columns = torch.ones(c, m).double(), torch.ones(c, n).double()
    for _ in range(100):
        before = rows
        rows = 1 / m / (kernel @ columns[..., None])[..., 0]
        columns = 1 / n / (kernel.transpose(1, 2) @ rows[..., None])[..., 0]
        if (rows - before).abs().mean() < 1e-2:
            break
    return (rows[..., None] * kernel * columns[:, None]).float()


def main():
    torch.manual_seed(14)
    tokens = image_tokens(INPUTS["pixels"]) @ WEIGHTS["visual.proj"]
    assert torch.allclose(tokens[:, 0], INPUTS["image_features_raw"], rtol=1e-4, atol=1e-5)
    patches = F.normalize(tokens[:, 1:], dim=2)

    def forward(p):
        prompts = F.normalize(torch.stack([text(ctx, []) for ctx in p["ctx"]]), dim=2)
        logits = []
        for image in patches:
            similarity = torch.einsum("me,nce->cmn", image, prompts)
            logits.append((plan(similarity.detach()) * similarity).sum((1, 2)))
        logits = SCALE * torch.stack(logits)
        return logits, F.cross_entropy(logits, LABELS)

    ctx = 0.3 * torch.randn(3, 4, WEIGHTS["token_embedding.weight"].shape[1])
    write({"ctx": ctx.requires_grad_()}, forward, {"loss": "CE", "prompts": 3, "length": 4})


main()
