"""Reference vectors for `bitfit` on both towers and for `clipfit`.

An independent PyTorch writing of the two methods on the small backbone and batch of the
other method cases. Needed only to make the vectors again:

    pip install torch safetensors
    python plugins/bitfit/tests/golden/make.py harness/fixtures/golden

writes `bitfit-both.*` and `clipfit.*` beside this file, in the form of the cases in that
folder: `param.*`, `logits`, `loss`, `grad.*`, and `after3.*`, the parameters
after three plain SGD steps of 0.1 on the same batch.
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

GOLDEN, HERE = Path(sys.argv[1]), Path(__file__).parent
WEIGHTS = load_file(GOLDEN / "backbones/open-clip-quickgelu/model.safetensors")
CONFIG = json.loads((GOLDEN / "backbones/open-clip-quickgelu/config.json").read_text())
INPUTS = load_file(GOLDEN / "methods/inputs.safetensors")
WORDS = json.loads((GOLDEN / "methods/inputs.json").read_text())
SCALE = INPUTS["logit_scale"].reshape(())
STEPS, RATE = 3, 0.1


def block(x, w, at, heads, mask):
    """A pre-norm transformer block with QuickGELU; x is [N, S, D]."""
    n, s, d = x.shape
    norm = lambda name, y: F.layer_norm(y, (d,), w[f"{at}{name}.weight"], w[f"{at}{name}.bias"])
    h = norm("ln_1", x)
    qkv = h @ w[f"{at}attn.in_proj_weight"].T + w[f"{at}attn.in_proj_bias"]
    q, k, v = (t.reshape(n, s, heads, -1).transpose(1, 2) for t in qkv.split(d, dim=2))
    scores = q @ k.transpose(2, 3) / (d // heads) ** 0.5
    if mask is not None:
        scores = scores + mask
    mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(n, s, d)
    x = x + mixed @ w[f"{at}attn.out_proj.weight"].T + w[f"{at}attn.out_proj.bias"]
    h = norm("ln_2", x) @ w[f"{at}mlp.c_fc.weight"].T + w[f"{at}mlp.c_fc.bias"]
    h = h * torch.sigmoid(1.702 * h)
    return x + h @ w[f"{at}mlp.c_proj.weight"].T + w[f"{at}mlp.c_proj.bias"]


def layers(w, prefix):
    return len({name.split(".")[prefix.count(".")] for name in w if name.startswith(prefix)})


def text(w):
    """Features of "a photo of a NAME." for every class, [C, E]."""
    rows = []
    for name in WORDS["class_name_token_ids"]:
        ids = [WORDS["sot"], *WORDS["template_token_ids"], *name, WORDS["period"], WORDS["eot"]]
        x = w["token_embedding.weight"][ids] + w["positional_embedding"][: len(ids)]
        mask = torch.full((len(ids), len(ids)), float("-inf")).triu(1)
        x = x[None]
        for i in range(layers(w, "transformer.resblocks.")):
            x = block(x, w, f"transformer.resblocks.{i}.", CONFIG["text_cfg"]["heads"], mask)
        end = x[0, -1]
        end = F.layer_norm(end, end.shape, w["ln_final.weight"], w["ln_final.bias"])
        rows.append(end @ w["text_projection"])
    return torch.stack(rows)


def image(w, pixels):
    """Features of pixels, [B, E]."""
    kernel = w["visual.conv1.weight"]
    d = kernel.shape[0]
    patches = F.conv2d(pixels, kernel, stride=kernel.shape[2]).flatten(2).transpose(1, 2)
    first = w["visual.class_embedding"].expand(len(pixels), 1, d)
    x = torch.cat([first, patches], 1) + w["visual.positional_embedding"]
    x = F.layer_norm(x, (d,), w["visual.ln_pre.weight"], w["visual.ln_pre.bias"])
    heads = d // CONFIG["vision_cfg"].get("head_width", 64)
    for i in range(layers(w, "visual.transformer.resblocks.")):
        x = block(x, w, f"visual.transformer.resblocks.{i}.", heads, None)
    x = F.layer_norm(x[:, 0], (d,), w["visual.ln_post.weight"], w["visual.ln_post.bias"])
    return x @ w["visual.proj"]


def forward(parameters, weight):
    """Logits, and CE + weight (1 - mean cos to the plain text features)."""
    w = {**WEIGHTS, **parameters}
    t = F.normalize(text(w), dim=1)
    f = F.normalize(image(w, INPUTS["pixels"]), dim=1)
    logits = SCALE * f @ t.T
    teacher = F.normalize(text(WEIGHTS), dim=1)
    loss = F.cross_entropy(logits, INPUTS["labels"])
    return logits, loss + weight * (1 - (t * teacher).sum(1).mean())


def write(case, names, weight, about):
    generator = torch.Generator().manual_seed(len(case))
    noise = lambda t: 0.05 * torch.randn(t.shape, generator=generator)
    parameters = {n: (WEIGHTS[n] + noise(WEIGHTS[n])).requires_grad_() for n in sorted(names)}
    out = {f"param.{n}": p.detach().clone() for n, p in parameters.items()}
    for step in range(STEPS):
        logits, loss = forward(parameters, weight)
        gradients = torch.autograd.grad(loss, list(parameters.values()))
        if step == 0:
            out |= {"logits": logits.detach(), "loss": loss.detach().reshape(1)}
            out |= {f"grad.{n}": g for n, g in zip(parameters, gradients)}
        with torch.no_grad():
            for p, g in zip(parameters.values(), gradients):
                p -= RATE * g
    out |= {f"after3.{n}": p.detach().clone() for n, p in parameters.items()}
    out = {name: tensor.contiguous() for name, tensor in out.items()}
    save_file(out, HERE / f"{case}.safetensors")
    (HERE / f"{case}.json").write_text(json.dumps(about, indent=1) + "\n")


def main():
    torch.use_deterministic_algorithms(True)
    # The writing itself, against features that open_clip computed.
    plain = image(WEIGHTS, INPUTS["pixels"])
    assert torch.allclose(plain, INPUTS["image_features_raw"], rtol=1e-4, atol=1e-5)
    zero_shot = F.normalize(text(WEIGHTS), dim=1)
    assert torch.allclose(zero_shot, INPUTS["zero_shot_text_features"], rtol=1e-4, atol=1e-5)

    biases = [n for n in WEIGHTS if n.endswith("bias")]
    write("bitfit-both", biases, 0.0, {"loss": "CE", "sites": "every bias of both towers"})
    ends = [n for n in biases if n.endswith("mlp.c_proj.bias") and not n.startswith("visual.")]
    norms = [n for n in WEIGHTS if n.startswith("visual.") and ".ln_" in f".{n}"]
    about = {
        "loss": "CE + 8 (1 - mean cos(t, t_zs))",
        "sites": "MLP output biases of the text tower, LayerNorms of the image tower",
    }
    write("clipfit", ends + norms, 8.0, about)


main()
