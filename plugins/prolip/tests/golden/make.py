"""Writes prolip.{json,safetensors}: the method's formula in PyTorch.

    python plugins/prolip/tests/golden/make.py

Needs torch and safetensors, only to write the files anew. The inputs are those of the
other methods' cases, harness/fixtures/golden, the towers harness/fixtures/torch_clip.py.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[3] / "harness/fixtures"))

from torch_clip import INPUTS, LABELS, SCALE, WEIGHTS, image_tokens, write


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
    write(HERE / "prolip", {"proj": proj}, forward, {"loss": "CE + |W - W0|^2 / N", "shots": 1 / weight})


main()
