"""Times the step of the example text_step in PyTorch on the same weights.

    cargo build -p harness -p harness-backbone --example text_step
    python harness/scripts/text_step.py --threads 1 --turns 5

Needs PyTorch (the CPU build is enough). The example and PyTorch take turns, so that other work on the
machine slows both alike. Features and gradients are compared before anything is timed.

Three ways of writing the step in PyTorch:
  as CoOp's code does  all prompts padded to 77 tokens, nn.MultiheadAttention with a mask
  truncated            prompts cut after the end token, fused attention, frozen weights
  prefix shared        the same, with what all prompts begin with computed once
"""

import argparse
import json
import os
import statistics
import struct
import subprocess
import tempfile
import time

import torch
import torch.nn.functional as F

VECTORS, NAME, CONTEXT, VOCABULARY = 16, 7, 77, 512


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        values = torch.frombuffer(data, dtype=torch.float32, count=(last - first) // 4, offset=first)
        tensors[name] = values.reshape(entry["shape"]).clone()
    return tensors


class Tower:
    def __init__(self, state, layers, classes):
        self.state, self.layers = state, layers
        self.width = state["positional_embedding"].shape[1]
        self.heads = max(self.width // 64, 2)
        self.context = state["context"].reshape(VECTORS, self.width).clone().requires_grad_()
        names = []
        for c in range(classes):
            tokens = [c % 509] + [(c >> (7 * i)) % 128 for i in range(1, 2 + c % (NAME - 2))]
            names.append(tokens + [VOCABULARY - 1])
        self.ends = torch.tensor([len(name) - 1 for name in names])
        self.names = torch.tensor([name + [0] * (NAME - len(name)) for name in names])
        self.start = torch.tensor([VOCABULARY - 2])
        self.mask = torch.full((CONTEXT, CONTEXT), float("-inf")).triu(1)
        self.attention = []
        for layer in range(layers):
            module = torch.nn.MultiheadAttention(self.width, self.heads)
            at = f"transformer.resblocks.{layer}.attn."
            module.load_state_dict({k[len(at):]: v for k, v in state.items() if k.startswith(at)})
            self.attention.append(module.requires_grad_(False))

    def weight(self, layer, name):
        return self.state[f"transformer.resblocks.{layer}.{name}"]

    def norm(self, x, name):
        return F.layer_norm(x, (self.width,), self.state[f"{name}.weight"], self.state[f"{name}.bias"])

    def block_norm(self, x, layer, name):
        return self.norm(x, f"transformer.resblocks.{layer}.{name}")

    def mlp(self, x, layer):
        y = self.block_norm(x, layer, "ln_2")
        y = F.linear(y, self.weight(layer, "mlp.c_fc.weight"), self.weight(layer, "mlp.c_fc.bias"))
        y = y * torch.sigmoid(1.702 * y)
        return x + F.linear(y, self.weight(layer, "mlp.c_proj.weight"), self.weight(layer, "mlp.c_proj.bias"))

    def features(self, x, begin):
        ends = x[torch.arange(len(x)), begin + self.ends]
        return self.norm(ends, "ln_final") @ self.state["text_projection"]

    def prompts(self, length):
        embedding = self.state["token_embedding.weight"]
        classes = len(self.names)
        begin = torch.cat([embedding[self.start], self.context]).expand(classes, -1, -1)
        names = F.pad(self.names, (0, length - begin.shape[1] - NAME))
        return torch.cat([begin, embedding[names]], 1) + self.state["positional_embedding"][:length]

    def as_coop(self):
        x = self.prompts(CONTEXT).permute(1, 0, 2)
        for layer, attention in enumerate(self.attention):
            y = self.block_norm(x, layer, "ln_1")
            x = x + attention(y, y, y, need_weights=False, attn_mask=self.mask)[0]
            x = self.mlp(x, layer)
        return self.features(x.permute(1, 0, 2), 1 + VECTORS)

    def heads_of(self, packed):
        rows, length, _ = packed.shape
        packed = packed.reshape(rows, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return packed.unbind(0)

    def packed(self, x, layer):
        y = self.block_norm(x, layer, "ln_1")
        weight, bias = self.weight(layer, "attn.in_proj_weight"), self.weight(layer, "attn.in_proj_bias")
        return self.heads_of(F.linear(y, weight, bias))

    def after(self, x, mixed, layer):
        mixed = mixed.transpose(1, 2).reshape(x.shape)
        out = F.linear(mixed, self.weight(layer, "attn.out_proj.weight"), self.weight(layer, "attn.out_proj.bias"))
        return self.mlp(x + out, layer)

    def truncated(self):
        x = self.prompts(1 + VECTORS + NAME)
        for layer in range(self.layers):
            q, k, v = self.packed(x, layer)
            x = self.after(x, F.scaled_dot_product_attention(q, k, v, is_causal=True), layer)
        return self.features(x, 1 + VECTORS)

    def shared(self):
        embedding, positions = self.state["token_embedding.weight"], self.state["positional_embedding"]
        past, classes = 1 + VECTORS, len(self.names)
        x = (torch.cat([embedding[self.start], self.context]) + positions[:past])[None]
        y = embedding[self.names] + positions[past : past + NAME]
        mask = torch.ones(NAME, past + NAME, dtype=torch.bool).tril(past)
        for layer in range(self.layers):
            q, k, v = self.packed(x, layer)
            own_q, own_k, own_v = self.packed(y, layer)
            keys = torch.cat([k.expand(classes, -1, -1, -1), own_k], 2)
            values = torch.cat([v.expand(classes, -1, -1, -1), own_v], 2)
            mixed = F.scaled_dot_product_attention(own_q, keys, values, attn_mask=mask)
            y = self.after(y, mixed, layer)
            if layer + 1 < self.layers:
                x = self.after(x, F.scaled_dot_product_attention(q, k, v, is_causal=True), layer)
        return self.features(y, 0)

    def step(self, way):
        self.context.grad = None
        features = way()
        features.square().sum().backward()
        return features.detach(), self.context.grad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--example", default="target/debug/examples/text_step")
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    environment = {**os.environ, "RAYON_NUM_THREADS": str(args.threads)}

    def example(steps, variants, *more):
        numbers = [args.width, args.layers, args.classes, steps, variants, *more]
        command = [args.example, *map(str, numbers)]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        example(1, 1, file.name)
        state = read_safetensors(file.name)
    tower = Tower(state, args.layers, args.classes)
    ways = {
        "as CoOp's code does": tower.as_coop,
        "truncated": tower.truncated,
        "prefix shared": tower.shared,
    }
    for name, way in ways.items():
        features, gradient = tower.step(way)
        expected = state["gradient"].reshape(gradient.shape)
        off = [
            ((found - wanted).abs().max() / wanted.abs().max()).item()
            for found, wanted in [(features, state["features"]), (gradient, expected)]
        ]
        print(f"{name:20} features off by {off[0]:.1e}, gradient by {off[1]:.1e} of the largest value")
        assert max(off) < 1e-4, "PyTorch and the example disagree"
    engine = ["engine, context shared", "engine, context by class"]
    times = {name: [] for name in [*engine, *ways]}
    for _ in range(args.turns):
        lines = example(1, 2).splitlines()
        for name in engine:
            line = next(line for line in lines if line.startswith(name))
            cpu, wall = line[len(name):].split()[:2]
            times[name].append((float(cpu), float(wall)))
        for name, way in ways.items():
            cpu, wall = time.process_time(), time.perf_counter()
            tower.step(way)
            times[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    print(f"PyTorch {torch.__version__}, {args.threads} threads, {args.classes} classes, {args.turns} turns")
    print("                            CPU s   wall s  x engine")
    first = statistics.median(cpu for cpu, _ in times[engine[0]])
    for name, list_of_times in times.items():
        cpu = statistics.median(cpu for cpu, _ in list_of_times)
        wall = statistics.median(wall for _, wall in list_of_times)
        print(f"{name:26} {cpu:6.3f} {wall:8.3f} {cpu / first:8.2f}")


if __name__ == "__main__":
    main()
