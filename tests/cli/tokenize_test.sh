# coho vocab, tokenize and detokenize.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
golden=$here/../tokenize/golden

# ---- tokenize and detokenize equal spm_encode and spm_decode ----

# One line ends in \r\n: here the \r belongs to the line end, so that line is left out.
crlf=$(LC_ALL=C grep -an "$(printf '\r')\$" "$golden/hard.txt" | cut -d : -f 1)
[ "$crlf" -gt 100 ] || fail "the line that ends in \\r\\n is not found"
for name in unigram bpe bytes; do
    for format in pieces ids; do
        option=
        [ $format = ids ] && option=--ids
        LC_ALL=C sed "${crlf}d" "$golden/$name.$format" >wanted
        for threads in 1 3; do
            expect_from "$golden/hard.txt" 0 \
                "$coho" tokenize -m "$golden/$name.model" $option --threads $threads
            LC_ALL=C sed "${crlf}d" .seen/stdout >got
            cmp got wanted || fail "$name.$format differs from spm_encode's"
        done
    done
    expect 0 "$coho" detokenize -m "$golden/$name.model" --ids "$golden/$name.ids" -o text.out
    cmp text.out "$golden/$name.decoded" || fail "$name: text differs from spm_decode's"
done

# ---- streams ----

model=$golden/unigram.model
printf 'the man\n\nthe dog' >a.txt
printf 'a house\n' >b.txt
gzip -c a.txt >a.txt.gz
expect 0 "$coho" tokenize -m "$model" a.txt.gz b.txt
stdout_lines 4
cp .seen/stdout four.pieces
expect_from four.pieces 0 "$coho" detokenize -m "$model"
stdout_is "the man

the dog
a house"
expect 0 "$coho" tokenize -m "$model" --ids --bos --eos a.txt
stdout_has '^1 .* 2$'
stdout_has '^1 2$'
expect 0 "$coho" tokenize -m "$model" </dev/null
stdout_is ""
expect_with "  e$(printf '\314\201')  x " 0 "$coho" tokenize -m "$golden/char.model" --nfc --collapse-space --trim-space
stdout_is "▁ é ▁ x"

# Order is kept over many blocks, whatever the threads.
awk 'BEGIN { for (i = 0; i < 30000; i++) print "the man " i " sees a house" }' >many.txt
expect 0 "$coho" tokenize -m "$model" --ids --threads 1 many.txt -o one.ids
expect 0 "$coho" tokenize -m "$model" --ids --threads 4 many.txt -o four.ids
cmp one.ids four.ids || fail "threads change the output"
expect 0 "$coho" tokenize -m "$model" --sample --alpha 0.3 --seed 7 --threads 1 many.txt -o one.pieces
expect 0 "$coho" tokenize -m "$model" --sample --alpha 0.3 --seed 7 --threads 4 many.txt -o four.pieces
cmp one.pieces four.pieces || fail "threads change the samples"
expect 0 "$coho" tokenize -m "$model" --sample --alpha 0.3 --seed 8 --threads 4 many.txt -o other.pieces
cmp -s one.pieces other.pieces && fail "the seed does not change the samples"
expect 0 "$coho" detokenize -m "$model" one.pieces -o back.txt
cmp back.txt many.txt || fail "samples do not give the text back"

# ---- vocab ----

expect 0 "$coho" vocab "$golden/text.txt" -o own.model --size 220 --symbols '<sep>' '<2de>' --write-list
cmp own.vocab "$golden/unigram.vocab" || fail "the pieces are not spm_train's"
expect 0 "$coho" vocab --list own.model
cmp .seen/stdout "$golden/unigram.vocab" || fail "--list differs from spm_train's list"
expect_from "$golden/text.txt" 0 "$coho" vocab - -o bpe.model -t bpe -s 100
expect 0 "$coho" vocab --list bpe.model
stdout_lines 100

# ---- bad usage and bad input ----

expect 2 "$coho" vocab a.txt
stderr_has '-o MODEL'
stderr_is_one_line
expect 2 "$coho" vocab -o x.model
stderr_is_one_line
expect 2 "$coho" vocab --list own.model a.txt
expect 2 "$coho" vocab a.txt -o x.model --sise 100
stderr_has "did you mean '--*size'"
stderr_is_one_line
expect 2 "$coho" vocab a.txt -o x.model --size 3
stderr_has 'out of range'
expect 2 "$coho" tokenize
stderr_has 'model'
expect 0 "$coho" tokenize --help
stdout_has 'sampling'

expect 1 "$coho" vocab a.txt -o x.model --size 4000
stderr_has 'set --size to'
stderr_is_one_line
expect 1 "$coho" vocab absent.txt -o x.model
stderr_has 'absent.txt'
stderr_is_one_line
printf 'good\nbad \377\n' >bad.txt
expect 1 "$coho" vocab bad.txt -o x.model --size 50
stderr_has 'bad.txt:2'
stderr_is_one_line
: >empty.txt
expect 1 "$coho" vocab empty.txt -o x.model
stderr_has "no lines to train on in 'empty.txt'"
stderr_is_one_line
absent x.model

expect 1 "$coho" tokenize -m absent.model a.txt
stderr_has 'absent.model'
stderr_is_one_line
expect 1 "$coho" tokenize -m a.txt a.txt
stderr_has 'not a SentencePiece model'
stderr_is_one_line
head -c 200000 "$model" >cut.model
expect 1 "$coho" tokenize -m cut.model a.txt
stderr_is_one_line
expect 1 "$coho" tokenize -m "$model" absent.txt
stderr_has 'absent.txt'
expect 1 "$coho" tokenize -m "$model" --bad-utf8 refuse bad.txt -o out.txt
stderr_has 'bad.txt:2'
stderr_is_one_line
absent out.txt
expect 0 "$coho" tokenize -m "$model" bad.txt
stdout_lines 2
expect 1 "$coho" tokenize -m "$golden/bpe.model" --sample --alpha 2 a.txt
stderr_has 'alpha'
expect_with "$(printf '4 5\n4 999\n')" 1 "$coho" detokenize -m "$model" --ids
stderr_has 'standard input:2: the id 999 is beyond the vocabulary of 220 pieces'
stderr_is_one_line
printf '4\n5 the\n' >words.ids
expect 1 "$coho" detokenize -m "$model" --ids words.ids
stderr_has "words.ids:2: 'the' is not an id"
expect_with "-1" 1 "$coho" detokenize -m "$model" --ids
if [ -w /dev/full ]; then
    "$coho" tokenize -m "$model" many.txt >/dev/full 2>.seen/stderr && fail "a full disk goes unnoticed"
    stderr_has 'cannot write'
fi
no_partial_files
finish
