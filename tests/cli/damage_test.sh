# Files that were damaged or cut short, and disks that fill up: it is told, and what was whole before
# stays whole.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
. "$here/tiny.sh"
trap 'umount "$scratch/disk" 2>/dev/null; rm -rf "$scratch"' EXIT

# flip FILE OFFSET: one bit of the byte there.
flip()
{
    byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    printf "\\$(printf %o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# ---- models ----

tiny="$tiny --dropout 0.25"
dev='--dev-source source.txt --dev-target target.txt'
expect 0 "$coho" train $tiny $dev -o m --save-every 1
head -n 2 source.txt >two.txt
for file in model.safetensors config.json joint.spm lineage.json; do
    size=$(wc -c <m/$file)
    for keep in 0 1 7 $((size / 2)) $((size - 2)); do
        rm -rf cut
        cp -r m cut
        head -c $keep m/$file >cut/$file
        refused 1 "cut/$file'*[: ]" "$coho" translate --threads 1 -m cut -i two.txt
    done
    rm cut/$file
    mkdir cut/$file
    refused 1 "cut/" "$coho" score --threads 1 -m cut -s two.txt -t two.txt
done
for file in model.safetensors joint.spm; do
    rm -rf cut
    cp -r m cut
    rm cut/$file
    refused 1 'cannot read cut/.*: No such file' "$coho" translate --threads 1 -m cut -i two.txt
done
rm cut/config.json
refused 1 "'cut' holds no model yet, only checkpoints.*--resume" "$coho" translate --threads 1 -m cut -i two.txt
rm -r cut/checkpoints
refused 1 "'cut' is no model: it has no config.json" "$coho" translate --threads 1 -m cut -i two.txt

# Bits all over the files.
for file in model.safetensors config.json joint.spm lineage.json; do
    size=$(wc -c <m/$file)
    step=$((size / 12))
    at=5
    [ $file = config.json ] && at=$(grep -bo '"arch' m/$file | cut -d : -f 1)
    while [ $at -lt "$size" ]; do
        rm -rf flipped
        cp -r m flipped
        flip flipped/$file $at
        refused 1 "flipped/$file" "$coho" translate --threads 1 -m flipped -i two.txt
        at=$((at + step))
    done
done

# A configuration and a vocabulary of another model, both sound.
expect 0 "$coho" vocab source.txt target.txt -o other.spm -t bpe --size 60
expect 0 "$coho" train $tiny -o other -v other.spm
rm -rf mixed
cp -r m mixed
sed 's/"heads": 2/"heads": 1/' m/config.json >mixed/config.json
refused 1 "'mixed/config.json' is damaged, or belongs to another model" "$coho" translate --threads 1 -m mixed -i two.txt
cp -r m/config.json mixed/config.json
cp other/joint.spm mixed/joint.spm
refused 1 "vocabularies of 260 and 260 pieces.* have 60 and 60" "$coho" translate --threads 1 -m mixed -i two.txt

# ---- checkpoints ----

newest=m/checkpoints/update-2.safetensors
size=$(wc -c <$newest)
step=$((size / 12))
at=3
while [ $at -lt "$size" ]; do
    rm -rf resumed
    cp -r m resumed
    flip resumed/checkpoints/update-2.safetensors $at
    expect 0 "$coho" train $tiny -o resumed --save-every 1 --max-updates 1 --resume
    stderr_has "resumed/checkpoints/update-2.safetensors'* .*; going back to the checkpoint of update 1"
    at=$((at + step))
done
rm -rf resumed
cp -r m resumed
flip resumed/checkpoints/update-2.safetensors 60000
expect 0 "$coho" train $tiny -o resumed $dev --save-every 1 --resume
stderr_has "update-2.safetensors' is damaged: .*; going back to the checkpoint of update 1"
cmp -s resumed/model.safetensors m/model.safetensors || fail 'a run that went back ends with other weights'
rm -rf resumed
cp -r m resumed
for file in resumed/checkpoints/*; do
    truncate -s 1000 "$file"
done
expect 1 "$coho" train $tiny -o resumed $dev --resume
stderr_has "^coho train: .*truncated.*; remove 'resumed/checkpoints' to start again"
printf 'no JSON\nnor this\n' >resumed/log.jsonl
refused 1 'log.jsonl:1: no JSON object' "$coho" report resumed

# ---- vocabularies, text, runs ----

head -c 2000 tiny.spm >cut.spm
refused 1 "cut.spm' is .*damaged" "$coho" tokenize -m cut.spm source.txt -o new
refused 1 "cut.spm' is .*damaged" "$coho" corpus store source.txt target.txt -m cut.spm -o new
refused 1 "cut.spm' is .*damaged" "$coho" train $tiny -o new -v cut.spm
expect 0 "$coho" vocab source.txt target.txt -o sealed.spm -t bpe --size 60
size=$(wc -c <sealed.spm)
step=$((size / 12))
at=5
while [ $at -lt "$size" ]; do
    cp sealed.spm flipped.spm
    flip flipped.spm $at
    refused 1 "flipped.spm' is .*damaged" "$coho" train $tiny -o new -v flipped.spm
    at=$((at + step))
done
expect 0 "$coho" train $tiny -o sealed -v sealed.spm

# What teachers said of the corpus.
expect 0 "$coho" label -m m -i source.txt -o labels --soft-targets top-k --soft-k 3 --max-length 6 --threads 1
learn="$coho train $tiny -t labels/best.txt -o learnt --objective word-kd"
expect 0 $learn --soft-targets labels/soft
for file in labels/soft/*; do
    size=$(wc -c <"$file")
    step=$((size / 12))
    at=5
    while [ $at -lt "$size" ]; do
        rm -rf flipped learnt
        cp -r labels/soft flipped
        flip flipped/"${file##*/}" $at
        expect 1 $learn --soft-targets flipped
        stderr_has "^coho train: .*flipped/${file##*/}'* "
        at=$((at + step))
    done
done
seq 1 10000 | gzip -c | head -c 10000 >cut.gz
for command in "tokenize -m tiny.spm cut.gz" "translate -m m --max-length 1 -i cut.gz" "corpus clean cut.gz cut.gz" \
    "corpus store cut.gz cut.gz -m tiny.spm" "score -m m -s cut.gz -t cut.gz" "vocab cut.gz"; do
    refused 1 'cut.gz is a truncated gzip file' "$coho" $command -o new
done
refused 1 'cut.gz is a truncated gzip file' "$coho" train $tiny -o untrained -s cut.gz -t cut.gz
absent new
absent new.src
absent untrained/config.json

cat >recipe.yml <<'END'
stages:
  corpus: { kind: corpus, source: source.txt, target: target.txt, dev: 5, test: 5 }
  vocabulary: { kind: vocabulary, corpus: corpus, type: bpe, size: 70 }
  model: { kind: train, corpus: corpus, vocabulary: vocabulary, dim: 16, ffn: 32, heads: 2,
           encoder-layers: 1, decoder-layers: 1, batch-tokens: 300, max-updates: 2 }
END
expect 0 "$coho" distill recipe.yml -o run --threads 1
cp run/model/model.safetensors wanted
flip run/model/model.safetensors 9000
expect 0 "$coho" distill recipe.yml -o run --threads 1
stderr_has 'model: training a model (model.safetensors is missing or changed)'
cmp -s run/model/model.safetensors wanted || fail 'a damaged model is not made again'
head -c 40 run/corpus/manifest.json >manifest
cp manifest run/corpus/manifest.json
expect 0 "$coho" distill recipe.yml -o run --threads 1
stderr_has 'corpus: done'

# ---- disks that fill up ----

# whole FOLDER: its model and its newest checkpoint can be used.
whole()
{
    expect 0 "$coho" translate -q -m "$1" -i two.txt --max-length 3
    stdout_lines 2
    expect 0 "$coho" train $tiny -o "$1" $dev --resume
    no_partial_files "$1"
}

# A limit on the size of files is met in the same way, by anyone.  Here neither the numbers of a
# model fit, nor those of a checkpoint, three times as large; then the first ones do.
cp -r m limited
expect 1 sh -c "ulimit -f 24; exec '$coho' train $tiny --max-updates 4 -o limited --resume $dev"
stderr_has '^coho train: cannot write limited/model.safetensors: File too large'
cmp -s limited/model.safetensors m/model.safetensors || fail 'the model of before is lost'
whole limited
expect 0 sh -c "ulimit -f 120; exec '$coho' train $tiny --max-updates 6 -o limited --resume $dev"
stderr_has '^warning: cannot write limited/checkpoints/update-6.safetensors: File too large; the checkpoint before it stays, training goes on'
whole limited
yes 'the cat sees a house' | head -n 20000 >long.src
yes 'die Katze sieht ein Haus' | head -n 20000 >long.trg
for command in "tokenize -m tiny.spm long.src -o new" "corpus import long.src long.trg -o new" \
    "corpus store long.src long.trg -m tiny.spm -o new" "corpus split long.src long.trg -o sets --dev 5 --test 5"; do
    expect 1 sh -c "ulimit -f 24; exec '$coho' $command"
    stderr_is_one_line
    stderr_has 'cannot write .*: File too large'
done
absent new
absent new.src
absent sets/train.src
no_partial_files

# A small disk of our own, where we may mount one; left_free KIB: all but so much is taken.
left_free()
{
    rm -f disk/filler
    free=$(df -k --output=avail disk | tail -n 1)
    dd if=/dev/zero of=disk/filler bs=1024 count=$((free - $1)) 2>/dev/null
}
mkdir disk
if mount -t tmpfs -o size=800k tmpfs disk 2>/dev/null; then
    cp -r m disk/m
    left_free 4
    expect 1 "$coho" train $tiny -o disk/m --max-updates 4 --resume $dev
    stderr_has '^coho train: .*disk/m/.*No space left on device'
    cmp -s disk/m/model.safetensors m/model.safetensors || fail 'the model of before is lost on a full disk'
    left_free 24                        # room for the text, not for the model
    expect 1 "$coho" train $tiny -o disk/m --max-updates 4 --resume $dev
    stderr_has '^coho train: cannot write disk/m/model.safetensors: No space left on device; free some space'
    cmp -s disk/m/model.safetensors m/model.safetensors || fail 'the model of before is lost on a full disk'
    left_free 80                        # for the model, not for a checkpoint
    expect 0 "$coho" train $tiny -o disk/m --max-updates 4 --resume $dev
    stderr_has '^warning: cannot write .*/update-4.safetensors: No space left.*training goes on'
    rm disk/filler
    whole disk/m
    left_free 4
    for command in "vocab source.txt -o disk/new --size 60 --soft-limit" "tokenize -m tiny.spm long.src -o disk/new" \
        "corpus clean long.src long.trg --dedup none -o disk/new" "corpus store long.src long.trg -m tiny.spm -o disk/new" \
        "translate -m m -i long.src --max-length 1 -o disk/new" "report disk/m" "distill recipe.yml -o disk/run"; do
        expect 1 "$coho" $command
        stderr_is_one_line
        stderr_has 'cannot write .*disk/.*: No space left on device; free some space and run again'
    done
    absent disk/new
    absent disk/new.src
    absent disk/m/report.html
    no_partial_files disk
    umount disk
fi

# What goes to standard output is noticed as well.
if [ -w /dev/full ]; then
    for command in --help --version 'train --help' 'vocab --list tiny.spm' 'tokenize -m tiny.spm source.txt' \
        'corpus stats source.txt' 'corpus stats source.txt --json' 'translate -q -m m -i two.txt' 'model info m' \
        'score -q -m m -s two.txt -t two.txt' 'eval source.txt -i source.txt' 'distill recipe.yml -o run -n'; do
        expect 1 sh -c "'$coho' $command >/dev/full"
        stderr_is_one_line
        stderr_has 'cannot write.*: No space left on device'
    done
fi
finish
