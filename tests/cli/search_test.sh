# What searches can be asked for on the command line: shortlists, samples, diverse beams, risk,
# alignments, prefixes, streams; and what is refused.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
. "$here/tiny.sh"

awk 'BEGIN { for (i = 0; i < 60; i++) print "the cat & sees a house", i % 7 }' >source.txt
awk 'BEGIN { for (i = 0; i < 60; i++) print "die Katze & sieht ein Haus", i % 7 }' >target.txt
expect 0 "$coho" train $tiny -o model
expect 0 "$coho" train $tiny -o lstm --arch lstm
printf 'the cat\n\na house 3\nthe house sees a cat & a house\n' >in
t="$coho translate -q -i in --max-length-factor 0 --max-length-offset 8"

# same_output FILE: the last command's standard output.
same_output()
{
    checks=$((checks + 1))
    cmp -s .seen/stdout "$1" || fail "standard output is not that of $1"
}

# ---- shortlists ----

expect 0 "$coho" shortlist -q -s source.txt -t target.txt -v tiny.spm -o list --threads 2
expect 0 "$coho" shortlist -l list -v tiny.spm
stdout_has '	0\.[0-9]*$'
expect 0 "$coho" shortlist -q -s source.txt -t target.txt -v tiny.spm -o list1 --threads 1
expect 0 cmp list list1
expect 0 "$coho" corpus store source.txt target.txt -q -m tiny.spm -o store
expect 0 "$coho" shortlist -q --store store -v tiny.spm -o list1
expect 0 cmp list list1
for model in model lstm; do
    expect 0 $t -m $model --beam 3 --shortlist list
    stdout_lines 4
    cp .seen/stdout all
    expect 0 $t -m $model --beam 3 --shortlist list --batch-sentences 1 --threads 3
    same_output all
    expect 0 $t -m $model --beam 1 --shortlist list --shortlist-best 2 --shortlist-frequent 3
    stdout_lines 4
done
expect 0 $t -m model lstm --shortlist list --sampling --n-best 3
refused 1 "no shortlist" $t -m model --shortlist in
head -c 300 list >cut
refused 1 "'cut' is damaged" $t -m model --shortlist cut
refused 1 "absent" $t -m model --shortlist absent
expect 0 "$coho" vocab source.txt target.txt -o other.spm --size 40 --soft-limit
expect 0 "$coho" shortlist -q -s source.txt -t target.txt -v other.spm -o other
refused 1 'another source vocabulary' $t -m model --shortlist other
refused 1 'another source vocabulary' "$coho" shortlist -l other -v tiny.spm
refused 1 'other vocabularies' "$coho" shortlist --store store -v other.spm -o x
refused 1 "no piece 'nosuchpiece'" "$coho" shortlist -l list -v tiny.spm nosuchpiece
refused 2 '--source and --target, or from --store' "$coho" shortlist -s source.txt -v tiny.spm -o x
refused 2 '-o FILE' "$coho" shortlist -s source.txt -t target.txt -v tiny.spm
refused 2 'writes none' "$coho" shortlist -l list -v tiny.spm -o x
printf 'one\n' >one
refused 1 'one' "$coho" shortlist -s one -t target.txt -v tiny.spm -o x
absent x
no_partial_files

# ---- sampling ----

expect 0 $t -m model --sampling --sampling-seed 7 --n-best 4
cp .seen/stdout four
expect 0 $t -m model --sampling --sampling-seed 7 --n-best 4 --threads 1 --batch-sentences 1
same_output four
expect 0 $t -m model --sampling --sampling-seed 7
stdout_lines 4
awk -F ' \\|\\|\\| ' 'NR == 1 || $1 != last { print $2 } { last = $1 }' four >firsts
expect 0 $t -m model --sampling --sampling-seed 7
cp .seen/stdout alone
expect 0 cmp alone firsts
expect 0 $t -m model --sampling --sampling-seed 8 --n-best 4
checks=$((checks + 1))
cmp -s .seen/stdout four && fail "another seed draws the same"
expect 0 $t -m model --beam 1
cp .seen/stdout greedy
expect 0 $t -m model --sampling --sampling-top-k 1
same_output greedy
refused 2 '--sampling' $t -m model --sampling-top-p 0.9
refused 2 '--beam-groups' $t -m model --sampling --beam-groups 5

# ---- diverse beams, risk, penalties ----

expect 0 $t -m model --beam 4 --n-best 4 --beam-groups 2
stdout_lines 13
refused 2 '3 groups' $t -m model --beam 4 --beam-groups 3
expect 0 $t -m model --sampling --n-best 8 --mbr chrf --scores
stdout_lines 4
expect 0 $t -m model --beam 4 --n-best 4 --mbr bleu --json
stdout_has '^{"line":1,.*"hypotheses":\[{"text":.*},{"text":'
refused 2 '--n-best' $t -m model --mbr bleu
expect 0 $t -m model --no-repeat-ngram 2 --repetition-penalty 1.2 --coverage-penalty 0.2 --length-reward 0.1
stdout_lines 4
refused 2 '--min-length 9' $t -m model --min-length 9 --max-length 8

# ---- alignments, scores of pieces ----

for model in model lstm; do
    expect 0 $t -m $model --align pieces --per-token --scores
    stdout_lines 4
    awk -F '\t' 'NF != 5 { exit 1 }
        { n = split($5, link, " "); if (split($4, p, " ") != n + 1 && $3 != "") exit 1
          for (i = 1; i <= n; i++) if (link[i] !~ ("^[0-9]+-" i - 1 "$")) exit 1 }' .seen/stdout \
        || fail "not a link a piece"
    checks=$((checks + 1))
    expect 0 $t -m $model --align words --attention --json
    stdout_has '"alignment":"[0-9]*-0.*","attention":\[\['
    cp greedy hyp
    expect 0 "$coho" score -q -m $model -s in -t hyp --align words --json --attention
    stdout_has '"alignment":'
    expect 0 "$coho" score -q -m $model -s in -t hyp
    cp .seen/stdout plain
    expect 0 "$coho" score -q -m $model -s in -t hyp --align pieces
    cut -f 1 .seen/stdout | paste - plain | awk '{ d = $1 - $2; if (d < -0.001 || d > 0.001) exit 1 }' \
        || fail "watching changes the score"
    checks=$((checks + 1))
done
expect 0 $t -m model lstm --align pieces
refused 2 '--json' $t -m model --attention
refused 2 '--json' "$coho" score -m model -s in -t in --attention

# ---- prefixes, streams ----

printf 'die Katze\n\nein\n\n' >prefix
expect 0 $t -m model --prefix prefix
stdout_lines 4
stdout_has '^die Katze'
stdout_has '^ein'
head -n 2 prefix >short
refused 1 'short' $t -m model --prefix short -o x
absent x
refused 2 '--stream' $t -m model --prefix prefix --stream
expect 0 $t -m model
cp .seen/stdout whole
expect 0 $t -m model --stream
same_output whole
expect_from in 0 "$coho" translate -q -m model --max-length-factor 0 --max-length-offset 8 --stream --threads 1
same_output whole
expect 0 $t -m model --stream --align pieces

# A conversation: each line, or two at once, is answered before the next is asked; an empty one, too.
for model in model lstm; do
    rm -f asked answers
    mkfifo asked
    "$coho" translate -q -m $model --max-length-factor 0 --max-length-offset 8 --stream --threads 2 <asked >answers &
    talking=$!
    exec 3>asked
    lines=0
    for said in 'the cat' '' 'a house 3\nthe house sees a cat & a house' 'a house 3' '\n'; do
        printf "$said\n" >&3
        lines=$((lines + $(printf "$said\n" | wc -l)))
        tries=0
        until [ "$(wc -l <answers)" -ge $lines ] || [ $tries -ge 600 ]; do
            sleep 0.05
            tries=$((tries + 1))
        done
        checks=$((checks + 1))
        [ "$(wc -l <answers)" -eq $lines ] || fail "$model: $(wc -l <answers) answers to $lines lines"
    done
    exec 3>&-
    wait $talking || fail "$model: the conversation ended badly"
    printf 'the cat\n\na house 3\nthe house sees a cat & a house\na house 3\n\n\n' >said
    expect 0 "$coho" translate -q -m $model --max-length-factor 0 --max-length-offset 8 -i said
    same_output answers
done

finish
