"""Runs the contestants of tests/bench/train_peers.sh in turn on the same batches; prints figures.

  train_peers.py TRAIN_RATE WORK MODEL [ROUNDS]     MODEL small, base or lstm
"""
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# The shape; target tokens and (0: any number) sentences a batch; updates a round.  2×500 and 64
# sentences are the defaults of Kim & Rush's published code (harvardnlp/seq2seq-attn: -num_layers and
# -rnn_size of train.lua, --batchsize of preprocess.py).
MODELS = {
    "small": (dict(arch="transformer", dim=128, ffn=256, heads=4, layers=4, dropout=0.2), 4000, 0, 4),
    "base": (dict(arch="transformer", dim=512, ffn=2048, heads=8, layers=6, dropout=0.1), 3000, 0, 1),
    "lstm": (dict(arch="lstm", dim=500, ffn=500, heads=1, layers=2, dropout=0.3), 4000, 64, 4),
}


class Contestant:
    def __init__(self, name, argv, env=None):
        self.name = name
        self.rates, self.shares, self.flops = [], [], []
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(env or {})})

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.name} has ended")
        return [float(x) for x in answer.split()]

    def train(self, updates, sgemm=None):
        seconds, tokens, flops, loss = self.ask(f"train {updates}")
        if sgemm:
            self.rates.append(tokens / seconds)
            self.flops.append(1e-9 * flops / seconds)
            self.shares.append(1e-9 * flops / seconds / sgemm)
        return tokens / seconds, loss

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def coho_options(shape, tokens, sentences, vocab, store):
    return ["--vocab", vocab, "--store", store, "--arch", shape["arch"], "--dim", str(shape["dim"]),
            "--ffn", str(shape["ffn"]), "--heads", str(shape["heads"]),
            "--encoder-layers", str(shape["layers"]), "--decoder-layers", str(shape["layers"]),
            "--dropout", str(shape["dropout"]), "--batch-tokens", str(tokens), "--batch-sentences", str(sentences),
            "--batch-source-tokens", str(tokens * 3 // 2)]


def start(rate, work, model, shape, tokens, sentences, updates):
    """Batches for all, then everyone who can take part."""
    batches = f"{work}/{model}.batches"
    options = coho_options(shape, tokens, sentences, f"{work}/{model}.spm", f"{work}/{model}.store")
    options += ["--updates", str(updates)]
    subprocess.run([rate, *options, "--batches", batches], check=True)
    coho = lambda name, *more: Contestant(name, [rate, *options, "--serve", *more])
    torch = lambda name, mode: Contestant(name, [sys.executable, f"{HERE}/train_peers_torch.py",
                                                 json.dumps(shape), batches, mode, "2"],
                                          {"OMP_NUM_THREADS": "2"})
    contestants = [coho("coho"), coho("coho_1_thread", "--threads", "1")]
    if model != "small":
        contestants.append(coho("coho_bf16", "--precision", "bf16"))
    contestants += [torch("torch", "eager"), torch("torch_compile", "compile")]
    if model != "small":
        contestants.append(torch("torch_bf16", "bf16"))
    return contestants


def warm_up(contestants, updates):
    """First touches, compilation; losses show that all train the same thing.  Who fails drops out."""
    ready = []
    for c in contestants:
        try:
            rate, loss = c.train(updates)
            ready.append(c)
            print(f"  {c.name}: warm, {rate:.0f} tokens/s, loss {loss:.3f}", file=sys.stderr)
        except (RuntimeError, BrokenPipeError) as e:
            print(f"  {e}: left out", file=sys.stderr)
    return ready


def figure(name, value, unit, digits=2):
    print(f"figure train_peers.{name} {value:.{digits}f} {unit}", flush=True)


def report(model, by_name, sgemm):
    rate = {n: statistics.median(c.rates) for n, c in by_name.items()}
    rss = {n: c.ask("rss")[0] / 2 ** 20 for n, c in by_name.items()}
    figure(f"{model}.sgemm", statistics.median(sgemm), "GFLOP/s", 1)
    for n in by_name:
        figure(f"{model}.{n}", rate[n], "target-tokens/s", 0)
        figure(f"{model}.{n}_rss", rss[n], "MB", 0)
    coho = by_name["coho"]
    figure(f"{model}.share", statistics.median(coho.shares), "of sgemm", 3)
    if "coho_1_thread" in rate:
        figure(f"{model}.threads", rate["coho"] / rate["coho_1_thread"], "times")
    if "coho_bf16" in rate:
        figure(f"{model}.bf16", rate["coho_bf16"] / rate["coho"], "times")
    best = [n for n in ("torch", "torch_compile") if n in rate]
    if best:
        name = max(best, key=lambda n: rate[n])
        figure(f"{model}.ratio", rate["coho"] / rate[name], "times PyTorch's")
        figure(f"{model}.rss_ratio", min(rss[n] for n in best) / rss["coho"], "PyTorch's over coho's")
    if "torch_bf16" in rate and "coho_bf16" in rate:
        figure(f"{model}.bf16_ratio", rate["coho_bf16"] / rate["torch_bf16"], "times PyTorch's at bf16")


def main():
    rate, work, model = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    shape, tokens, sentences, updates = MODELS[model]
    shape["vocab"] = int(open(f"{work}/{model}.size").read())
    contestants = start(rate, work, model, shape, tokens, sentences, updates)
    gauge = Contestant("gauge", contestants[0].process.args)     # times sgemm; its matrices are nobody's memory
    contestants = warm_up(contestants, updates)
    by_name = {c.name: c for c in contestants}
    sgemm = []
    for r in range(rounds):
        for c in contestants:
            before = gauge.ask("sgemm")[0]
            c.train(updates, before)
            sgemm.append(before)
    report(model, by_name, sgemm)
    for c in [gauge, *contestants]:
        c.end()


main()
