# Training by two processes of one thread over one process of one thread, on this machine: the small
# transformer of train_small.sh on Multi30k, the same batches of 4,000 target tokens, target tokens/s
# of the training log, medians of three runs that take turns.
data=$root/../shared/data/multi30k
if [ ! -r "$data/train.en" ] || ! command -v mpirun >/dev/null; then
    echo "train_mpi: skipped, $data or mpirun is absent" >&2
    exit 0
fi
OMPI_ALLOW_RUN_AS_ROOT=1
OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM
[ -r "${MPI_BENCH_VOCAB:-}" ] || "$coho" vocab "$data/train.en" "$data/train.de" -o "$work/joint.spm" --size 4000 >&2
updates=${MPI_BENCH_UPDATES:-60}

# rate FOLDER COMMAND…: a training; its tokens/s after the first lines of the log.
rate() {
    folder=$work/$1
    shift
    rm -rf "$folder"
    "$@" train -s "$data/train.en" -t "$data/train.de" -v "${MPI_BENCH_VOCAB:-$work/joint.spm}" -o "$folder" --threads 1 \
        --dim 128 --ffn 256 --heads 4 --encoder-layers 4 --decoder-layers 4 --dropout 0.2 \
        --batch-tokens 4000 --batch-source-tokens 6000 --log-every 10 --max-updates "$updates" 2>"$work/messages" ||
        { cat "$work/messages" >&2; exit 1; }
    sed -n 's/.*"tokens_per_s":\([0-9.]*\).*/\1/p' "$folder/log.jsonl" | tail -n +2 |
        awk '{ seconds += 1 / $1; n++ } END { printf "%.1f\n", n / seconds }'
}
median() { sort -n | sed -n 2p; }

for turn in 1 2 3; do
    rate one "$coho" >>"$work/one.rates"
    rate two mpirun -np 2 --bind-to none "$coho" >>"$work/two.rates"
done
one=$(median <"$work/one.rates")
two=$(median <"$work/two.rates")
figure train.mpi_one "$one" tokens/s
figure train.mpi_two "$two" tokens/s
figure train.mpi "$(awk -v a="$one" -v b="$two" 'BEGIN { printf "%.2f", b / a }')" times
