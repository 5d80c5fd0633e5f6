"""The models of tests/bench/train_peers.py in PyTorch, written with its stock modules, for the CPU.

Trains on the batches of a file as tests/bench/train_rate.c does, and obeys the same lines on
standard input: "train N" is answered by seconds, target tokens, 0 and the loss of the last
update; "rss" by the largest resident size in bytes.

  train_peers_torch.py SHAPE BATCHES MODE THREADS    SHAPE a JSON object, MODE eager, compile or bf16
"""
import json
import math
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

PAD = -1


def sinusoids(rows, dim):
    half = dim // 2
    rate = torch.exp(-math.log(10000) * torch.arange(half) / (half - 1))
    angle = torch.arange(rows)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], 1)


class Transformer(nn.Module):
    """Pre-norm, all embeddings tied; dropout where coho's defaults have it, so not on attention."""

    def __init__(self, s):
        super().__init__()
        self.scale = math.sqrt(s["dim"])
        self.embed = nn.Embedding(s["vocab"], s["dim"])
        nn.init.normal_(self.embed.weight, std=s["dim"] ** -0.5)
        self.bias = nn.Parameter(torch.zeros(s["vocab"]))
        self.dropout = nn.Dropout(s["dropout"])
        self.core = nn.Transformer(s["dim"], s["heads"], s["layers"], s["layers"], s["ffn"], s["dropout"],
                                   "relu", batch_first=True, norm_first=True)
        for layer in [*self.core.encoder.layers, *self.core.decoder.layers]:
            layer.self_attn.dropout = 0.0
            layer.dropout.p = 0.0
            if hasattr(layer, "multihead_attn"):
                layer.multihead_attn.dropout = 0.0
        self.register_buffer("positions", sinusoids(1024, s["dim"]))

    def tokens(self, ids):
        return self.dropout(self.embed(ids) * self.scale + self.positions[: ids.shape[1]])

    def forward(self, source, source_pad, given, causal):
        return self.core(self.tokens(source), self.tokens(given), tgt_mask=causal, tgt_is_causal=True,
                         src_key_padding_mask=source_pad, memory_key_padding_mask=source_pad)


class Step(nn.Module):
    """One step of the decoder: two cells, Luong's attention, the vector that is fed back."""

    def __init__(self, dim, layers, dropout):
        super().__init__()
        self.cells = nn.ModuleList([nn.LSTMCell(dim if i else 2 * dim, dim) for i in range(layers)])
        self.combine = nn.Linear(2 * dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, fed, h, c, keys, memory, mask):
        y = torch.cat([x, fed], 1)
        h_out, c_out = [], []
        for i, cell in enumerate(self.cells):
            hi, ci = cell(self.dropout(y) if i else y, (h[i], c[i]))
            h_out.append(hi)
            c_out.append(ci)
            y = hi
        scores = torch.bmm(keys, y[:, :, None])[:, :, 0] + mask
        context = torch.bmm(F.softmax(scores, 1)[:, None, :], memory)[:, 0]
        fed = self.dropout(torch.tanh(self.combine(torch.cat([context, y], 1))))
        return fed, h_out, c_out


class Lstm(nn.Module):
    def __init__(self, s):
        super().__init__()
        dim = s["dim"]
        self.scale = math.sqrt(dim)
        self.layers = s["layers"]
        self.embed = nn.Embedding(s["vocab"], dim)
        nn.init.normal_(self.embed.weight, std=dim ** -0.5)
        self.bias = nn.Parameter(torch.zeros(s["vocab"]))
        self.dropout = nn.Dropout(s["dropout"])
        self.encoder = nn.LSTM(dim, dim // 2, s["layers"], batch_first=True, dropout=s["dropout"],
                               bidirectional=True)
        self.keys = nn.Linear(dim, dim, bias=False)
        self.step = Step(dim, s["layers"], s["dropout"])

    def tokens(self, ids):
        return self.dropout(self.embed(ids) * self.scale)

    def forward(self, source, source_pad, given, causal):
        lengths = (~source_pad).sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(self.tokens(source), lengths, batch_first=True,
                                                   enforce_sorted=False)
        packed, (h, c) = self.encoder(packed)
        memory, _ = nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
        both = lambda x: list(x.view(self.layers, 2, x.shape[1], -1).transpose(1, 2).flatten(2).unbind(0))
        h, c = both(h), both(c)
        keys = self.keys(memory)
        mask = torch.zeros_like(source_pad, dtype=memory.dtype).masked_fill(source_pad, -math.inf)
        x = self.tokens(given)
        fed = torch.zeros_like(x[:, 0])
        out = []
        for t in range(x.shape[1]):
            fed, h, c = self.step(x[:, t], fed, h, c, keys, memory, mask)
            out.append(fed)
        return torch.stack(out, 1)


def padded(rows):
    return nn.utils.rnn.pad_sequence([torch.tensor(r) for r in rows], batch_first=True, padding_value=PAD)


def load_batches(path):
    """Padded once, beforehand; the padding's ids are 0 and its outputs are left out of the loss."""
    batches = []
    for line in open(path):
        sentences = json.loads(line)
        source, given, wanted = (padded([s[i] for s in sentences]) for i in range(3))
        keep = (wanted != PAD).flatten().nonzero()[:, 0]
        causal = nn.Transformer.generate_square_subsequent_mask(given.shape[1])
        batches.append((source.clamp(min=0), source == PAD, given.clamp(min=0), causal, keep,
                        wanted.flatten()[keep]))
    return batches


class Trainer:
    def __init__(self, shape, batches, mode):
        torch.manual_seed(1)
        self.batches = load_batches(batches)
        self.model = Lstm(shape) if shape["arch"] == "lstm" else Transformer(shape)
        self.model.train()
        self.adam = torch.optim.Adam(self.model.parameters(), lr=1e-4, betas=(0.9, 0.98), eps=1e-9, fused=True)
        self.narrow = mode == "bf16"
        self.run = self.model
        if mode == "compile" and shape["arch"] == "lstm":
            self.model.step.compile(dynamic=True)
        elif mode == "compile":
            self.run = torch.compile(self.model, dynamic=True)
        self.update = 0

    def train(self, updates):
        tokens = 0
        start = time.perf_counter()
        for _ in range(updates):
            *given, keep, wanted = self.batches[self.update % len(self.batches)]
            with torch.autocast("cpu", torch.bfloat16, enabled=self.narrow):
                hidden = self.run(*given).flatten(0, 1)[keep]
                logits = F.linear(hidden, self.model.embed.weight, self.model.bias)
                loss = F.cross_entropy(logits, wanted, label_smoothing=0.1)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.adam.step()
            self.adam.zero_grad(set_to_none=True)
            tokens += len(wanted)
            self.update += 1
        return f"{time.perf_counter() - start:.6f} {tokens} 0 {loss.item():.5f}"


def main():
    shape, batches, mode, threads = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    trainer = Trainer(shape, batches, mode)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "train":
            print(trainer.train(int(words[1])), flush=True)
        elif words[0] == "rss":
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, flush=True)


if __name__ == "__main__":
    main()
