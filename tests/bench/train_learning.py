"""PyTorch's side of tests/bench/train_learning.sh: trains on given batches in the given order with
coho's schedule and moving average, and translates greedily with the averaged weights.

  train_learning.py BATCHES UPDATES SEED SPM SOURCE OUTPUT CHECKPOINT THREADS     goes on from CHECKPOINT where there is one
"""
import json
import math
import os
import sys
import time

import sentencepiece
import torch
from torch import nn
from torch.nn import functional as F

from train_peers_torch import PAD, Transformer, padded

SHAPE = dict(arch="transformer", dim=128, ffn=256, heads=4, layers=4, dropout=0.2)
RATE, WARMUP, EMA = 0.002, 600, 0.999


def rate(update):
    return RATE * (update / WARMUP if update < WARMUP else math.sqrt(WARMUP / update))


def train(model, path, updates, checkpoint):
    adam = torch.optim.Adam(model.parameters(), betas=(0.9, 0.98), eps=1e-9, fused=True)
    average = [p.detach().clone() for p in model.parameters()]
    start, shown, before = time.time(), 0.0, 0
    if os.path.exists(checkpoint):
        saved = torch.load(checkpoint)
        before, average = saved["update"], saved["average"]
        model.load_state_dict(saved["model"])
        adam.load_state_dict(saved["adam"])
        torch.set_rng_state(saved["rng"])
        print(f"torch: going on from update {before}", file=sys.stderr)
    for update, line in enumerate(open(path), 1):
        if update <= before:
            continue
        source, given, wanted = (padded([s[i] for s in json.loads(line)]) for i in range(3))
        keep = (wanted != PAD).flatten().nonzero()[:, 0]
        causal = nn.Transformer.generate_square_subsequent_mask(given.shape[1])
        hidden = model(source.clamp(min=0), source == PAD, given.clamp(min=0), causal).flatten(0, 1)[keep]
        loss = F.cross_entropy(F.linear(hidden, model.embed.weight, model.bias), wanted.flatten()[keep],
                               label_smoothing=0.1)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in adam.param_groups:
            group["lr"] = rate(update)
        adam.step()
        adam.zero_grad(set_to_none=True)
        decay = min(EMA, (1 + update) / (10 + update))
        torch._foreach_lerp_(average, [p.detach() for p in model.parameters()], 1 - decay)
        shown += (loss.item() - shown) / min(update, 50)
        if update % 100 == 0 or update == updates:
            print(f"torch: update {update}, loss {shown:.4f}, {time.time() - start:.0f} s", file=sys.stderr)
        if update % 500 == 0 or update == updates:
            torch.save(dict(update=update, model=model.state_dict(), adam=adam.state_dict(), average=average,
                            rng=torch.get_rng_state()), checkpoint + ".partial")
            os.replace(checkpoint + ".partial", checkpoint)
        if update == updates:
            break
    for p, a in zip(model.parameters(), average):
        p.data.copy_(a)


@torch.no_grad()
def greedy(model, spm, lines):
    model.eval()
    sources = [spm.encode(line) + [spm.eos_id()] for line in lines]
    order = sorted(range(len(lines)), key=lambda i: len(sources[i]))
    result = [""] * len(lines)
    for at in range(0, len(order), 100):
        chunk = order[at:at + 100]
        source = padded([sources[i] for i in chunk])
        mask = source == PAD
        memory = model.core.encoder(model.tokens(source.clamp(min=0)), src_key_padding_mask=mask)
        given = torch.full((len(chunk), 1), spm.bos_id())
        for _ in range(2 * source.shape[1] + 10):
            causal = nn.Transformer.generate_square_subsequent_mask(given.shape[1])
            hidden = model.core.decoder(model.tokens(given), memory, tgt_mask=causal, memory_key_padding_mask=mask)
            logits = F.linear(hidden[:, -1], model.embed.weight, model.bias)
            logits[:, [spm.unk_id(), spm.bos_id()]] = -math.inf
            given = torch.cat([given, logits.argmax(1, keepdim=True)], 1)
            if (given == spm.eos_id()).any(1).all():
                break
        for i, row in zip(chunk, given.tolist()):
            row = row[1:]
            result[i] = spm.decode(row[:row.index(spm.eos_id())] if spm.eos_id() in row else row)
    return result


def main():
    batches, updates, seed, spm_path, source, output, checkpoint, threads = sys.argv[1:]
    torch.manual_seed(int(seed))
    torch.set_num_threads(int(threads))
    spm = sentencepiece.SentencePieceProcessor(model_file=spm_path)
    model = Transformer({**SHAPE, "vocab": spm.vocab_size()})
    model.train()
    train(model, batches, int(updates), checkpoint)
    lines = [line.rstrip("\n") for line in open(source, encoding="utf-8")]
    with open(output, "w", encoding="utf-8") as out:
        out.writelines(line + "\n" for line in greedy(model, spm, lines))


main()
