"""Time of the image towers of a B/16 in PyTorch, written as leanly as it can be: the shapes that
`image_tower.rs` times, random weights, `inference_mode`, fused attention; and, with `--train`, the
steps of `image_step.rs`, features and gradients of what is trained, everything else frozen.

    python image_tower.py clip-vit-b16|eva02-clip-b16 THREADS [IMAGES]... [--train]
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


def norm(x, width, gain=None):
    gain = ONE[:width] if gain is None else gain
    return F.layer_norm(x, (width,), gain, ZERO[:width], 1e-5)


def turn(x, cos, sin):
    patches, rest = x[:, :, 1:TOKENS], x[:, :, TOKENS:]
    turned = torch.stack([-patches[..., 1::2], patches[..., ::2]], -1).flatten(-2)
    return torch.cat([x[:, :, :1], patches * cos + turned * sin, rest], 2)


def attention(x, w, rope):
    batch, tokens, _ = x.shape
    packed = F.linear(x, w["qkv"], ZERO[: 3 * WIDTH])
    if "low_rank" in w:
        parts = [0.25 * F.linear(F.linear(x, a), b) for a, b in w["low_rank"]]
        packed = packed + torch.cat(parts, -1)
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
    if "tokens" in blocks[0]:
        x = torch.cat([x, blocks[0]["tokens"].expand(len(x), -1, WIDTH)], 1)
    if rope is None:
        x = norm(x, WIDTH)
    for number, w in enumerate(blocks):
        if number and "tokens" in w:
            x = torch.cat([x[:, :TOKENS], w["tokens"].expand(len(x), -1, WIDTH)], 1)
        x = x + attention(norm(x, WIDTH, w.get("gain_1")), w, rope)
        x = x + (plain if rope is None else swiglu)(norm(x, WIDTH, w.get("gain_2")), w)
    return F.linear(norm(x[:, 0], WIDTH), model["head"])


def var(*shape):
    return (0.02 * torch.randn(*shape)).requires_grad_()


def trained(blocks):
    """What is trained, and the blocks with it."""
    low_rank = lambda: [(var(4, WIDTH), var(WIDTH, 4)) for _ in range(3)]
    return {
        "tokens": [w | {"tokens": var(1, 4, WIDTH)} for w in blocks],
        "LoRA": [w | {"low_rank": low_rank()} for w in blocks],
        "gains": [w | {"gain_1": var(WIDTH), "gain_2": var(WIDTH)} for w in blocks],
    }


def clock(work):
    times = []
    for _ in range(RUNS + 1):
        start, cpu = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - start, time.process_time() - cpu))
    return [statistics.median(t[i] for t in times[1:]) for i in (0, 1)]


def step(pixels, model, blocks, rope):
    encode(pixels, model, blocks, rope).square().sum().backward()


def main():
    global ONE, ZERO
    name, threads = sys.argv[1], int(sys.argv[2])
    train = "--train" in sys.argv
    batches = [int(n) for n in sys.argv[3:] if n != "--train"] or ([8, 32] if train else [1, 8, 32, 64])
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
    for images in batches:
        pixels = torch.randn(images, 3, SIDE, SIDE)
        if train:
            for what, edited in trained(blocks).items():
                times = clock(lambda: step(pixels, model, edited, rope))
                report(f"{images:6} {what:7}", images, times)
        else:
            with torch.inference_mode():
                report(f"{images:6}", images, clock(lambda: encode(pixels, model, blocks, rope)))


def report(label, images, times):
    print(label, *(f"{1e3 / images * t:8.2f}" for t in times), flush=True)


main()
