# The papers' claims on small data: runs recipes of recipes/papers, their seeds and all, and prints what
# each claim comes to (tests/bench/papers.py has the table of claims).
#   sh tests/bench/run.sh papers [NAME…]      kim-rush-transformer, born-again, …; all by default
# Runs stay in COHO_PAPERS (runs/papers), so that what is done is not done again, and a run that was
# stopped goes on; claims.md in a run's folder has the rows for docs/results.md.
# A recipe's comment `# data: NAME` names its corpus in ../shared/data; without it is multi30k.
papers=${COHO_PAPERS:-$root/runs/papers}
if [ $# -eq 0 ]; then
    set -- $(cd "$root/recipes/papers" && ls *.yml | sed 's/\.yml$//' | grep -v '^bam-')     # has a benchmark of its own
fi
for paper; do
    recipe=$root/recipes/papers/$paper.yml
    [ -r "$recipe" ] || { echo "papers: there is no $recipe" >&2; exit 1; }
    data=$root/../shared/data/$(sed -n 's/^# data: *//p' "$recipe" | grep . || echo multi30k)
    if [ ! -d "$data" ]; then
        echo "papers: $paper skipped, $data is absent" >&2
        continue
    fi
    mkdir -p "$papers"
    start=$(date +%s)
    if grep -q '^  data:' "$recipe"; then
        "$coho" distill "$recipe" -o "$papers/$paper" --set "data=$data" >&2
    else
        "$coho" distill "$recipe" -o "$papers/$paper" >&2
    fi
    figure "papers.$paper.minutes" "$(( ($(date +%s) - start + 30) / 60 ))" min
    python3 "$root/tests/bench/papers.py" "$paper" "$papers/$paper" >"$work/figures"
    cat "$work/figures"
done
