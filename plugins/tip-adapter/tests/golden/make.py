"""Writes tip-adapter.{json,safetensors}: cache, logits and grid search in PyTorch.

    python plugins/tip-adapter/tests/golden/make.py

Needs torch and safetensors, only to write the files anew. The inputs are those of the
other methods' cases, harness/fixtures/golden/methods/inputs.safetensors. `build.*` is
the module that the training-free method makes of that batch when the batch is the
validation draw too; the rest is a case like the other methods'.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
INPUTS = HERE.parents[3] / "harness/fixtures/golden/methods/inputs.safetensors"
CLASSES = 6
SEARCH_SCALE = [7.0, 3.0]


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def logits(zero_shot, image, keys, values, alpha, beta):
    affinity = image @ keys.t()
    return zero_shot + alpha * torch.exp(-beta * (1 - affinity)) @ values


def search(zero_shot, image, labels, keys, values):
    """The first best point, beta in the outer loop."""
    best, point = -1, None
    for i in range(200):
        beta = torch.tensor(i * (SEARCH_SCALE[0] - 0.1) / 200 + 0.1)
        for j in range(20):
            alpha = torch.tensor(j * (SEARCH_SCALE[1] - 0.1) / 20 + 0.1)
            z = logits(zero_shot, image, keys, values, alpha, beta)
            hits = int((z.argmax(-1) == labels).sum())
            if hits > best:
                best, point = hits, (alpha, beta)
    return point


def main():
    torch.manual_seed(11)
    inputs = load_file(INPUTS)
    image, labels = unit(inputs["image_features_raw"]), inputs["labels"]
    text = unit(inputs["zero_shot_text_features"])
    zero_shot = inputs["logit_scale"] * image @ text.t()
    built = torch.nn.functional.one_hot(labels, CLASSES).float()
    alpha, beta = search(zero_shot, image, labels, image, built)
    case = {
        "build.keys": image,
        "build.values": built,
        "build.alpha": alpha.reshape(1),
        "build.beta": beta.reshape(1),
    }
    keys = torch.nn.Parameter(unit(torch.randn(12, image.shape[1])))
    values = torch.nn.functional.one_hot(torch.arange(12) % CLASSES, CLASSES).float()
    alpha, beta = torch.tensor([2.0]), torch.tensor([1.5])
    case |= {"param.values": values, "param.alpha": alpha, "param.beta": beta}
    case["param.keys"] = keys.detach().clone()
    optimizer = torch.optim.SGD([keys], lr=0.1)
    for step in range(3):
        z = logits(zero_shot, image, keys, values, alpha, beta)
        loss = torch.nn.functional.cross_entropy(z, labels)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            case["logits"], case["loss"] = z.detach(), loss.detach().reshape(1)
            case["grad.keys"] = keys.grad.clone()
        optimizer.step()
    case["after3.keys"] = keys.detach()
    save_file({k: v.contiguous().clone() for k, v in case.items()}, HERE / "tip-adapter.safetensors")
    about = {"loss": "CE", "form": "scale f W + alpha exp(-beta (1 - f F)) V"}
    (HERE / "tip-adapter.json").write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
