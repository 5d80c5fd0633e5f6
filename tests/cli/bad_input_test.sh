# What every command says to files, texts, options and places that are no good: one line that names
# the file, status 1 or 2, and no output that looks whole.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
. "$here/tiny.sh"

expect 0 "$coho" train $tiny -o m --dev-source source.txt --dev-target target.txt
mkdir folder

# ---- files that are not there, or are none ----

ln -s loop loop                         # cannot be read, not even by root
for bad in absent folder loop; do
    case $bad in
    absent) why='No such file' ;;
    folder) why='it is a folder' ;;
    loop) why='symbolic links' ;;
    esac
    told="cannot read $bad: .*$why"
    refused 1 "$told" "$coho" vocab $bad -o new
    refused 1 "$told" "$coho" vocab --list $bad
    refused 1 "$told" "$coho" tokenize -m $bad source.txt
    refused 1 "$told" "$coho" tokenize -m "$bpe" $bad -o new
    refused 1 "$told" "$coho" detokenize -m $bad source.txt
    refused 1 "$told" "$coho" detokenize -m "$bpe" $bad -o new
    for step in import clean; do
        refused 1 "$told" "$coho" corpus $step $bad target.txt -o new
        refused 1 "$told" "$coho" corpus $step source.txt $bad -o new
    done
    for step in split prepare; do
        refused 1 "$told" "$coho" corpus $step $bad target.txt -o sets
        refused 1 "$told" "$coho" corpus $step source.txt $bad -o sets
    done
    refused 1 "$told" "$coho" corpus stats $bad
    refused 1 "$told" "$coho" corpus stats source.txt $bad
    refused 1 "$told" "$coho" corpus store source.txt $bad -m "$bpe" -o new
    refused 1 "$told" "$coho" corpus store source.txt target.txt -m $bad -o new
    refused 1 "$told" "$coho" corpus store source.txt target.txt -m "$bpe" --target-model $bad -o new
    for option in source target vocab; do
        refused 1 "$told" "$coho" train $tiny -o untrained --$option $bad
    done
    refused 1 "$told" "$coho" train $tiny -o untrained --target-vocab $bad --tied decoder
    refused 1 "$told" "$coho" train $tiny -o untrained --dev-source $bad --dev-target target.txt
    refused 1 "$told" "$coho" train $tiny -o untrained --dev-source source.txt --dev-target $bad
    refused 1 "$told" "$coho" translate -m m -i $bad -o new
    refused 1 "$told" "$coho" score -m m -s $bad -t target.txt -o new
    refused 1 "$told" "$coho" score -m m -s source.txt -t $bad -o new
    refused 1 "$told" "$coho" eval $bad -i source.txt
    refused 1 "$told" "$coho" eval source.txt -i $bad
    refused 1 "$told" "$coho" distill $bad -o run
    refused 1 "$bad" "$coho" report $bad
    refused 1 "'$bad' is no model: it has no config.json" "$coho" translate -m $bad -i source.txt -o new
    refused 1 "'$bad' is no model" "$coho" score -m $bad -s source.txt -t target.txt
    refused 1 "'$bad' is no model" "$coho" translate -m m -m $bad -i source.txt
    refused 1 "'$bad' is no model" "$coho" train $tiny -o untrained --start $bad
    refused 1 "'$bad' is no model" "$coho" model info $bad
done
refused 1 "'source.txt' is no model" "$coho" translate -m source.txt
refused 1 "source.txt' is not a SentencePiece model" "$coho" train $tiny -o untrained -v source.txt
refused 1 'not valid YAML' "$coho" distill "$bpe" -o run
absent new
absent sets/train.src
absent run
absent untrained/config.json

# ---- text that is not UTF-8 ----

{ head -n 59 source.txt; printf 'b\377d\n'; } >latin
told='latin:60: not UTF-8: byte 0xFF at column 2'
refused 1 "$told" "$coho" vocab latin -o new
refused 1 "$told" "$coho" tokenize -m "$bpe" latin --bad-utf8 refuse -o new
refused 1 "$told" "$coho" detokenize -m "$bpe" latin --bad-utf8 refuse -o new
refused 1 "$told" "$coho" corpus import latin target.txt -o new
refused 1 "$told" "$coho" corpus split latin target.txt -o sets --dev 1 --test 1
refused 1 "$told" "$coho" corpus store latin target.txt -m "$bpe" -o new
refused 1 "$told" "$coho" train $tiny -o untrained -s latin
refused 1 "$told" "$coho" train $tiny -o untrained --dev-source latin --dev-target target.txt
refused 1 "$told" "$coho" translate -m m -i latin -o new
refused 1 "$told" "$coho" score -m m -s latin -t target.txt -o new
refused 1 "$told" "$coho" eval latin -i target.txt
refused 1 "$told" "$coho" eval target.txt -i latin
absent new
expect 0 "$coho" vocab latin -o mended.spm --size 60 --soft-limit --bad-utf8 replace
expect 0 "$coho" corpus import latin target.txt -o mended --bad-utf8 replace
stderr_has '1 lines were not UTF-8'
file_has mended.src '^b�d$'
expect 0 "$coho" translate -m m -i latin --bad-utf8 replace --max-length 3
stderr_has '1 lines were not UTF-8'
stdout_lines 60
expect 0 "$coho" score -m m -s latin -t target.txt --bad-utf8 replace
stdout_lines 60
expect 0 "$coho" eval target.txt -i latin --bad-utf8 replace

# ---- line counts that differ ----

head -n 50 target.txt >short
told="'source.txt' has 60 lines but 'short' has 50"
for step in import clean; do
    refused 1 "$told" "$coho" corpus $step source.txt short -o new
done
refused 1 "$told" "$coho" corpus split source.txt short -o sets
refused 1 "$told" "$coho" corpus stats source.txt short
refused 1 "$told" "$coho" corpus store source.txt short -m "$bpe" -o new
refused 1 "$told" "$coho" train $tiny -o untrained -t short
refused 1 "$told" "$coho" train $tiny -o untrained --dev-source source.txt --dev-target short
refused 1 "$told" "$coho" score -m m -s source.txt -t short -o new
refused 1 'short has 50 lines but target.txt has 60' "$coho" eval target.txt -i short
refused 1 'short has 50 lines but target.txt has 60' "$coho" eval target.txt short -i target.txt
absent new
absent sets/train.src

# ---- nothing, and lines of nothing ----

: >empty
printf '\n\n\n' >blank
refused 1 "no lines to train on in 'empty'" "$coho" vocab empty -o new
refused 1 "no lines to train on in 'standard input'" "$coho" vocab - -o new
for step in import clean; do
    refused 1 'empty corpus' "$coho" corpus $step empty empty -o new
done
refused 1 'empty corpus' "$coho" corpus prepare empty empty -o sets
refused 1 'empty corpus' "$coho" corpus store empty empty -m "$bpe" -o new
refused 1 'empty corpus' "$coho" train $tiny -o untrained -s empty -t empty
refused 1 'empty corpus' "$coho" train $tiny -o untrained --dev-source empty --dev-target empty
refused 1 "'blank' and 'blank': no sentence to use" "$coho" train $tiny -o untrained -s blank -t blank
refused 1 'empty is empty' "$coho" eval empty -i empty
refused 1 'has no stages' "$coho" distill empty -o run
absent new
absent untrained/config.json
for command in "tokenize -m $bpe" "detokenize -m $bpe" "translate -q -m m" "score -q -m m -s empty -t empty"; do
    expect_with '' 0 "$coho" $command
    stdout_is ''
    stderr_is ''
done
expect 0 "$coho" translate -q -m m -i blank
stdout_lines 3

# ---- one line of 100,000 words ----

awk 'BEGIN { for (i = 0; i < 100000; i++) printf "house%s", i < 99999 ? " " : "\n" }' >long
sed 's/house/Haus/g' long >lang
cat source.txt long >long.src
cat target.txt lang >long.trg
# Attention over all its tokens would take hundreds of gigabytes.
limited="$coho"
printf '#!/bin/sh\nulimit -v 4000000\nexec "%s" "$@"\n' "$coho" >limited
chmod +x limited
if sh -c './limited --version; exit $?' >/dev/null 2>&1; then       # not with ASan
    limited=./limited
fi
expect 0 "$limited" tokenize -m "$bpe" long -o long.pieces
expect 0 "$limited" detokenize -m "$bpe" long.pieces -o long.back
cmp long long.back || fail 'a long line comes back as another'
expect 0 "$limited" vocab long.src -o long.spm -t bpe -s 60 --soft-limit
stderr_has '1 lines longer than 4192 bytes were left out'
expect 0 "$limited" corpus clean long.src long.trg -o clean.long
stdout_has '^too_long  *1$'
expect 0 "$limited" corpus stats long.src long.trg
stdout_has '^longest, words  *100000  *100000$'
expect 0 "$limited" train $tiny -o long.m -s long.src -t long.trg --dev-source long.src --dev-target long.trg
stderr_has '^warning: training: 1 pairs left out: .* longer than max-length 256 tokens'
stderr_has '^warning: validation: 1 pairs left out'
refused 1 "'long' and 'long': no sentence to use.* max-length" "$limited" train $tiny -o untrained -s long -t long
expect 0 "$limited" translate -m m -i long.src --max-length 5
stdout_lines 61
stderr_has '^warning: long.src:61: 300000 tokens, cut to the first 1000'
refused 1 'long.src:61: 300000 tokens, more than the 1000 allowed; .*--long-lines truncate' \
    "$limited" translate -m m -i long.src --long-lines refuse -o new
expect 0 "$limited" score -m m -s long.src -t long.trg
stdout_lines 61
stderr_has '^warning: long.src:61: 300000 tokens'
stderr_has '^warning: long.trg:61: 200000 tokens'
refused 1 'long.trg:61: 200000 tokens' "$limited" score -m m -s long.src -t long.trg --long-lines refuse -o new
expect 0 "$limited" eval long.src -i long.src -m bleu chrf -b -f text
stdout_is '100.0
100.0'
absent new

# ---- line ends of Windows, zero bytes ----

awk '{ printf "%s\r\n", $0 }' source.txt >windows.txt
expect 0 "$coho" corpus import windows.txt target.txt -o unix
cmp unix.src source.txt || fail 'line ends of Windows stay'
expect 0 "$coho" translate -q -m m -i source.txt --max-length 5
cp .seen/stdout wanted
expect 0 "$coho" translate -q -m m -i windows.txt --max-length 5
cmp .seen/stdout wanted || fail 'line ends of Windows change the translation'
expect 0 "$coho" eval source.txt -i windows.txt -b
stdout_is 100.0
printf 'a\0b c\n\0\nd e\n' >zero
expect 0 "$coho" tokenize -m "$bpe" zero
stdout_lines 3
expect 0 "$coho" translate -q -m m -i zero --max-length 5
stdout_lines 3
expect 0 "$coho" score -q -m m -s zero -t zero
stdout_lines 3
expect 0 "$coho" eval zero -i zero -b
printf 'x\ny\nz\n' >three
refused 1 'zero:1: a zero byte in the text; remove it' "$coho" train $tiny -o untrained --dev-source zero --dev-target three

# ---- options ----

while read -r told command; do
    refused 2 "did you mean '$told'" "$coho" $command
done <<'END'
--size vocab source.txt -o new --sise 30
--threads tokenize -m tiny.spm --threds 2
--model detokenize --modle tiny.spm
--format corpus import a b -o new --fromat pairs
--min-words corpus clean a b -o new --min-word 3
--json corpus stats a --jsno
--batch-tokens train --bach-tokens 100
--beam translate -m m --beem 4
--per-token score -m m --pertoken
--metrics eval a --metrik bleu
--dry-run distill a.yml --dryrun
translate tranlsate -m m
clean corpus clena a b
bleu eval source.txt -i target.txt -m blue
END
while read -r told command; do
    refused 2 "$told" "$coho" $command
done <<'END'
unknown.option.*'--html' report --html m
range.4 vocab source.txt -o new --size 0
range.0.98 vocab source.txt -o new --character-coverage 2
range.1 translate -m m --beam 0
whole.number translate -m m --beam 4x
range translate -m m --beam 99999999999999999999
not.a.number translate -m m --length-alpha nan
range translate -m m --max-length-factor inf
needs.a.value translate -m m --beam
is.missing translate -i source.txt
raise.the.beam.to.4 translate -m m --n-best 4 --beam 2
none.of.refuse,.replace,.keep translate -m m --bad-utf8 maybe
range score -m m -s a -t b --max-source 0
range train -o new --dim 0
range train -o new --dropout 1
range train -o new --learning-rate -1
none.of.transformer,.lstm train -o new --arch gru
go.together train -s a -t b -v c -o new --dev-source a
range eval a -i b -w 999
no.option train -s a -t b -v c -o new d
one.recipe distill a.yml b.yml
unexpected.*'c' corpus clean a b c -o new
END
absent new

# Numbers that do not go together are told before the corpus is read.
refused 1 'training would never end' "$coho" train $tiny -o new -s absent --max-updates 0
refused 1 'dim 16 is not a multiple of heads 3' "$coho" train $tiny -o new -s absent --heads 3
refused 1 'metric bleu needs a validation corpus' "$coho" train $tiny -o new -s absent --metric bleu
refused 1 "learned positions end at 20; lower it" "$coho" train $tiny -o new -s absent --positions learned --max-positions 20
refused 1 'all 60 pairs; ask for less' "$coho" corpus split source.txt target.txt -o sets --dev 50% --test 60%
refused 1 "size '-3' of the dev set" "$coho" corpus split source.txt target.txt -o sets --test 5 --dev -3
refused 1 'share of merges' "$coho" tokenize -m tiny.spm --sample --alpha 3 source.txt
absent new
absent sets/train.src

# Learned positions that are too short for a text: what cannot be taken is cut or refused.
expect 0 "$coho" train $tiny -o short.m --positions learned --max-positions 24 --max-length 23
expect 0 "$coho" translate -m short.m -i long.src
stdout_lines 61
stderr_has 'long.src:61: 300000 tokens, cut to the first 23'
refused 1 'more than the 23 allowed' "$coho" translate -m short.m -i long.src --long-lines refuse
expect 0 "$coho" score -m short.m -s long.src -t long.trg
stdout_lines 61

# ---- vocabularies that do not go together ----

expect 0 "$coho" vocab source.txt target.txt -o other.spm -t bpe --size 60
expect 0 "$coho" vocab source.txt target.txt -o no-start.spm -t bpe --size 60 --bos-id -1
expect 0 "$coho" vocab source.txt target.txt -o late-end.spm -t bpe --size 60 --eos-id 9
expect 0 "$coho" train $tiny -o other.m -v other.spm
refused 1 'only with one joint vocabulary' "$coho" train $tiny -o new --target-vocab other.spm
refused 1 'the target vocabulary has no <s>' "$coho" train $tiny -o new -v no-start.spm
refused 1 '</s> is piece 2 of the source vocabulary and 9' \
    "$coho" train $tiny -o new --target-vocab late-end.spm --tied decoder
refused 1 "'other.spm' is another vocabulary than that of 'm'" "$coho" train $tiny -o new --start m -v other.spm
start="$coho train -s source.txt -t target.txt --start m --threads 1 --batch-tokens 300 --max-updates 2"
refused 1 "^coho train: --dim differs from that of 'm', the model to start from (16)" $start -o new --dim 32
refused 1 "^coho train: --dim differs" $start -o new --dim 256          # the default, asked for
refused 1 "^coho train: --arch differs" $start -o new --arch lstm
refused 2 '^coho train: --vocab is required, or --start' "$coho" train -s source.txt -t target.txt -o new
refused 2 "^coho train: there is no metric 'blue'" $start -o new --metric blue
refused 1 "'other.m' has another source vocabulary ([0-9]* pieces) than 'm'" "$coho" translate -m m other.m -i source.txt
absent new

# A model to start from needs neither its vocabulary nor its shape to be said again; dropout can change.
expect 0 $start -o tuned --dropout 0.3 --dev-source source.txt --dev-target target.txt --metric chrf++
file_has tuned/config.json '"dropout": 0.3'
file_has tuned/config.json '"dim": 16'
file_has tuned/log.jsonl '"valid_chrf++":'
present tuned/dev.store
rm -r tuned/checkpoints
expect 0 $start -o tuned
absent tuned/dev.store

# ---- recipes ----

cat >recipe.yml <<'END'
name: tiny
stages:
  corpus: { kind: corpus, source: source.txt, target: target.txt, dev: 5, test: 5 }
  vocabulary: { kind: vocabulary, corpus: corpus, type: bpe, size: 70 }
  teacher:
    kind: train
    corpus: corpus
    vocabulary: vocabulary
    dim: 16
    heads: 2
    max-updates: 2
END
expect 0 "$coho" distill recipe.yml -o run --dry-run
while IFS='|' read -r edit told; do
    sed "$edit" recipe.yml >changed.yml
    refused 1 "changed.yml:[0-9]*: .*$told" "$coho" distill changed.yml -o run
done <<'END'
s/max-updates/max-updats/|unknown key 'max-updats' in stage 'teacher' (kind train), did you mean 'max-updates'?
s/kind: train/kind: trian/|unknown kind 'trian', did you mean 'train'?
s/stages/stagse/|unknown key 'stagse' of a recipe, did you mean 'stages'?
s/: vocabulary$/: vocabulry/|which does not exist, did you mean 'vocabulary'?
s/: vocabulary$/: corpus/|'vocabulary' wants a vocabulary, but 'corpus' (kind corpus) makes a corpus
s/dim: 16/dim: 99999/|99999 is out of range
s/dim: 16/dim: [1, 2]/|is not a whole number
s/dim: 16/dim: 15/|dim 15 is not a multiple of heads 2
s/dim: 16/positions: learned\n    max-positions: 40/|learned positions end at max-positions 40
s/    max-updates.*//|training would never end
s/source.txt/absent/|stage 'corpus': cannot read absent
s/source.txt/"${from}"/|no variable 'from'
s/stages:/stages/|not valid YAML
END
refused 1 "unknown key 'dimm' in stage 'teacher'.*did you mean 'dim'" "$coho" distill recipe.yml -o run --set teacher.dimm=3
refused 1 "no stage 'teachr', did you mean 'teacher'" "$coho" distill recipe.yml -o run --set teachr.dim=32
refused 1 "has no stage 'techer', did you mean 'teacher'" "$coho" distill recipe.yml -o run --stage techer
absent run/corpus

# ---- places that cannot be written ----

told='cannot write nowhere/new.*there is no folder nowhere; make it first'
refused 1 "$told" "$coho" vocab source.txt -o nowhere/new --size 60 --soft-limit
refused 1 "$told" "$coho" tokenize -m tiny.spm source.txt -o nowhere/new
refused 1 "$told" "$coho" detokenize -m tiny.spm source.txt -o nowhere/new
refused 1 "$told" "$coho" corpus import source.txt target.txt -o nowhere/new
refused 1 "$told" "$coho" corpus store source.txt target.txt -m tiny.spm -o nowhere/new
refused 1 "$told" "$coho" translate -m m -i source.txt -o nowhere/new
refused 1 "$told" "$coho" score -m m -s source.txt -t target.txt -o nowhere/new
refused 1 'cannot write folder: it is a folder' "$coho" translate -m m -i source.txt -o folder
refused 1 'cannot make folder source.txt' "$coho" train $tiny -o source.txt/new
refused 1 'cannot make folder source.txt' "$coho" distill recipe.yml -o source.txt
refused 1 "both sides would be written to 'new.x'" \
    "$coho" corpus import source.txt target.txt -o new --source-lang x --target-lang x
mkdir -p taken/corpus
echo mine >taken/corpus/notes
expect 1 "$coho" distill recipe.yml -o taken
stderr_has 'taken/corpus is in the way and not of this program'
file_is taken/corpus/notes mine

# ---- output onto input ----

cp source.txt pair.src
cp target.txt pair.trg
cp source.txt train.src
ln pair.src linked
told='is read and would be replaced by the output; write to another file'
refused 1 "pair.src $told" "$coho" vocab pair.src -o pair.src --size 60 --soft-limit
refused 1 "pair.src $told" "$coho" tokenize -m tiny.spm pair.src -o pair.src
refused 1 "pair.src $told" "$coho" detokenize -m tiny.spm pair.src -o linked
refused 1 "pair.src $told" "$coho" corpus clean pair.src pair.trg -o pair
refused 1 "train.src $told" "$coho" corpus split train.src pair.trg -o . --dev 5 --test 5
refused 1 "pair.trg $told" "$coho" corpus store pair.src pair.trg -m tiny.spm -o pair.trg
refused 1 "pair.src $told" "$coho" translate -m m -i pair.src -o pair.src
refused 1 "pair.trg $told" "$coho" score -m m -s pair.src -t pair.trg -o pair.trg
refused 1 "m/model.safetensors $told" "$coho" model average m short.m -o m
refused 1 "pair.src $told" "$coho" corpus clean pair.src pair.trg -o new --dropped pair.src
refused 1 "pair.src $told" "$coho" corpus stats pair.src pair.trg --html pair.src
refused 1 "pair.trg $told" "$coho" corpus stats pair.src --against pair.trg --html pair.trg
refused 1 "pair.src $told" "$coho" corpus novelty pair.src pair.trg -m tiny.spm -o new --scores pair.src
refused 1 "new would be written twice" "$coho" corpus novelty pair.src pair.trg -m tiny.spm -o new --scores new
refused 1 "pair.trg $told" "$coho" eval pair.src -i pair.trg --html pair.trg
refused 1 "pair.src $told" "$coho" eval pair.src -i pair.trg --html linked
refused 1 "train.src $told" "$coho" eval pair.src -i pair.trg --source train.src --html train.src
refused 1 "pair.trg $told" "$coho" gap --teacher m --student m -s pair.src -t pair.trg --html pair.trg
echo '- { source: pair.src, target: pair.trg }' >list.yml
cp list.yml list.before
refused 1 "pair.src $told" "$coho" corpus clean --sources list.yml -o pair
refused 1 "list.yml $told" "$coho" corpus clean --sources list.yml -o new --dropped list.yml
refused 1 "train.src would be written twice" "$coho" corpus split --sources list.yml -o . --dropped train.src --dev 5 --test 5
refused 1 "pair.src $told" "$coho" corpus clean pair --format moses -o pair
refused 1 "new.src would be written twice" "$coho" corpus clean pair.src pair.trg -o new --dropped new.src
refused 1 "dev.trg would be written twice" "$coho" corpus split pair.src pair.trg -o parts --dropped parts/dev.trg --dev 5 --test 5
cmp -s list.yml list.before || fail 'the list of corpora is replaced'
cmp -s pair.src source.txt && cmp -s pair.trg target.txt && cmp -s train.src source.txt || fail 'an input is replaced'
no_partial_files

# A training is not started over an older one.
refused 1 "'m' holds a training already, with a checkpoint of update 2; go on with --resume" "$coho" train $tiny -o m
expect 1 "$coho" train $tiny -o m --resume --heads 4
stderr_has 'cannot resume: heads was 2 and is 4 now'
expect 1 "$coho" train $tiny -o m --resume -s target.txt
stderr_has 'cannot resume: the position belongs to corpus'
expect 0 "$coho" translate -q -m m -i source.txt --max-length 3
finish
