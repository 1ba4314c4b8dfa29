"""Time of the image towers of a B/16 in PyTorch, written as leanly as it can be: the shapes that
`image_tower.rs` times, random weights, `inference_mode`, fused attention.

    python image_tower.py clip-vit-b16|eva02-clip-b16 THREADS [IMAGES]...
"""

import statistics
import sys
import time

import torch
import torch.nn.functional as F

WIDTH, HEADS, LAYERS, PATCH, SIDE, EMBED, HIDDEN = 768, 12, 12, 16, 224, 512, 2048
TOKENS = (SIDE // PATCH) ** 2 + 1
RUNS = 5


def weight(*shape):
    return torch.randn(*shape) / shape[-1] ** 0.5


def norm(x, width):
    return F.layer_norm(x, (width,), ONE[:width], ZERO[:width], 1e-5)


def turn(x, cos, sin):
    patches = x[:, :, 1:]
    turned = torch.stack([-patches[..., 1::2], patches[..., ::2]], -1).flatten(-2)
    return torch.cat([x[:, :, :1], patches * cos + turned * sin], 2)


def attention(x, w, rope):
    batch, tokens, _ = x.shape
    packed = F.linear(x, w["qkv"], ZERO[: 3 * WIDTH])
    q, k, v = packed.view(batch, tokens, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
    if rope is not None:
        q, k = turn(q, *rope), turn(k, *rope)
    mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, WIDTH)
    if rope is not None:
        mixed = norm(mixed, WIDTH)
    return F.linear(mixed, w["out"], ZERO[:WIDTH])


def plain(x, w):
    hidden = F.linear(x, w["up"], ZERO[: 4 * WIDTH])
    return F.linear(hidden * torch.sigmoid(1.702 * hidden), w["down"], ZERO[:WIDTH])


def swiglu(x, w):
    gate = F.silu(F.linear(x, w["gate"], ZERO[:HIDDEN]))
    hidden = norm(gate * F.linear(x, w["value"], ZERO[:HIDDEN]), HIDDEN)
    return F.linear(hidden, w["shrink"], ZERO[:WIDTH])


def encode(pixels, model, blocks, rope):
    x = F.conv2d(pixels, model["patch"], stride=PATCH).flatten(2).transpose(1, 2)
    x = torch.cat([model["class"].expand(len(x), 1, WIDTH), x], 1) + model["positions"]
    if rope is None:
        x = norm(x, WIDTH)
    for w in blocks:
        x = x + attention(norm(x, WIDTH), w, rope)
        x = x + (plain if rope is None else swiglu)(norm(x, WIDTH), w)
    return F.linear(norm(x[:, 0], WIDTH), model["head"])


def main():
    global ONE, ZERO
    name, threads = sys.argv[1], int(sys.argv[2])
    batches = [int(n) for n in sys.argv[3:]] or [1, 8, 32, 64]
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    ONE, ZERO = torch.ones(4 * WIDTH), torch.zeros(4 * WIDTH)
    model = {
        "patch": weight(WIDTH, 3, PATCH, PATCH),
        "class": weight(WIDTH),
        "positions": weight(TOKENS, WIDTH),
        "head": weight(EMBED, WIDTH),
    }
    shapes = {"qkv": (3 * WIDTH, WIDTH), "out": (WIDTH, WIDTH)}
    if name.startswith("eva"):
        shapes |= {"gate": (HIDDEN, WIDTH), "value": (HIDDEN, WIDTH), "shrink": (WIDTH, HIDDEN)}
        angles = torch.randn(TOKENS - 1, WIDTH // HEADS)
        rope = angles.cos(), angles.sin()
    else:
        shapes |= {"up": (4 * WIDTH, WIDTH), "down": (WIDTH, 4 * WIDTH)}
        rope = None
    blocks = [{n: weight(*s) for n, s in shapes.items()} for _ in range(LAYERS)]
    print(f"{name}, PyTorch {torch.__version__}, {threads} threads: milliseconds an image, wall clock and CPU")
    with torch.inference_mode():
        for images in batches:
            pixels = torch.randn(images, 3, SIDE, SIDE)
            times = []
            for _ in range(RUNS + 1):
                start, cpu = time.perf_counter(), time.process_time()
                encode(pixels, model, blocks, rope)
                times.append((time.perf_counter() - start, time.process_time() - cpu))
            wall, cpu = (1e3 / images * statistics.median(t[i] for t in times[1:]) for i in (0, 1))
            print(f"{images:6} {wall:8.2f} {cpu:8.2f}", flush=True)


main()
