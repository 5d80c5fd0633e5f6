# python3 tests/fuzz/inputs/make.py COHO: writes the kept inputs that are not typed by hand.
# COHO is the program; zstd and xz must be installed.
import gzip, json, lzma, os, struct, subprocess, sys, tempfile
here = os.path.dirname(os.path.abspath(__file__))
root = os.path.join(here, '..', '..', '..')
coho = os.path.abspath(sys.argv[1])


def put(target, name, data):
    os.makedirs(os.path.join(here, target), exist_ok=True)
    with open(os.path.join(here, target, name), 'wb') as f:
        f.write(data if isinstance(data, bytes) else data.encode())


text = 'one\ntwo ä € 😀\r\n\n\xff'.encode('latin-1', 'replace') + 'ü\n'.encode() * 3
put('lines', 'plain', text)
put('lines', 'bom', b'\xef\xbb\xbfa\nb\xc3(\n\xed\xa0\x80')
put('lines', 'gzip', gzip.compress(text, mtime=0) + gzip.compress(b'more\n', mtime=0) + b'\0\0')
put('lines', 'xz', lzma.compress(text) + lzma.compress(b'more\n'))
put('lines', 'zstd', subprocess.run(['zstd', '-q', '-c'], input=text, stdout=subprocess.PIPE, check=True).stdout)


def mo(order, texts):
    count, at = len(texts), 28 + 16 * len(texts)
    head = struct.pack(order + '7I', 0x950412de, 0, count, 28, 28 + 8 * count, 0, 0)
    table, body = b'', b''
    for side in range(2):
        for t in texts:
            table += struct.pack(order + '2I', len(t[side]), at + len(body))
            body += t[side] + b'\0'
    return head + table + body


texts = [(b'', b'Content-Type: text/plain; charset=ISO-8859-1\n'), (b'menu\4Open', b'\xd6ffnen'),
         (b'one\0many', b'eins\0zwei\0viele')]
put('mo', 'little', mo('<', texts))
put('mo', 'big', mo('>', texts))

header = json.dumps({'__metadata__': {'format': 'pt'}, 'a': {'dtype': 'F32', 'shape': [2, 2], 'data_offsets': [0, 16]},
                     'b': {'dtype': 'F32', 'shape': [1], 'data_offsets': [16, 20]}}).encode()
put('safetensors', 'two', struct.pack('<Q', len(header)) + header + bytes(20))
put('safetensors', 'none', struct.pack('<Q', 2) + b'{}')



def weights(tensors):
    head, body = {}, b''
    for name, dtype, shape, numbers in tensors:
        head[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [len(body), len(body) + len(numbers)]}
        body += numbers
    text = json.dumps(head).encode()
    return struct.pack('<Q', len(text)) + text + body


floats = lambda n: struct.pack('<%df' % n, *range(1, n + 1))
bias = ('b', 'F32', [5], floats(5))
put('weights', 'dense', weights([('w', 'F32', [3, 7], floats(21)), bias, ('p', 'F32', [16, 4], floats(64))]))
put('weights', 'sparse', weights([('w.values', 'F32', [4], floats(4)), bias, ('p.values', 'F32', [0], b''),
                                  ('w.bits', 'U8', [3], bytes([1, 6, 16])), ('p.bits', 'U8', [8], bytes(8))]))
put('weights', 'beyond', weights([('w.values', 'F32', [1], floats(1)), bias, ('w.bits', 'U8', [3], bytes([0, 0, 32]))]))
put('weights', 'int8', weights([('w', 'F32', [3, 7], floats(21)), bias, ('p', 'I8', [1, 64], bytes(64)),
                                ('p.scale', 'F32', [16], floats(16)), ('p.sum', 'I32', [16], bytes(64))]))

for name in 'bpe', 'bytes', 'char', 'word':
    with open(os.path.join(root, 'tests', 'tokenize', 'golden', name + '.model'), 'rb') as f:
        put('tokenizer', name, f.read())
with tempfile.TemporaryDirectory() as folder:
    for name, lines in ('a', 'a b\nc\n\nd e f\n'), ('b', 'x\ny z\nw\n\n'):
        with open(os.path.join(folder, name), 'w') as f:
            f.write(lines)
    model = os.path.join(root, 'tests', 'tokenize', 'golden', 'char.model')
    subprocess.run([coho, 'corpus', 'store', 'a', 'b', '-m', model, '-o', 'store', '-q'], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    with open(os.path.join(folder, 'store'), 'rb') as f:
        put('store', 'four', f.read())

# One sentence of two rows with an entry each.
about = b'{}'
body = about + bytes(6) + struct.pack('<2H2H', 3, 4, 0x8000, 0x8000)
rows_at = 136 + len(body)
body += struct.pack('<6H', 1, 0xfc00, 0x8000, 1, 0xfc00, 0x8000) + bytes(4)
sentences_at = 136 + len(body)
body += struct.pack('<6Q', 0, 0, 7, 2, 2, 0)
head = b'cohosoft' + struct.pack('<2I5Q2IIffI7Q', 1, 136, 0, 1, 2, 2, 0, 10, 2, 1, 1.0, 1.0, len(about), 1, 2, 3, rows_at,
                                 sentences_at, 0, 0)
assert len(head) == 136
put('soft_targets', 'one', head + body)
