"""Writes cupl.{json,safetensors}: the method's formula in PyTorch.

    python plugins/cupl/tests/golden/make.py

Needs torch and safetensors, only to write the files anew. The inputs are those of the
other methods' cases, harness/fixtures/golden, the towers harness/fixtures/torch_clip.py.
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[3] / "harness/fixtures"))

from torch_clip import INPUTS, LABELS, SCALE, WEIGHTS, WORDS, text


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
