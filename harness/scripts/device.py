"""Times the steps and encodings of the example device in PyTorch on a GPU, as fast as its own means
make them: fused attention, frozen weights, prompts cut after the end token, TF32 or bf16.

    python harness/scripts/device.py [--compile]

Shapes of ViT-B/16, random weights; the text step with and without the shared prefix computed once.
--compile adds torch.compile with CUDA graphs.
"""

import argparse
import statistics
import time

import torch
import torch.nn.functional as F

VECTORS, NAME, RUNS = 16, 7, 20


def weight(*shape):
    return torch.randn(*shape, device="cuda") / shape[-1] ** 0.5


class Tower:
    def __init__(self, width, heads, dtype):
        self.width, self.heads, self.dtype = width, heads, dtype
        shapes = {"qkv": (3 * width, width), "out": (width, width), "up": (4 * width, width), "down": (width, 4 * width)}
        self.blocks = [{name: weight(*shape).to(dtype) for name, shape in shapes.items()} for _ in range(12)]
        self.biases = {name: torch.zeros(shape[0], device="cuda", dtype=dtype) for name, shape in shapes.items()}
        self.one = torch.ones(width, device="cuda", dtype=dtype)
        self.zero = torch.zeros(width, device="cuda", dtype=dtype)
        self.projection = weight(512, width).to(dtype)

    def norm(self, x):
        return F.layer_norm(x, (self.width,), self.one, self.zero, 1e-5)

    def linear(self, x, block, name):
        return F.linear(x, block[name], self.biases[name])

    def packed(self, x, block):
        rows, length, _ = x.shape
        packed = self.linear(self.norm(x), block, "qkv")
        return packed.view(rows, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)

    def after(self, x, mixed, block):
        x = x + self.linear(mixed.transpose(1, 2).reshape(x.shape), block, "out")
        hidden = self.linear(self.norm(x), block, "up")
        return x + self.linear(hidden * torch.sigmoid(1.702 * hidden), block, "down")


class Text(Tower):
    def __init__(self, classes, shared, dtype):
        super().__init__(512, 8, dtype)
        rows = 1 if shared else classes
        self.context = (0.02 * torch.randn(rows, VECTORS, 512, device="cuda")).requires_grad_()
        self.names = weight(classes, NAME, 512)
        self.start = weight(1, 1, 512)
        self.positions = weight(77, 512)
        counts = [2 + c % (NAME - 2) for c in range(classes)]
        self.ends = torch.tensor(counts, device="cuda")
        self.rows = torch.arange(classes, device="cuda")
        self.mask = torch.ones(NAME, 1 + VECTORS + NAME, dtype=torch.bool, device="cuda").tril(1 + VECTORS)

    def features(self, x, begin):
        return self.norm(x[self.rows, begin + self.ends]) @ self.projection.t()

    def truncated(self):
        classes = len(self.names)
        begin = torch.cat([self.start.expand(len(self.context), -1, -1), self.context], 1)
        x = torch.cat([begin.expand(classes, -1, -1), self.names], 1)
        x = (x + self.positions[: x.shape[1]]).to(self.dtype)
        for block in self.blocks:
            q, k, v = self.packed(x, block)
            x = self.after(x, F.scaled_dot_product_attention(q, k, v, is_causal=True), block)
        return self.features(x, 1 + VECTORS)

    def shared(self):
        past, classes = 1 + VECTORS, len(self.names)
        x = (torch.cat([self.start, self.context], 1) + self.positions[:past]).to(self.dtype)
        y = (self.names + self.positions[past : past + NAME]).to(self.dtype)
        for layer, block in enumerate(self.blocks):
            q, k, v = self.packed(x, block)
            own_q, own_k, own_v = self.packed(y, block)
            keys = torch.cat([k.expand(classes, -1, -1, -1), own_k], 2)
            values = torch.cat([v.expand(classes, -1, -1, -1), own_v], 2)
            y = self.after(y, F.scaled_dot_product_attention(own_q, keys, values, attn_mask=self.mask), block)
            if layer + 1 < len(self.blocks):
                x = self.after(x, F.scaled_dot_product_attention(q, k, v, is_causal=True), block)
        return self.features(y, 0)


class Image(Tower):
    def __init__(self, dtype):
        super().__init__(768, 12, dtype)
        self.patch = weight(768, 3, 16, 16).to(dtype)
        self.first, self.positions = weight(768).to(dtype), weight(197, 768).to(dtype)

    def encode(self, pixels):
        x = F.conv2d(pixels.to(self.dtype), self.patch, stride=16).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(len(x), 1, 768), x], 1) + self.positions
        x = self.norm(x)
        for block in self.blocks:
            q, k, v = self.packed(x, block)
            x = self.after(x, F.scaled_dot_product_attention(q, k, v), block)
        return self.norm(x[:, 0]) @ self.projection.t()


def milliseconds(f):
    for _ in range(5):
        f()
    times = []
    for _ in range(RUNS):
        torch.cuda.synchronize()
        start = time.perf_counter()
        f()
        torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}")
    for name, dtype in [("tf32", torch.float32), ("bf16", torch.bfloat16)]:
        for classes, shared in [(100, True), (100, False), (1000, True), (1000, False)]:
            text = Text(classes, shared, dtype)
            ways = {"truncated": text.truncated} | ({"prefix shared": text.shared} if shared else {})
            for way, forward in ways.items():
                kinds = {"eager": forward}
                if args.compile and classes == 100:
                    kinds["compiled"] = torch.compile(forward, mode="reduce-overhead")
                for kind, forward in kinds.items():

                    def step():
                        text.context.grad = None
                        forward().float().square().sum().backward()

                    context = "shared" if shared else "by class"
                    print(f"  {name} step of {classes:4} classes, context {context:8} {way:13} {kind:8} {milliseconds(step):8.2f} ms", flush=True)
        image = Image(dtype)
        with torch.inference_mode():
            for images in [64, 256]:
                pixels = torch.randn(images, 3, 224, 224).pin_memory()
                print(f"  {name} {images:3} images from the host {1e3 * images / milliseconds(lambda: image.encode(pixels.cuda()).cpu()):8.0f} images/s", flush=True)


main()
