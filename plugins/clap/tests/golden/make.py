"""Writes clap.{json,safetensors}: the method's formula in PyTorch.

    python plugins/clap/tests/golden/make.py

Needs torch and safetensors, only to write the files anew. The inputs are those of the
other methods' cases, harness/fixtures/golden, the towers harness/fixtures/torch_clip.py.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[3] / "harness/fixtures"))

from torch_clip import INPUTS, LABELS, SCALE, WEIGHTS, WORDS, text, write


def main():
    torch.manual_seed(12)
    base = text(torch.zeros(0, WEIGHTS["token_embedding.weight"].shape[1]), WORDS["template_token_ids"])
    zero_shot = F.normalize(base, dim=1)
    assert torch.allclose(zero_shot, INPUTS["zero_shot_text_features"], rtol=1e-4, atol=1e-5)
    features = F.normalize(INPUTS["image_features_raw"], dim=1)
    probabilities = (SCALE * features @ zero_shot.T).softmax(1)
    alpha = torch.zeros(len(base))
    for c in LABELS.unique():
        alpha[c] = probabilities[LABELS == c, c].mean()

    def forward(p):
        logits = SCALE * features @ F.normalize(p["prototypes"], dim=1).T
        distance = (p["prototypes"] - base).square().sum(1)
        return logits, F.cross_entropy(logits, LABELS) + (alpha * distance).mean()

    prototypes = (base + 0.1 * torch.randn(base.shape)).requires_grad_()
    write(HERE / "clap", {"prototypes": prototypes}, forward, {"loss": "CE + mean alpha_c |w_c - t_c|^2"})


main()
