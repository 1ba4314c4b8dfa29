"""Writes lasp.{json,safetensors}: the method's formula in PyTorch.

    python plugins/lasp/tests/golden/make.py

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
    write(HERE / "lasp", parameters, forward, about)


main()
