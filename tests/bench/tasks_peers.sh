# The single-task models of recipes/papers/bam-nlu.yml beside a biLSTM of the same size in PyTorch:
# embeddings, one bidirectional layer of 64 + 64, attention pooling, dropout, the same
# vocabulary, examples, updates, batches of 64, learning rates, moving average and choice by dev
# accuracy.  Test accuracy, means of the seeds; they must agree within a point.
#   sh tests/bench/run.sh tasks_peers [OPTIONS]
#     --tasks "trec subj sst2"
#     --seeds "1 2 3"
#     --run FOLDER       a run of the recipe: what is done there is not done again
# Some 20 seconds a model for coho and a minute for PyTorch, on 2 cores.
nlu=$root/../shared/data/nlu
if [ ! -r "$nlu/trec/train.tsv" ]; then
    echo "tasks_peers: skipped, $nlu is absent" >&2
    exit 0
fi
tasks="trec subj sst2"
seeds="1 2 3"
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

for task in $tasks; do
    case $task in
    sst2) updates=900 ;;
    *) updates=500 ;;
    esac
    for seed in $seeds; do
        scores=bam-single-$task-scores@$seed
        [ -f "$run/$scores/manifest.json" ] ||
            "$coho" distill "$root/recipes/papers/bam-nlu.yml" -o "$run" --set data="$nlu" --stage "$scores" --quiet >&2
        "$python" - "$run/$scores/manifest.json" "$task" >>"$work/$task.coho" <<'END'
import json, sys
print(json.load(open(sys.argv[1]))["figures"][sys.argv[2]])
END
        "$python" "$root/tests/bench/tasks_peers.py" "$run" "$task" "$seed" "$updates" >>"$work/$task.torch"
    done
    for who in coho torch; do
        figure "tasks_peers.$task.$who" "$(awk '{ sum += $1 } END { printf "%.2f", sum / NR }' "$work/$task.$who")" %
    done
    paste "$work/$task.coho" "$work/$task.torch" | awk -v task="$task" '
        { a += $1; b += $2 }
        END { if (a / NR < b / NR - 1) { print "tasks_peers: " task ": coho is more than a point behind" >"/dev/stderr"; exit 1 } }'
done
