"""Writes linear-probe.{json,safetensors}: the method's formula in PyTorch.

    python plugins/linear-probe/tests/golden/make.py

Needs torch and safetensors, only to write the files anew. The inputs are those of the
other methods' cases, harness/fixtures/golden/methods/inputs.safetensors.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
INPUTS = HERE.parents[3] / "harness/fixtures/golden/methods/inputs.safetensors"
CLASSES = 6


def logits(features, w, b):
    unit = features / features.norm(dim=-1, keepdim=True)
    return torch.nn.functional.linear(unit, w, b)


def main():
    torch.manual_seed(7)
    inputs = load_file(INPUTS)
    features, labels = inputs["image_features_raw"], inputs["labels"]
    w = torch.nn.Parameter(torch.randn(CLASSES, features.shape[1]))
    b = torch.nn.Parameter(torch.randn(CLASSES))
    case = {"param.w": w.detach().clone(), "param.b": b.detach().clone()}
    optimizer = torch.optim.SGD([w, b], lr=0.1)
    for step in range(3):
        z = logits(features, w, b)
        loss = torch.nn.functional.cross_entropy(z, labels)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            case["logits"], case["loss"] = z.detach(), loss.detach().reshape(1)
            case["grad.w"], case["grad.b"] = w.grad.clone(), b.grad.clone()
        optimizer.step()
    case["after3.w"], case["after3.b"] = w.detach(), b.detach()
    save_file({k: v.contiguous() for k, v in case.items()}, HERE / "linear-probe.safetensors")
    about = {"loss": "CE", "form": "W f/||f|| + b"}
    (HERE / "linear-probe.json").write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
