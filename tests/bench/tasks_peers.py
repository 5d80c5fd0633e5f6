"""A biLSTM text classifier in PyTorch, as tests/bench/tasks_peers.sh wants it; prints test accuracy.

  tasks_peers.py RUN TASK SEED     RUN: of recipes/papers/bam-nlu.yml, with the stage bam-single-TASK@SEED

Learns from the examples, the vocabulary and the options of that stage.
"""
import copy
import json
import os
import random
import sys

import sentencepiece
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence



class Classifier(nn.Module):
    def __init__(self, vocab, labels, dim, dropout):
        super().__init__()
        self.dim = dim
        self.embed = nn.Embedding(vocab, dim)
        with torch.no_grad():
            self.embed.weight /= dim**0.5  # and back when it is looked up, as in Vaswani et al. 2017
        self.lstm = nn.LSTM(dim, dim // 2, batch_first=True, bidirectional=True)
        self.query = nn.Parameter(torch.randn(dim) / dim**0.5)
        self.output = nn.Linear(dim, labels)
        self.drop = nn.Dropout(dropout)

    def forward(self, ids, lengths):
        x = self.drop(self.embed(ids) * self.dim**0.5)
        x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(x)[0], batch_first=True)
        absent = torch.arange(states.shape[1])[None, :] >= lengths[:, None]
        weights = (states @ self.query).masked_fill(absent, float("-inf")).softmax(1)
        return self.output(self.drop((weights[:, :, None] * states).sum(1)))


def read(path, spm, labels):
    examples = []
    for line in open(path, encoding="utf-8"):
        label, text = line.rstrip("\n").split("\t")
        examples.append((spm.encode(text) + [spm.eos_id()], labels.setdefault(label, len(labels))))
    return examples


def batch_of(examples):
    lengths = torch.tensor([len(ids) for ids, _ in examples])
    ids = torch.zeros(len(examples), int(lengths.max()), dtype=torch.long)
    for row, (tokens, _) in zip(ids, examples):
        row[: len(tokens)] = torch.tensor(tokens)
    return ids, lengths, torch.tensor([label for _, label in examples])


def batches(examples, size, rng):
    """Texts of like length together, in an order that is new each epoch."""
    while True:
        order = sorted(examples, key=lambda e: (len(e[0]), rng.random()))
        parts = [order[i : i + size] for i in range(0, len(order), size)]
        rng.shuffle(parts)
        yield from map(batch_of, parts)


@torch.no_grad()
def accuracy(model, examples):
    model.eval()
    right = 0
    for i in range(0, len(examples), 250):
        ids, lengths, labels = batch_of(examples[i : i + 250])
        right += int((model(ids, lengths).argmax(1) == labels).sum())
    model.train()
    return 100 * right / len(examples)


def train(model, examples, dev, options, unk, eos, rng):
    updates, warmup = options["max-updates"], options["warmup"]
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=options["learning-rate"], betas=(options["adam-beta1"], options["adam-beta2"]),
        eps=options["adam-epsilon"], weight_decay=options["weight-decay"],
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda n: (n + 1) / warmup if n + 1 < warmup else max(0.0, 1 - n / updates)
    )
    mean, best, kept = copy.deepcopy(model), -1.0, None
    source = batches(examples, options["batch-sentences"], rng)
    for update in range(1, updates + 1):
        ids, lengths, labels = next(source)
        gone = (torch.rand(ids.shape) < options["word-dropout"]) & (ids != eos)
        given = model(ids.masked_fill(gone, unk), lengths)
        loss = nn.functional.cross_entropy(given, labels, label_smoothing=options["label-smoothing"])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), options["clip-norm"])
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            decay = min(options["ema"], (1 + update) / (10 + update))
            for a, b in zip(mean.parameters(), model.parameters()):
                a.lerp_(b, 1 - decay)
        if update % options["validate-every"] == 0:
            score = accuracy(mean, dev)
            if score > best:
                best, kept = score, copy.deepcopy(mean)
    return kept


def main():
    run, task, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(os.path.join(run, f"bam-single-{task}@{seed}", "manifest.json")) as file:
        options = json.load(file)["options"]
    torch.manual_seed(seed)
    torch.set_num_threads(1)            # two are no faster at this size, and far slower on a machine that is not idle
    spm = sentencepiece.SentencePieceProcessor(model_file=os.path.join(run, "vocabulary", "joint.spm"))
    labels = {}
    sets = [read(os.path.join(run, task, name + ".tsv"), spm, labels) for name in ("train", "dev", "test")]
    model = Classifier(spm.get_piece_size(), len(labels), options["dim"], options["dropout"])
    kept = train(model, sets[0], sets[1], options, spm.unk_id(), spm.eos_id(), random.Random(seed))
    print(f"{accuracy(kept, sets[2]):.2f}")


main()
