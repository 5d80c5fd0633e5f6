"""coho and CTranslate2 on the same text with the same weights, in alternating runs.

python decode_peers.py convert MODEL SPM OUT [QUANTIZATION]
    makes a CTranslate2 model of the float32 transformer in the folder MODEL; SPM is its joint vocabulary
python decode_peers.py run NAME RUNS COHO MODEL PEER SPM TEXT THREADS BEAM LENGTH PRODUCTS
    prints `NAME words/s of coho, words/s of CTranslate2, ratio, share of equal lines, settings`; LENGTH 0:
    as the models end, else all outputs have so many tokens (random weights choose <s>, which coho does not offer).  CTranslate2 gets the best of its settings, is given pieces
    and its time does not count tokenisation; coho's time counts reading text and writing it.
python decode_peers.py latency NAME COHO MODEL PEER SPM TEXT PRODUCTS
    one line at a time: median seconds of a line
python decode_peers.py rss PEER SPM TEXT BATCH
    resident megabytes at most while a stream of lines goes by, less what Python and its modules take
"""

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import ctranslate2
import numpy as np
import sentencepiece
from ctranslate2.specs import common_spec, transformer_spec


def read_safetensors(path):
    with open(path, "rb") as f:
        n = int.from_bytes(f.read(8), "little")
        header = json.loads(f.read(n))
        data = f.read()
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data, np.float32, (e["data_offsets"][1] - e["data_offsets"][0]) // 4,
                            e["data_offsets"][0]).reshape(e["shape"]).copy()
        for name, e in header.items()
    }


def sinusoids(rows, depth):
    half = depth // 2
    rate = np.exp(-np.log(10000.0) * np.arange(half) / max(half - 1, 1))
    angle = np.arange(rows)[:, None] * rate[None, :]
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1).astype(np.float32)


def set_linear(spec, w, name):
    spec.weight = w[name + ".weight"]
    spec.bias = w[name + ".bias"]


def set_norm(spec, w, name):
    spec.gamma = w[name + ".gain"]
    spec.beta = w[name + ".bias"]


def set_layer(spec, w, name, decoder):
    set_norm(spec.self_attention.layer_norm, w, name + ".self.norm")
    set_linear(spec.self_attention.linear[0], w, name + ".self.qkv")
    set_linear(spec.self_attention.linear[1], w, name + ".self.out")
    if decoder:
        set_norm(spec.attention.layer_norm, w, name + ".cross.norm")
        set_linear(spec.attention.linear[0], w, name + ".cross.q")
        set_linear(spec.attention.linear[1], w, name + ".cross.kv")
        set_linear(spec.attention.linear[2], w, name + ".cross.out")
    set_norm(spec.ffn.layer_norm, w, name + ".ffn.norm")
    set_linear(spec.ffn.linear_0, w, name + ".ffn.in")
    set_linear(spec.ffn.linear_1, w, name + ".ffn.out")


def convert(model, spm, out, quantization=None):
    config = json.load(open(os.path.join(model, "config.json")))["model"]
    w = read_safetensors(os.path.join(model, "model.safetensors"))
    assert config["norm"] == "pre" and config["activation"] == "relu" and config["tied"] == "all"
    spec = transformer_spec.TransformerSpec.from_config(
        (config["encoder-layers"], config["decoder-layers"]), config["heads"], pre_norm=True,
        activation=common_spec.Activation.RELU)
    positions = sinusoids(config["max-positions"], config["dim"])
    for side, embeddings in ((spec.encoder, spec.encoder.embeddings[0]), (spec.decoder, spec.decoder.embeddings)):
        embeddings.weight = w["embed"]
        embeddings.multiply_by_sqrt_depth = True
        side.scale_embeddings = True
        side.position_encodings.encodings = positions
    for i, layer in enumerate(spec.encoder.layer):
        set_layer(layer, w, f"encoder.{i}", False)
    for i, layer in enumerate(spec.decoder.layer):
        set_layer(layer, w, f"decoder.{i}", True)
    set_norm(spec.encoder.layer_norm, w, "encoder.norm")
    set_norm(spec.decoder.layer_norm, w, "decoder.norm")
    spec.decoder.projection.weight = w["embed"]
    spec.decoder.projection.bias = w["output.bias"]
    pieces = sentencepiece.SentencePieceProcessor(spm)
    vocab = [pieces.id_to_piece(i) for i in range(pieces.get_piece_size())]
    spec.register_source_vocabulary(vocab)
    spec.register_target_vocabulary(vocab)
    spec.config.bos_token = spec.config.decoder_start_token = pieces.id_to_piece(pieces.bos_id())
    spec.config.eos_token = pieces.id_to_piece(pieces.eos_id())
    spec.config.unk_token = pieces.id_to_piece(pieces.unk_id())
    spec.config.add_source_eos = True
    spec.validate()
    spec.optimize(quantization=quantization)
    os.makedirs(out, exist_ok=True)
    spec.save(out)


def pieces_of(spm, text):
    processor = sentencepiece.SentencePieceProcessor(spm)
    lines = open(text, encoding="utf-8").read().splitlines()
    return processor, lines, processor.encode(lines, out_type=str)


def run_peer(translator, pieces, beam, length, batch):
    limits = {"max_decoding_length": 256}
    if length:
        limits = {"min_decoding_length": length, "max_decoding_length": length}
    start = time.perf_counter()
    results = translator.translate_batch(pieces, beam_size=beam, max_batch_size=batch, disable_unk=True, **limits)
    return time.perf_counter() - start, [r.hypotheses[0] for r in results]


def best_peer(peer, products, threads, pieces, beam, length):
    """The fastest of CTranslate2's settings on these lines: a translator, its batch size, and words about them."""
    batches = (8, 16, 32, 64) if beam > 1 else (16, 32, 64, 128)
    best = None
    for kind in ("int8", "int8_float32") if products == "int8" else ("float32",):
        for inter, intra in {(threads, 1), (1, threads)}:
            translator = ctranslate2.Translator(peer, compute_type=kind, inter_threads=inter, intra_threads=intra)
            run_peer(translator, pieces[:64], beam, length, batches[0])
            for batch in batches:
                seconds = run_peer(translator, pieces, beam, length, batch)[0]
                if best is None or seconds < best[0]:
                    best = seconds, translator, batch, f"{kind}, inter {inter}, intra {intra}, batch {batch}"
    return best[1:]


def run_coho(coho, model, text, threads, beam, length, products):
    with tempfile.NamedTemporaryFile(suffix=".out") as out:
        command = [coho, "translate", "-m", model, "-i", text, "-o", out.name, "--threads", str(threads),
                   "--beam", str(beam), "--products", products]
        if length:
            command += ["--min-length", str(length), "--max-length", str(length)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        lines = open(out.name, encoding="utf-8").read().splitlines()
    rate = int(re.search(r": ([0-9,]+) words/s", done.stderr)[1].replace(",", ""))
    return rate, lines


def run(name, runs, coho, model, peer, spm, text, threads, beam, length, products):
    threads, beam, length = int(threads), int(beam), int(length)
    processor, lines, pieces = pieces_of(spm, text)
    words = sum(len(line.split()) for line in lines)
    translator, batch, settings = best_peer(peer, products, threads, pieces[:512], beam, length)
    ours, theirs = [], []
    for _ in range(int(runs)):
        rate, our_lines = run_coho(coho, model, text, threads, beam, length, products)
        ours.append(rate)
        seconds, hypotheses = run_peer(translator, pieces, beam, length, batch)
        theirs.append(words / seconds)
    their_lines = processor.decode(hypotheses)
    equal = sum(a == b for a, b in zip(our_lines, their_lines)) / len(lines)
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"{name} {a:.0f} {b:.0f} {a / b:.3f} {equal:.4f} CTranslate2: {settings}", flush=True)


def latency(name, coho, model, peer, spm, text, products):
    """Each line goes in when the one before has come out; both processes are warm."""
    kind = "int8" if products == "int8" else "float32"
    translator = ctranslate2.Translator(peer, compute_type=kind, inter_threads=1, intra_threads=1)
    processor, lines, pieces = pieces_of(spm, text)
    job = subprocess.Popen([coho, "translate", "-q", "-m", model, "--stream", "--threads", "1", "--beam", "1",
                            "--products", products], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    ours, theirs = [], []
    for line in lines:
        start = time.perf_counter()
        job.stdin.write((line + "\n").encode())
        job.stdin.flush()
        job.stdout.readline()
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        tokens = processor.encode(line, out_type=str)
        processor.decode(translator.translate_batch([tokens], beam_size=1, disable_unk=True)[0].hypotheses[0])
        theirs.append(time.perf_counter() - start)
    job.stdin.close()
    job.wait()
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"{name} {a * 1e3:.3f} {b * 1e3:.3f} {b / a:.3f}", flush=True)


def rss(peer, spm, text, batch):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    translator = ctranslate2.Translator(peer, compute_type="int8", inter_threads=2, intra_threads=1)
    processor = sentencepiece.SentencePieceProcessor(spm)
    source = (processor.encode(line.rstrip("\n"), out_type=str) for line in open(text, encoding="utf-8"))
    for _ in translator.translate_iterable(source, max_batch_size=int(batch), beam_size=1, disable_unk=True,
                                             max_decoding_length=14):
        pass
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, flush=True)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
