# The single-task models of recipes/papers/bam-nlu.yml beside a biLSTM of the same size in PyTorch: embeddings, one
# bidirectional layer of 64 + 64, attention pooling; the vocabulary, examples, updates, batches, learning rates, dropout,
# label smoothing, moving average and choice by dev accuracy are those of the recipe.  Test accuracy, means of the
# seeds; they must agree within a point.  A model more or less lucky is two points away, so that three seeds tell
# nothing: standard errors are printed too.
#   sh tests/bench/run.sh tasks_peers [OPTIONS]
#     --tasks "trec subj sst2"
#     --seeds "1 2 3 4 5 6 7 8 9 10"
#     --run FOLDER       a run of the recipe: what is done there is not done again
# Some 10 seconds a model for coho and half a minute for PyTorch, on 2 cores.
nlu=$root/../shared/data/nlu
if [ ! -r "$nlu/trec/train.tsv" ]; then
    echo "tasks_peers: skipped, $nlu is absent" >&2
    exit 0
fi
tasks="trec subj sst2"
seeds="1 2 3 4 5 6 7 8 9 10"
run=$work/run
while [ $# -gt 0 ]; do
    case $1 in
    --tasks) tasks=$2 ;;
    --seeds) seeds=$2 ;;
    --run) run=$(cd "$2" && pwd) ;;
    *) echo "tasks_peers: what is '$1'?" >&2; exit 2 ;;
    esac
    shift 2
done
need_peers torch sentencepiece numpy
sed "s/^seeds: .*/seeds: [$(echo $seeds | sed 's/ /, /g')]/" "$root/recipes/papers/bam-nlu.yml" >"$work/bam-nlu.yml"

# Of one number a line: the mean, and its standard error.
mean() {
    awk '{ n++; s += $1; q += $1 * $1 } END { m = s / n; printf "%.2f %.2f\n", m, (n > 1 ? sqrt((q / n - m * m) / (n - 1)) : 0) }' "$1"
}

behind=
for task in $tasks; do
    for seed in $seeds; do
        scores=bam-single-$task-scores@$seed
        [ -f "$run/$scores/manifest.json" ] ||
            "$coho" distill "$work/bam-nlu.yml" -o "$run" --set data="$nlu" --stage "$scores" --quiet >&2
        "$python" - "$run/$scores/manifest.json" "$task" >>"$work/$task.coho" <<'END'
import json, sys
print(json.load(open(sys.argv[1]))["figures"][sys.argv[2]])
END
        "$python" "$root/tests/bench/tasks_peers.py" "$run" "$task" "$seed" >>"$work/$task.torch"
    done
    paste "$work/$task.coho" "$work/$task.torch" | awk '{ print $1 - $2 }' >"$work/$task.gap"
    for what in coho torch gap; do
        mean "$work/$task.$what" >"$work/mean"
        read -r value error <"$work/mean"
        figure "tasks_peers.$task.$what" "$value" %
        figure "tasks_peers.$task.$what.error" "$error" %
    done
    awk -v gap="$value" 'BEGIN { exit !(gap < -1) }' && behind="$behind $task"
done
[ -z "$behind" ] || { echo "tasks_peers: coho is more than a point behind on$behind" >&2; exit 1; }
