"""Writes proda.{json,safetensors}: the method's formula in PyTorch.

    python plugins/proda/tests/golden/make.py

Needs torch and safetensors, only to write the files anew. The inputs are those of the
other methods' cases, harness/fixtures/golden, the towers harness/fixtures/torch_clip.py.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[3] / "harness/fixtures"))

from torch_clip import INPUTS, LABELS, SCALE, WEIGHTS, WORDS, encode, write


def normalised(parts):
    """Feature [E] of a prompt in parts [S, D], normalised."""
    return F.normalize(encode(torch.cat(parts)), dim=0)


def features(contexts):
    """Normalised features [K, C, E] with the class name in front, in the middle, at the end, at the end."""
    embed = WEIGHTS["token_embedding.weight"]
    start, end = embed[[WORDS["sot"]]], embed[[WORDS["period"], WORDS["eot"]]]
    rows = []
    for at, context in enumerate(contexts):
        before = [0, len(context) // 2, len(context), len(context)][at]
        for name in WORDS["class_name_token_ids"]:
            parts = [start, context[:before], embed[name], context[before:], end]
            rows.append(normalised(parts))
    return torch.stack(rows).reshape(len(contexts), -1, rows[0].shape[0])


def alone(contexts):
    """Normalised features [K, E] of the contexts without a class name."""
    embed = WEIGHTS["token_embedding.weight"]
    start, end = embed[[WORDS["sot"]]], embed[[WORDS["period"], WORDS["eot"]]]
    return torch.stack([normalised([start, context, end]) for context in contexts])


def main():
    torch.manual_seed(17)
    images = F.normalize(INPUTS["image_features_raw"], dim=1)
    rows = torch.arange(len(LABELS))

    def forward(p):
        samples = features(p["ctx"])
        mean = samples.mean(0)
        logits = SCALE * images @ mean.T
        centred = samples - mean
        # [E, C, C], a diagonal over E of the covariance between classes.
        covariance = torch.einsum("pie,pke->eik", centred, centred) / (len(samples) + 1)
        quadratic = torch.einsum("be,eik->bik", images**2, covariance)
        own = quadratic[rows, LABELS, LABELS][:, None]
        between = quadratic[rows, LABELS]
        sigma = own + quadratic.diagonal(dim1=1, dim2=2) - 2 * between
        cosines = alone(p["ctx"]) @ alone(p["ctx"]).T
        pairs = cosines[~torch.eye(len(cosines), dtype=torch.bool)]
        bound = F.cross_entropy(logits + SCALE**2 / 2 * sigma, LABELS)
        return logits, bound + 0.1 * pairs.abs().mean()

    # Larger than the initial values of the method, so that the prompts differ.
    ctx = 0.2 * torch.randn(4, 3, WEIGHTS["token_embedding.weight"].shape[1])
    about = {"loss": "CE of the logits + s^2/2 sigma, + 0.1 mean |cos| of the contexts alone"}
    write(HERE / "proda", {"ctx": ctx.requires_grad_()}, forward, about)


main()
