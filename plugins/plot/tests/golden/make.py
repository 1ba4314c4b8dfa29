"""Writes plot.{json,safetensors}: the method's formula in PyTorch.

    python plugins/plot/tests/golden/make.py

Needs torch and safetensors, only to write the files anew. The inputs are those of the
other methods' cases, harness/fixtures/golden, the towers harness/fixtures/torch_clip.py.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[3] / "harness/fixtures"))

from torch_clip import INPUTS, LABELS, SCALE, WEIGHTS, image_tokens, text, write


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
    write(HERE / "plot", {"ctx": ctx.requires_grad_()}, forward, {"loss": "CE", "prompts": 3, "length": 4})


main()
