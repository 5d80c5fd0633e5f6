# Signals in the middle of work, and outputs that nobody reads to the end.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
. "$here/tiny.sh"

# A pipe that is fed a line at a time and never ends keeps a command at work until it is stopped.
mkfifo endless
exec 3<>endless

# stopped SIGNAL PATH COMMAND…: the command is at work when PATH is there; then comes the signal.
# It shall end with status 1; the checks of what it printed follow.
stopped()
{
    signal=$1
    path=$2
    shift 2
    command="$* ($signal)"
    "$@" </dev/null >.seen/stdout 2>.seen/stderr &
    wait_for "$path"
    kill -"$signal" $! 2>/dev/null
    wait $!
    status=$?
    checks=$((checks + 1))
    [ $status -eq 1 ] || fail "status $status instead of 1"
}

expect 0 "$coho" train $tiny -o m
dev='--dev-source source.txt --dev-target target.txt'

# ---- commands that write one file: it is not there, nor a part of it ----

for signal in INT TERM; do
    while read -r words; do
        echo 'the cat sees a house' >&3
        stopped $signal 'new*.partial-*' "$coho" $words
        stderr_is_one_line
        stderr_has "^coho ${words%% *}.*: interrupted"
        absent new
        absent new.src
        no_partial_files
    done <<'END'
tokenize -m tiny.spm endless -o new
detokenize -m tiny.spm endless -o new
translate -q -m m -i endless -o new
score -q -m m -s endless -t source.txt -o new
corpus import endless target.txt -o new
corpus clean source.txt endless -o new
corpus store endless target.txt -m tiny.spm -o new
vocab endless -o new
END
done

# Standard input as well, where nobody types.
"$coho" translate -q -m m -o new <endless >.seen/stdout 2>.seen/stderr &
wait_for 'new.partial-*'
kill -INT $!
wait $!
[ $? -eq 1 ] || fail 'waiting for standard input, an interrupt ends with another status than 1'
stderr_is 'coho translate: interrupted'
absent new
no_partial_files

# ---- training: saved, and gone on with as if nothing had happened ----

for signal in INT TERM; do
    rm -rf stopped whole
    stopped $signal 'stopped/checkpoints/update-*' "$coho" train $tiny $dev -o stopped --max-updates 1000000 --save-every 50
    stderr_has '^stopped by a signal after update [0-9]*; the same command with --resume goes on$'
    no_partial_files stopped
    updates=$(sed -n 's/^stopped by a signal after update \([0-9]*\);.*/\1/p' .seen/stderr)
    present "stopped/checkpoints/update-$updates.safetensors"
    more=$((updates + 7))
    expect 0 "$coho" train $tiny $dev -o stopped --max-updates $more --resume --save-every 50
    stderr_has "^going on from update $updates of 'stopped'"
    expect 0 "$coho" train $tiny $dev -o whole --max-updates $more --save-every 50
    cmp -s stopped/model.safetensors whole/model.safetensors || fail 'a run that was stopped ends with other weights'
    expect 0 "$coho" translate -q -m stopped -i source.txt --max-length 3
    stdout_lines 60
done

# Several corpora, drawn from by temperature or by weights: the position in each is kept.
head -n 20 source.txt | sed 's/cat/dog/' >small.src
head -n 20 target.txt | sed 's/Katze/Hund/' >small.trg
for mixing in '--mixing-temperature 5' '--mixing-weights 1 2'; do
    rm -rf stopped whole
    several="--also-source small.src --also-target small.trg $mixing"
    stopped TERM 'stopped/checkpoints/update-*' "$coho" train $tiny $several -o stopped --max-updates 1000000 --save-every 25
    updates=$(sed -n 's/^stopped by a signal after update \([0-9]*\);.*/\1/p' .seen/stderr)
    more=$((updates + 31))
    expect 0 "$coho" train $tiny $several -o stopped --max-updates $more --resume
    expect 0 "$coho" train $tiny $several -o whole --max-updates $more
    cmp -s stopped/model.safetensors whole/model.safetensors || fail 'a mixture that was stopped ends with other weights'
    file_has whole/lineage.json '"corpora"'
    expect 1 "$coho" train $tiny -o stopped --max-updates $((more + 1)) --resume
    stderr_has '^coho train: cannot resume: the training was of 2 corpora, and is of one now'
    several=${several%% --mixing*}
    expect 1 "$coho" train $tiny $several --mixing-temperature 2 -o stopped --max-updates $((more + 1)) --resume
    stderr_has '^coho train: cannot resume: the mixture had other weights'
done

# In the middle of a validation, which is most of the time here: it is made again, whole.
yes 'the cat & sees a house' | head -n 4000 >many.src
yes 'die Katze & sieht ein Haus' | head -n 4000 >many.trg
many='--dev-source many.src --dev-target many.trg --validate-every 1 --save-every 1 --keep-checkpoints 1000'
for try in 1 2 3 4 5; do                # a signal may come between validations
    rm -rf validating
    stopped TERM 'validating/checkpoints/update-1.safetensors' "$coho" train $tiny $many -o validating --max-updates 1000000
    stderr_has '^stopped by a signal after update [0-9]*; the same command with --resume goes on$'
    no_partial_files validating
    updates=$(sed -n 's/^stopped by a signal after update \([0-9]*\);.*/\1/p' .seen/stderr)
    measured=$(grep -c valid_bleu validating/log.jsonl)
    [ "$measured" -eq "$updates" ] || break
done
[ "$measured" -eq $((updates - 1)) ] || fail "after update $updates there are $measured validations"
expect 0 "$coho" train $tiny $many -o validating --max-updates $((updates + 1)) --resume
[ "$(grep -c valid_bleu validating/log.jsonl)" -eq $((updates + 1)) ] || fail 'validations are missing or doubled'
expect 0 "$coho" train $tiny $many -o undisturbed --max-updates $((updates + 1))
cmp -s validating/model.safetensors undisturbed/model.safetensors || fail 'a validation that was stopped changes the weights'

# Before the first validation there is no model to be taken for one.
stopped TERM 'early/checkpoints/update-*' "$coho" train $tiny $dev -o early --max-updates 1000000 --save-every 1 --validate-every 1000000
refused 1 "'early' holds no model yet" "$coho" translate -m early -i source.txt
refused 1 "'early' holds a training already" "$coho" train $tiny -o early

# While the corpus is still being read.
echo 'the cat sees a house' >&3
stopped TERM 'reading/train.store.partial-*' "$coho" train $tiny -o reading -s endless
stderr_is 'coho train: interrupted'
no_partial_files reading
absent reading/train.store

# Killed without a word, in the middle of anything, it goes on from the checkpoint before.
"$coho" train $tiny $dev -o killed --max-updates 1000000 --save-every 5 2>/dev/null &
wait_for 'killed/checkpoints/update-*.safetensors'
kill -9 $!
wait $! 2>/dev/null
expect 0 "$coho" train $tiny $dev -o killed --max-updates 1 --resume
stderr_has '^going on from update'
expect 0 "$coho" translate -q -m killed -i source.txt --max-length 3

# Nobody reads the messages any more (the reader died of the same Ctrl-C): it is saved all the same.
mkfifo messages
"$coho" train $tiny $dev -o unread --max-updates 1000000 --save-every 5 --keep-checkpoints 1000 \
    --validate-every 10 2>messages &
head -n 1 messages >first
file_has first 'training: 60 sentence pairs'
wait_for unread/checkpoints/update-50.safetensors       # that far, with nobody to tell
kill -TERM $!
wait $!
[ $? -eq 1 ] || fail 'a training without listeners ends with another status than 1'
no_partial_files unread
expect 0 "$coho" train $tiny $dev -o unread --max-updates 1 --resume

# ---- outputs that nobody reads to the end ----

yes 'the cat sees a house' | head -n 20000 >long.txt
for words in "tokenize -m tiny.spm long.txt" "translate -q -m m -i long.txt --window 10 --max-length 2" \
    "score -q -m m -s long.txt -t long.txt --window 10" "vocab --list tiny.spm"; do
    expect 0 sh -c "'$coho' $words 2>messages.txt | head -n 1"
    stdout_lines 1
    file_is messages.txt ''
    expect 0 sh -c "trap '' PIPE; '$coho' $words 2>messages.txt | head -n 1"
    stdout_lines 1
    [ "$(wc -l <messages.txt)" -le 1 ] || fail "more than one line about a broken pipe"
done

# ---- streams that are closed ----

expect 1 sh -c "'$coho' translate -q -m m -i source.txt --max-length 3 >&-"
stderr_has "cannot write 'standard output': Bad file descriptor"
expect 1 sh -c "'$coho' corpus stats source.txt >&-"
stderr_has "cannot write 'standard output': Bad file descriptor"
expect 1 sh -c "'$coho' tokenize -m tiny.spm <&-"
stderr_has 'cannot read standard input: Bad file descriptor'
expect 0 sh -c "'$coho' tokenize -m tiny.spm source.txt -o pieces >&- 2>&-"
expect 0 "$coho" detokenize -m tiny.spm pieces
cmp -s .seen/stdout source.txt || fail 'closed streams spoil the output'
finish
