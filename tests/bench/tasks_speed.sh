# Whether a student of several tasks trains as fast as its tasks alone: seconds an update of each of
# the five tasks of recipes/papers/bam-nlu.yml by itself, weighted by how often the mixture draws
# it, against those of the mixture.  Must agree within 10%.  Two minutes.
#   sh tests/bench/run.sh tasks_speed [UPDATES]       of a task alone; of the mixture three times as many
nlu=$root/../shared/data/nlu
if [ ! -r "$nlu/trec/train.tsv" ]; then
    echo "tasks_speed: skipped, $nlu is absent" >&2
    exit 0
fi
updates=${1:-150}
tasks="trec subj sst2 sick stsb"
{
    cat <<END
name: tasks_speed
seed: 1
stages:
  trec: { kind: task, train: $nlu/trec/train.tsv }
  subj: { kind: task, train: $nlu/subj/all.tsv }
  sst2: { kind: task, train: $nlu/sst2/train.tsv, train-examples: 30000 }
  sick: { kind: task, train: $nlu/sick_nli/train.tsv }
  stsb: { kind: task, task: regress, train: $nlu/stsb_en/train.tsv }
  vocabulary: { kind: vocabulary, tasks: [trec, subj, sst2, sick, stsb], size: 12000 }
  mixed:
    kind: train-tasks
    tasks: [trec, subj, sst2, sick, stsb]
    vocabulary: vocabulary
    arch: lstm
    dim: 128
    encoder-layers: 1
    decoder-layers: 0
    pool: attention
    pair: compare
    dropout: 0.5
    batch-sentences: 64
    learning-rate: 0.003
    warmup: 50
    max-updates: $((3 * updates))
END
    for task in $tasks; do
        echo "  $task-alone: { like: mixed, tasks: [$task], max-updates: $updates }"
    done
} >"$work/recipe.yml"
"$coho" distill "$work/recipe.yml" -o "$work/run" --threads 2 --quiet >&2

# seconds an update, and how many examples
pace() { sed -n 's/.*"own_train_seconds": *\([0-9.]*\).*/\1/p' "$work/run/$1/manifest.json" | awk -v n="$2" '{ print $1 / n }'; }
for task in $tasks; do
    echo "$(pace "$task-alone" "$updates") $(wc -l <"$work/run/$task/train.tsv")"
done | awk '{ w = $2 ^ 0.75; sum += w * $1; all += w } END { print 1000 * sum / all }' >"$work/alone"
pace mixed $((3 * updates)) | awk '{ print 1000 * $1 }' >"$work/mixed"
figure tasks_speed.alone "$(cat "$work/alone")" ms/update
figure tasks_speed.mixed "$(cat "$work/mixed")" ms/update
paste "$work/alone" "$work/mixed" | awk '{ if ($2 > 1.1 * $1) { print "tasks_speed: the mixture is more than 10% slower" >"/dev/stderr"; exit 1 } }'
