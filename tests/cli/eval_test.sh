# coho eval: options of sacreBLEU, formats, exit statuses.  $1: the coho program.
coho=$1
golden=$(cd "$(dirname "$0")/../tokenize/golden" && pwd)
dir=$(mktemp -d) || exit 1
unset SACREBLEU_SEED SACREBLEU_FORMAT
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

# check NAME WANTED_STATUS WANTED_OUTPUT COMMAND…: standard output and exit status.
check() {
    name=$1 wanted_status=$2 wanted=$3
    shift 3
    got=$("$@" 2>stderr)
    status=$?
    if [ "$status" != "$wanted_status" ] || [ "$got" != "$wanted" ]; then
        printf 'FAILED: %s\n  command: %s\n  status %s, wanted %s\n  output: %s\n  wanted: %s\n' \
            "$name" "$*" "$status" "$wanted_status" "$got" "$wanted"
        cat stderr
        failed=1
    fi
}

# told NAME WANTED_STATUS PATTERN COMMAND…: one line on standard error, nothing on standard output.
told() {
    name=$1 wanted_status=$2 pattern=$3
    shift 3
    got=$("$@" 2>stderr)
    status=$?
    if [ "$status" != "$wanted_status" ] || [ -n "$got" ] || [ "$(wc -l <stderr)" != 1 ] \
        || ! grep -q -- "$pattern" stderr; then
        printf 'FAILED: %s\n  command: %s\n  status %s, wanted %s; wanted on stderr: %s\n' \
            "$name" "$*" "$status" "$wanted_status" "$pattern"
        cat stderr
        failed=1
    fi
}

version=$("$coho" --version | sed 's/^coho /2.6.0+coho-/')
printf 'The cat sat on the mat.\nIt is 1,000.5 km away, he said.\n' >ref
printf 'A cat sat upon a mat.\nIt is 1,000.5 km away, she says.\n' >ref2
printf 'The cat sat on a mat.\nIt is 1,000 km away, he said.\n' >hyp
printf 'the cat is on the mat .\nit is 1,000.5 km from here\n' >hyp2
: >empty

# The figures are those of sacreBLEU 2.6.0 on the same files.
check 'BLEU in text' 0 \
    "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:$version = 59.5 87.5/71.4/50.0/40.0 (BP = 1.000 ratio = 1.000 hyp_len = 16 ref_len = 16)" \
    "$coho" eval ref -i hyp -f text
check 'bare scores with the width wanted, in the table order' 0 '59.4604
74.7205' "$coho" eval ref -i hyp -m chrf bleu -b -w 4 -f text
check 'or as an array of JSON' 0 '[
59.46,
74.72,
15.38
]' "$coho" eval ref -i hyp -m ter chrf bleu -b -w 2
check 'no characters, only words' 0 \
    "chrF2++|nrefs:1|case:mixed|eff:yes|nc:0|nw:2|space:no|version:$version = 79.4643" \
    "$coho" eval ref -i hyp -m chrf --chrf-char-order 0 -cw 2 -w 4 -f text
check 'more decimals than there are' 0 59.4603557501361 sh -c "'$coho' eval ref -i hyp -w 40 | sed -n 's/ .score.: \(.*\),/\1/p'"
check 'without --input, standard input is scored' 0 59.5 sh -c "'$coho' eval ref -b <hyp"
check 'a dash is standard input' 0 59.5 sh -c "'$coho' eval ref -i - -b <hyp"
check 'several references, metrics aligned' 0 \
    "    BLEU|nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:$version = 64.4 93.8/78.6/58.3/40.0 (BP = 1.000 ratio = 1.000 hyp_len = 16 ref_len = 16)
  chrF2|nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no|version:$version = 74.7
chrF2++|nrefs:2|case:mixed|eff:yes|nc:6|nw:2|space:no|version:$version = 75.9" \
    "$coho" eval ref ref2 -i hyp -m chrf++ chrf bleu -f text
paste ref ref2 >refs
check 'references as columns' 0 64.388 "$coho" eval refs -nr 2 -i hyp -b -w 3
check 'JSON has the fields of sacreBLEU, in their order' 0 "{
 \"name\": \"BLEU\",
 \"score\": 59.46,
 \"signature\": \"nrefs:1|case:lc|eff:no|tok:intl|smooth:floor[0.30]|version:$version\",
 \"verbose_score\": \"87.5/71.4/50.0/40.0 (BP = 1.000 ratio = 1.000 hyp_len = 16 ref_len = 16)\",
 \"nrefs\": \"1\",
 \"case\": \"lc\",
 \"eff\": \"no\",
 \"tok\": \"intl\",
 \"smooth\": \"floor[0.30]\",
 \"version\": \"$version\"
}" "$coho" eval ref -i hyp -tok intl -lc -s floor -sv 0.3 -w 2 --json
check 'chrF++ by its word order' 0 75.93 "$coho" eval ref -i hyp -m chrf --chrf-word-order 2 -w 2 -b
check 'names cut short, as argparse takes them' 0 74.72 "$coho" eval ref --inp hyp --met chrf --wid=2 --score
check 'flags bundled, with the value of the last' 0 59.46 "$coho" eval ref -i hyp -qbw2
check 'letters as argparse takes them' 0 59.46 "$coho" eval ref -ihyp -bw 2 -ftext
check 'no order of chrF where it is not asked for' 0 59.5 "$coho" eval ref -i hyp -b -cc 0
check 'no interval of one sample' 0 59.5 "$coho" eval ref -i hyp -b -ci -cin 1
check 'short signatures' 0 "chrF2|#:1|c:mixed|e:yes|nc:6|nw:0|s:no|v:$version = 74.7" \
    "$coho" eval ref -i hyp -m chrf -sh -f text
check 'sentence by sentence' 0 \
    "BLEU|nrefs:1|case:mixed|eff:yes|tok:13a|smooth:exp|version:$version = 48.9 85.7/66.7/40.0/25.0 (BP = 1.000 ratio = 1.000 hyp_len = 7 ref_len = 7)
BLEU|nrefs:1|case:mixed|eff:yes|tok:13a|smooth:exp|version:$version = 66.1 88.9/75.0/57.1/50.0 (BP = 1.000 ratio = 1.000 hyp_len = 9 ref_len = 9)" \
    "$coho" eval ref -i hyp -sl
check 'bare scores of sentences' 0 '65.8
80.7' "$coho" eval ref -i hyp -m chrf --sentence-level -b
check 'several systems as JSON' 0 '[
    {
        "system": "hyp",
        "BLEU": "59.5",
        "chrF2": "74.7"
    },
    {
        "system": "hyp2",
        "BLEU": "27.0",
        "chrF2": "51.5"
    }
]' "$coho" eval ref -i hyp hyp2 -m bleu chrf -f json
paste hyp hyp2 >systems
check 'columns of standard input are systems' 0 '[
    {
        "system": "System 1",
        "BLEU": "59.5"
    },
    {
        "system": "System 2",
        "BLEU": "27.0"
    }
]' sh -c "'$coho' eval ref --json <systems"
"$coho" eval ref -i hyp hyp2 -m bleu chrf -f text >table || failed=1
for pattern in 'System.*BLEU.*chrF2' ' hyp .*59.5.*74.7' ' hyp2 .*27.0.*51.5' \
    "BLEU  *nrefs:1.*version:$version"; do
    grep -q -- "$pattern" table || { echo "FAILED: the table of systems lacks $pattern"; failed=1; }
done
check 'the format can come from the environment' 0 \
    "TER|nrefs:1|case:lc|tok:tercom|norm:yes|punct:no|asian:no|version:$version = 30.77" \
    env SACREBLEU_FORMAT=text "$coho" eval ref -i hyp2 -m ter --ter-normalized --ter-no-punct -w 2
check 'confidence intervals' 0 \
    "        BLEU|nrefs:2|bs:50|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:$version = 64.4 (μ = 63.5 ± 3.3) 93.8/78.6/58.3/40.0 (BP = 1.000 ratio = 1.000 hyp_len = 16 ref_len = 16)
TER|nrefs:2|bs:50|seed:12345|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:$version = 15.4 (μ = 15.4 ± 1.2)" \
    "$coho" eval ref ref2 -i hyp -m ter bleu -f text -ci -cin 50
check 'a paired bootstrap, the baseline named twice' 0 '[
    {
        "system": "Baseline: hyp",
        "BLEU": {
            "score": 59.4603557501361,
            "p_value": null,
            "mean": 58.53502008990604,
            "ci": 8.585491820049587
        }
    },
    {
        "system": "hyp2",
        "BLEU": {
            "score": 26.971454115957286,
            "p_value": 0.024390243902439025,
            "mean": 28.04066308319467,
            "ci": 14.031091562567275
        }
    }
]' "$coho" eval ref -i hyp hyp2 hyp --paired-bs -pbsn 40 -q
"$coho" eval ref -i hyp hyp2 -par -parn 40 -f latex >table || failed=1
grep -qF '          hyp2 & 27.0 (p = 0.0244)* \\' table || { echo 'FAILED: no randomization in LaTeX'; failed=1; }
(head -n 1 hyp; tail -n 1 hyp2) >mixed
(head -n 1 hyp2; tail -n 1 hyp) >mixed2
check 'more trials than are in hand at a time' 0 '            "p_value": null,
            "p_value": 0.49927858173454664,' sh -c "'$coho' eval ref -i mixed mixed2 -par -parn 70000 -m chrf -q | grep p_value"
mkdir -p cache/models
cp "$golden/unigram.model" cache/models/sacrebleu_tokenizer_spm.model
check 'pieces of a model of sacreBLEU' 0 \
    "BLEU|nrefs:1|case:mixed|eff:no|tok:flores101|smooth:exp|version:$version = 81.1518 97.4/91.7/85.3/78.1 (BP = 0.924 ratio = 0.927 hyp_len = 38 ref_len = 41)" \
    env SACREBLEU=cache "$coho" eval ref -i hyp -tok flores101 -f text -w 4
check 'pieces of any model' 0 81.1518 "$coho" eval ref -i hyp -tok spm --spm-model "$golden/unigram.model" -b -w 4
mkdir -p cache/wmt17 cache/wmt14/full cache/wmt21
cp ref cache/wmt17/wmt17.en-de.ref
cp ref cache/wmt14/full/wmt14_full.en-de.ref-0
cp ref2 cache/wmt14/full/wmt14_full.en-de.ref-1
cp ref cache/wmt21/wmt21.en-de.ref-A
SACREBLEU=cache
export SACREBLEU
check 'references of a test set that sacreBLEU has fetched' 0 59.4604 "$coho" eval -t wmt17 -l en-de -i hyp -b -w 4
check 'with translations on standard input' 0 59.5 sh -c "'$coho' eval --test-set wmt17 -l en-de -b <hyp"
check 'several of them, of a part of a set' 0 64.388 "$coho" eval -t wmt14/full -l en-de -i hyp -b -w 3
check 'one that has a name' 0 59.5 "$coho" eval -t wmt21 -l en-de -i hyp -b
cp ref2 cache/wmt21/wmt21.en-de.ref-C
told 'of several with names the user chooses' 1 'there are 2 references of cache/wmt21/wmt21.en-de.ref, .* name those wanted as REF' \
    "$coho" eval -t wmt21 -l en-de -i hyp
told 'a test set that is not there' 1 'no cache/wmt17/wmt17.en-fr.ref.*sacrebleu -t wmt17 -l en-fr --echo ref >ref' \
    "$coho" eval -t wmt17 -l en-fr -i hyp
told 'a test set has a pair of languages' 2 'takes --language-pair' "$coho" eval -t wmt17 -i hyp
told 'a test set or references' 2 'in place of references' "$coho" eval ref -t wmt17 -l en-de -i hyp
unset SACREBLEU
printf 'これはペンです。「東京都」に住んでいます。\n今日は\343\200\200天気がいい!100円のﾘﾝｺﾞ😀 hello World\n' >ja
printf 'これは本です。「東京都」に住んでいます。\n明日は\343\200\200天気が悪い!100円のﾘﾝｺﾞ😀 hello World\n' >ja.hyp
if "$coho" eval ja -i ja.hyp -tok ja-mecab >/dev/null 2>stderr; then
    check 'words of MeCab' 0 75.5080 "$coho" eval ja -i ja.hyp -l en-ja -b -w 4
    grep -q words stderr && check 'a dictionary with other words signs otherwise' 0 IPA.Reiwa \
        sh -c "'$coho' eval ja -i ja.hyp -l en-ja | sed -n 's/ .tok.: .*-\(.*\)\",/\1/p'"
else
    echo "skipped: $(cat stderr)"
    told 'MeCab is asked for by name' 1 'mecab' "$coho" eval ja -i ja.hyp -tok ja-mecab
fi
check 'the language chooses the tokenizer' 0 '"tok": "zh",' \
    sh -c "'$coho' eval ref -i hyp -l en-zh | grep -o '\"tok\".*'"
printf 'yes\nno\nno\nyes\n' >gold
printf 'yes\n\nno\nyes\n' >gapped
printf 'yes\nno\nyes\nyes\n' >guess
check 'metrics of labels' 0 "accuracy|n:4|version:coho-$("$coho" --version | sed 's/^coho //') = 0.7500
f1_macro|n:4|version:coho-$("$coho" --version | sed 's/^coho //') = 0.7333
mcc|n:4|version:coho-$("$coho" --version | sed 's/^coho //') = 0.5774" \
    "$coho" eval gold -i guess -m mcc accuracy f1_macro -f text
printf 'Der Gr\374ne sagt\nna ja \344\n' >latin1.ref
printf 'Der Gr\374ne sagte\nna ja \344\n' >latin1.hyp
iconv -f latin1 -t utf-8 latin1.ref >latin1.ref8
iconv -f latin1 -t utf-8 latin1.hyp >latin1.hyp8
check 'files in another encoding, by its name in Python' 0 "$("$coho" eval latin1.ref8 -i latin1.hyp8 -m chrf -b -w 8)" \
    "$coho" eval latin1.ref -i latin1.hyp -m chrf -b -w 8 -e latin-1
iconv -f latin1 -t utf-16 latin1.ref >wide.ref
iconv -f latin1 -t utf-16 latin1.hyp >wide.hyp
check 'UTF-16 too' 0 "$("$coho" eval latin1.ref8 -i latin1.hyp8 -m chrf -b -w 8)" \
    "$coho" eval wide.ref -i wide.hyp -m chrf -b -w 8 --encoding=utf_16
printf 'A cat\nnot \201\n' >bad
told 'bytes that the encoding does not have' 1 'bad:2: byte 0x81 is not cp1252' "$coho" eval bad -i bad -e cp1252
check 'or they are replaced' 0 100.0 "$coho" eval bad -i bad -e cp1252 --bad-utf8 replace -b -m chrf
told 'ASCII is ASCII' 1 'latin1.ref8:1: byte 0xC3 is not ascii' "$coho" eval latin1.ref8 -i latin1.hyp8 -e ascii
told 'an encoding that is none' 1 "'klingon' is not known" "$coho" eval ref -i hyp -e klingon
printf '\357\273\277The cat sat on a mat.\nIt is 1,000 km away, he said.\n' >sig
check 'a byte order mark counts, as in sacreBLEU' 0 50.5 "$coho" eval ref -i sig -b -q
check 'unless the encoding has it' 0 59.5 "$coho" eval ref -i sig -b -e utf-8-sig
printf 'The tomcat sat.\nIt is <1,000> km & he.\n' >source
printf 'The the the the the the\nIt is away\n' | gzip -c >training.gz
check 'a page as well' 0 59.5 "$coho" eval ref -i hyp -b --html page.html --source source --training training.gz
for pattern in '</html>' 'Lowest scores of hyp' '&lt;1,000&gt; km &amp; he' 'times in the training text' \
    '<tr><td>5–9</td><td>1</td><td>0.0</td></tr>' '<span class="wrong">a</span>'; do
    grep -qF -- "$pattern" page.html || { echo "FAILED: the page lacks $pattern"; failed=1; }
done
"$coho" eval ref -i hyp hyp2 -m bleu ter -pbs -pbsn 40 --html pair.html --examples 1 >/dev/null || failed=1
for pattern in 'Most in favour of hyp2' 'class="pair"' 'p = 0.0244' 'TER ↓' 'paired bootstrap with 40 resamples'; do
    grep -qF -- "$pattern" pair.html || { echo "FAILED: the page of two lacks $pattern"; failed=1; }
done
told 'a source with other lines' 1 'source2 has 1 lines' sh -c "head -n 1 source >source2; '$coho' eval ref -i hyp --html x --source source2"
[ ! -e x ] || { echo 'FAILED: a page in spite of an error'; failed=1; }
told 'a source goes on a page' 2 'name it with --html' "$coho" eval ref -i hyp --source source
told 'a page is of translations' 2 'shows translations' "$coho" eval ref -i ref -m mcc --html x
told 'a page is not of sentences' 2 'sentence-level' "$coho" eval ref -i ref -sl --html x
told 'a page that cannot be written' 1 'nowhere/x' "$coho" eval ref -i hyp --html nowhere/x
gzip -c hyp >hyp.gz
check 'compressed files are read' 0 59.5 "$coho" eval ref -i hyp.gz -b

head -n 1 hyp >short
told 'differing line counts name both files and counts' 1 'short has 1 line but ref has 2 lines' \
    "$coho" eval ref -i short
told 'references must match too' 1 'short has 1 line but ref has 2 lines' \
    "$coho" eval ref short -i hyp
told 'a missing file is named' 1 'nowhere' "$coho" eval ref -i nowhere
told 'an empty file is named' 1 'empty is empty' "$coho" eval ref -i empty
told 'an empty reference is named' 1 'empty is empty' "$coho" eval empty -i hyp
told 'empty standard input is told' 1 'standard input is empty' sh -c "'$coho' eval ref </dev/null"
printf 'a\nb\377\n' >latin
told 'bytes that are not UTF-8 are told by file and line' 1 'latin.*2' "$coho" eval ref -i latin
check 'or are replaced' 0 0.0 "$coho" eval ref -i latin -b --bad-utf8 replace
told 'an unknown metric is told with the nearest' 2 "did you mean 'bleu'" \
    "$coho" eval ref -i hyp -m blue
told 'an unknown option too' 2 'lowercase' "$coho" eval ref -i hyp --lowercsae
told 'an unknown tokenizer too' 2 'intl' "$coho" eval ref -i hyp -tok int
told 'a width out of range' 2 'width' "$coho" eval ref -i hyp -w 999
told 'a name that is cut too short' 2 "unknown option '--conf'" "$coho" eval ref -i hyp --conf
told 'a pair of languages is two' 2 'as in en-de' "$coho" eval ref -i hyp -l de
told 'no n-grams at all' 2 'cannot both be 0' "$coho" eval ref -i hyp -m chrf -cc 0
for option in '--download wmt17' '--list' '--cite' '--echo src'; do
    # shellcheck disable=SC2086
    told "$option points to sacreBLEU" 2 'sacrebleu -t wmt17' "$coho" eval $option -l en-de
done
for option in '-d' '--detail' '-ol de' '--subset=x'; do
    # shellcheck disable=SC2086
    told "$option says what to do" 2 'lines out' "$coho" eval ref -i hyp $option
done
check 'the version is that of the figures' 0 "coho eval $version" "$coho" eval -V
told 'references are needed' 2 'references' "$coho" eval -i hyp
told 'a system given twice' 2 'hyp' "$coho" eval ref -i hyp hyp
told 'standard input read twice' 2 'standard input' "$coho" eval - -i -
told 'one metric for sentences' 2 'one metric' "$coho" eval ref -i hyp -sl -m bleu chrf
told 'intervals are for one system' 2 'one system' "$coho" eval ref -i hyp hyp2 -ci
told 'two tests at once' 2 'exclude' "$coho" eval ref -i hyp hyp2 -par -pbs
told 'a test needs two systems' 2 'two systems' "$coho" eval ref -i hyp -pbs
told 'a seed that is none' 1 'SACREBLEU_SEED' env SACREBLEU_SEED=x "$coho" eval ref -i hyp -ci
told 'a model that is absent' 1 'spm-model' env SACREBLEU=nowhere "$coho" eval ref -i hyp -tok flores200
told 'labels and translations do not mix' 2 'together' "$coho" eval ref -i hyp -m bleu mcc
told 'numbers must be numbers' 1 "gold:1: 'yes' is no number" "$coho" eval gold -i guess -m pearson
told 'a gold label is not empty' 1 'gapped:2: the label is empty' "$coho" eval gapped -i guess -m accuracy
told 'files of labels are as long' 1 'guess has 4 lines but ref' "$coho" eval ref -i guess -m accuracy
told 'too few columns' 1 'ref:1: expected 2 columns' "$coho" eval ref -nr 2 -i hyp
if [ -w /dev/full ]; then
    told 'a full disk is noticed' 1 'No space left' sh -c "'$coho' eval ref -i hyp >/dev/full"
fi

i=0
while [ $i -lt 100 ]; do echo 'tokenized .'; i=$((i + 1)); done >tokenized
"$coho" eval tokenized -i tokenized >/dev/null 2>stderr
grep -q 'detokenized' stderr || { echo 'FAILED: no warning of tokenized text'; failed=1; }
"$coho" eval tokenized -i tokenized --force >/dev/null 2>stderr
[ ! -s stderr ] || { echo 'FAILED: --force does not silence the warning'; failed=1; }
printf '\357\273\277The cat\nIt is\n' >marked
"$coho" eval ref -i marked >/dev/null 2>stderr
grep -q 'byte order mark' stderr || { echo 'FAILED: no warning of a byte order mark'; failed=1; }

exit $failed
