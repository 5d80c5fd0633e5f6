# The job of docs/cluster.md in a cluster of one node that is made for it: stopped by its time limit and queued
# again until the training is done; a task killed; gone on with by another number of tasks.  Needs
# the programs of Debian's slurm-wlm and munge, and root; 5 minutes, most of them waiting.
#   sh tests/bench/run.sh slurm
for program in munged slurmctld slurmd sbatch; do
    if ! PATH=$PATH:/usr/sbin command -v $program >/dev/null; then
        echo "slurm: skipped, there is no $program (apt-get install slurm-wlm munge)" >&2
        exit 0
    fi
done
if [ "$(id -u)" -ne 0 ]; then
    echo "slurm: skipped, its daemons are started by root" >&2
    exit 0
fi
PATH=$PATH:/usr/sbin
node=$(hostname -s)
port=$((20000 + $$ % 20000))
SLURM_CONF=$work/slurm.conf
export SLURM_CONF
cat >"$SLURM_CONF" <<CONF
ClusterName=local
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
NodeName=$node NodeAddr=127.0.0.1 CPUs=2
PartitionName=all Nodes=ALL Default=YES State=UP
CONF
end_cluster() {
    scancel --full --signal=KILL --user=root 2>/dev/null || true
    for daemon in slurmd slurmctld munged; do
        [ ! -s "$work/$daemon.pid" ] || kill "$(cat "$work/$daemon.pid")" 2>/dev/null || true
    done
    sleep 2
    rm -rf "$work"
}
trap end_cluster EXIT
mkdir "$work/state" "$work/spool"
chmod 755 "$work"
head -c 1024 /dev/urandom >"$work/munge.key"
chmod 400 "$work/munge.key"
munged --force --key-file="$work/munge.key" --socket="$work/munge.socket" --pid-file="$work/munged.pid" \
    --log-file="$work/munged.log" --seed-file="$work/munge.seed" >&2
slurmctld -f "$SLURM_CONF" >&2
slurmd -f "$SLURM_CONF" -N "$node" >&2
tries=0
until sinfo -h -o %T 2>/dev/null | grep -q idle; do
    tries=$((tries + 1))
    [ $tries -lt 60 ] || { cat "$work"/*.log >&2; echo "slurm: the node does not come up" >&2; exit 1; }
    sleep 1
done
sinfo --version >&2

# ---- the job, with a small model and the sizes of this node ----

cd "$work"
for side in en eo; do
    awk -v side=$side 'BEGIN { srand(1); split("ka lo mi nu pe ra su ti", en, " "); split("ak ol im un ep ar us it", eo, " ")
        for (i = 0; i < 4000; i++) { line = ""; n = 3 + int(rand() * 8)
            for (k = 0; k < n; k++) { w = 1 + int(rand() * 8); line = line (side == "en" ? en[w] : eo[w]) " " } print line } }' >train.$side
    head -n 200 train.$side >dev.$side
done
cp train.eo train.de
cp dev.eo dev.de
"$coho" vocab train.en train.de -o joint.spm --size 60 --soft-limit >&2
PATH=$build:$PATH
export PATH

# job FOLDER MINUTES UPDATES TASKS: the script of the document for it; prints the job's number.
job() {
    awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$root/docs/cluster.md" |
        sed -e "s/--nodes=8/--nodes=1/; s/--ntasks-per-node=1/--ntasks-per-node=$4/; s/--cpus-per-task=32/--cpus-per-task=1/
                s/--time=12:00:00/--time=$2/; s/TERM@120/TERM@20/; s/teacher.log/$1.log/g; s/-o teacher/-o $1/
                s/--batch-tokens 32000 --max-updates 100000 --save-every 500/--batch-tokens 1000 --max-updates $3 --save-every 50 --dim 64 --ffn 128 --heads 4 --encoder-layers 2 --decoder-layers 2/" >"$1.sh"
    grep -q -- "-o $1" "$1.sh" || { echo "slurm: docs/cluster.md has no such job" >&2; exit 1; }
    sbatch --parsable "$1.sh"
}

# over NUMBER: waits for the job; queued again, it starts after 20 seconds instead of two minutes.
over() {
    while squeue -h -j "$1" -o %T 2>/dev/null | grep -q .; do
        if squeue -h -j "$1" -o %T%r | grep -q 'PENDINGBeginTime'; then
            sleep 20
            scontrol update "job=$1" StartTime=now >&2
        fi
        sleep 1
    done
}

number=$(job limited 1 "${SLURM_BENCH_UPDATES:-3000}" 2)
over "$number"
grep -v "^update" limited.log >&2
figure slurm.stops "$(grep -c '^stopped by a signal' limited.log)" times
figure slurm.resumes "$(grep -c '^going on from update' limited.log)" times
grep -q "the model is in 'limited'" limited.log || { tail -n 20 "$work/slurmd.log" >&2; echo "slurm: the training was not finished" >&2; exit 1; }

number=$(job lost 20 1000000 2)
until ls lost/checkpoints/update-*.safetensors >/dev/null 2>&1; do sleep 1; done
for process in $(pgrep -x coho); do     # of our own task 1
    tr '\0' '\n' <"/proc/$process/environ" 2>/dev/null | grep -qx "SLURM_CONF=$SLURM_CONF" || continue
    tr '\0' '\n' <"/proc/$process/environ" | grep -qx SLURM_PROCID=1 && kill -9 "$process"
done
over "$number"
tail -n 4 lost.log >&2
newest=$(ls lost/checkpoints | sed -n 's/^update-\([0-9]*\)\.safetensors$/\1/p' | sort -n | tail -n 1)
number=$(job lost 20 $((newest + 100)) 1)
over "$number"
tail -n 3 lost.log >&2
grep -q "^going on from update $newest of 'lost'" lost.log || { echo "slurm: it does not go on" >&2; exit 1; }
grep -q "the model is in 'lost'" lost.log || { echo "slurm: the training was not finished" >&2; exit 1; }
figure slurm.lost_at "$newest" updates
