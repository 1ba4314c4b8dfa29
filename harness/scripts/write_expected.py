#!/usr/bin/env python3
"""Writes vectors of a CLIP-family model, for `harness verify BACKBONE --expected FILE`.

The model is computed by open_clip or by transformers, whichever is named:

    write_expected.py open_clip ViT-B-16-quickgelu --pretrained openai -o expected.safetensors
    write_expected.py open_clip EVA02-B-16 --pretrained merged2b_s8b_b131k -o expected.safetensors
    write_expected.py open_clip local-dir:/path/to/folder -o expected.safetensors
    write_expected.py transformers openai/clip-vit-base-patch16 -o expected.safetensors

`--pretrained` may be a checkpoint file, and the name for transformers a folder: name the
very files that `harness verify` is given. Everything is computed in float32 on the CPU.

Needs torch, safetensors, and open_clip_torch or transformers. What the file holds:

    token_ids [5, S] and eot_index [5]           of five texts (the texts are in the metadata)
    text_features [5, E]                         unnormalised
    prompt_embeddings [5, S, D]                  token embeddings plus noise at positions 1 to 4
    prompt_text_features [5, E], cotangent [5, E]
    grad_prompt_embeddings [5, S, D]             of sum(prompt_text_features * cotangent)
    pixels [3, 3, N, N] and image_features [3, E]
    logit_scale []                               the factor, not its logarithm
"""

import argparse
import json

import torch
from safetensors.torch import save_file

TEXTS = [
    "a photo of a dog.",
    "a centered satellite photo of Annual Crop Land.",
    "itap of a pink-throated twinspot, a type of bird",
    "X",
    "a low resolution photo of a motor scooter, seen from behind on a rainy day",
]


def with_open_clip(name, pretrained):
    """Token ids, the position of each end token, and functions for both towers."""
    import open_clip

    model = open_clip.create_model(name, pretrained=pretrained, precision="fp32").eval()
    text = getattr(model, "text", model)
    ids = open_clip.get_tokenizer(name)(TEXTS)
    length = text.positional_embedding.shape[0]
    ids = ids[:, :length]

    def from_embeddings(x, ends):
        x = x + text.positional_embedding[: x.shape[1]]
        # open_clip's transformer takes the mask and runs the batch first.
        x = text.transformer(x, attn_mask=text.attn_mask[: x.shape[1], : x.shape[1]])
        x = text.ln_final(x)[torch.arange(len(x)), ends]
        projection = text.text_projection
        return projection(x) if isinstance(projection, torch.nn.Linear) else x @ projection

    visual = getattr(model.visual, "image_size", 224)
    side = visual[0] if isinstance(visual, (tuple, list)) else visual
    return {
        "framework": f"open_clip {open_clip.__version__}",
        "ids": ids,
        "embedding": text.token_embedding,
        "encode_text": model.encode_text,
        "from_embeddings": from_embeddings,
        "encode_image": model.encode_image,
        "side": side,
        "logit_scale": model.logit_scale.exp(),
        "model": model,
    }


def with_transformers(name, _):
    """The same for transformers."""
    import transformers

    model = transformers.CLIPModel.from_pretrained(
        name, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(name)
    config = model.config
    length = config.text_config.max_position_embeddings
    ids = tokenizer(
        TEXTS, padding="max_length", truncation=True, max_length=length, return_tensors="pt"
    )["input_ids"]
    text = model.text_model

    def features(output):
        # Newer versions give an object around what older ones gave as it is.
        return output if torch.is_tensor(output) else output.pooler_output

    def from_embeddings(x, ends):
        x = x + text.embeddings.position_embedding.weight[: x.shape[1]]
        mask = torch.full((x.shape[1],) * 2, torch.finfo(x.dtype).min).triu(1)
        for layer in text.encoder.layers:
            found = layer(x, mask[None, None].expand(len(x), 1, -1, -1))
            x = found[0] if isinstance(found, tuple) else found
        x = text.final_layer_norm(x)[torch.arange(len(x)), ends]
        return model.text_projection(x)

    return {
        "framework": f"transformers {transformers.__version__}",
        "ids": ids,
        "end": tokenizer.eos_token_id,
        "embedding": text.embeddings.token_embedding,
        "encode_text": lambda ids: features(model.get_text_features(input_ids=ids)),
        "from_embeddings": from_embeddings,
        "encode_image": lambda x: features(model.get_image_features(pixel_values=x)),
        "side": config.vision_config.image_size,
        "logit_scale": model.logit_scale.exp(),
        "model": model,
    }


def vectors(tower, seed):
    """All tensors of the file."""
    for parameter in tower["model"].parameters():
        parameter.requires_grad_(False)
    noise = torch.Generator().manual_seed(seed)
    ids = tower["ids"].long()
    # The end token is the first of the highest id, or the one that the tokenizer names.
    end = tower.get("end")
    ends = (ids if end is None else (ids == end).int()).argmax(-1)
    with torch.no_grad():
        text_features = tower["encode_text"](ids)
        pixels = torch.randn(3, 3, tower["side"], tower["side"], generator=noise)
        image_features = tower["encode_image"](pixels)
    prompts = tower["embedding"](ids)
    scale = prompts.std()
    prompts[:, 1:5] += scale * torch.randn(prompts[:, 1:5].shape, generator=noise)
    # What stands behind the end token must not matter: zeros, whatever the padding was.
    prompts[torch.arange(prompts.shape[1])[None] > ends[:, None]] = 0
    prompts.requires_grad_(True)
    found = tower["from_embeddings"](prompts, ends)
    cotangent = torch.randn(found.shape, generator=noise)
    (gradient,) = torch.autograd.grad((found * cotangent).sum(), prompts)
    return {
        "token_ids": ids,
        "eot_index": ends,
        "text_features": text_features,
        "prompt_embeddings": prompts.detach(),
        "prompt_text_features": found.detach(),
        "cotangent": cotangent,
        "grad_prompt_embeddings": gradient,
        "pixels": pixels,
        "image_features": image_features,
        "logit_scale": tower["logit_scale"].reshape(()),
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("framework", choices=["open_clip", "transformers"])
    parser.add_argument("model", help="as the framework names it, or a folder")
    parser.add_argument("--pretrained", help="open_clip's tag, or a checkpoint file")
    parser.add_argument("--seed", type=int, default=1, help="of pixels, noise and cotangent")
    parser.add_argument("-o", "--output", required=True)
    arguments = parser.parse_args()
    load = {"open_clip": with_open_clip, "transformers": with_transformers}[arguments.framework]
    tower = load(arguments.model, arguments.pretrained)
    tensors = {k: v.detach().contiguous().clone() for k, v in vectors(tower, arguments.seed).items()}
    notes = {
        "framework": f"{tower['framework']}, torch {torch.__version__}",
        "model": arguments.model,
        "pretrained": arguments.pretrained or "",
        "texts": json.dumps(TEXTS),
    }
    save_file(tensors, arguments.output, metadata=notes)
    for name, tensor in tensors.items():
        print(f"{name:24} {list(tensor.shape)}")


if __name__ == "__main__":
    main()
