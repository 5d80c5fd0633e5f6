# coho corpus: from raw pairs and help pages to sets and stores.  $1: the coho program.
. "$(dirname "$0")/lib.sh"

model=$here/../tokenize/golden/bpe.model
help=$here/../corpora/help

# Usage.
expect 2 "$coho" corpus
stderr_has '^usage: coho corpus STEP'
expect 0 "$coho" corpus --help
stdout_has 'libreoffice-help   two folders such as'
expect 2 "$coho" corpus claen
stderr_has "unknown step 'claen', did you mean 'clean'?"
stderr_is_one_line
expect 0 "$coho" corpus prepare --help
stdout_has '--max-ratio'
expect 2 "$coho" corpus clean -o x
stderr_is_one_line
expect 2 "$coho" corpus clean a b c -o x
stderr_has "unexpected 'c'"
expect 2 "$coho" corpus clean a b
stderr_has 'output'
expect 2 "$coho" corpus clean a b -o x --min-word 3
stderr_has "did you mean"
stderr_is_one_line
expect 2 "$coho" corpus clean a b -o x --max-ratio -1
stderr_has 'max-ratio'
expect 2 "$coho" corpus import a b -o x --format tmx2
stderr_has 'libreoffice-help'

# Import takes everything as it is, compressed or not.
printf 'A dog runs.\n\nsame\nA dog runs.\nShort.\n' >in.en
printf 'Ein Hund rennt.\nleer\nsame\nEin Hund rennt.\nKurz.\n' | gzip >in.de.gz
expect 0 "$coho" corpus import in.en in.de.gz -o all --source-lang en --target-lang de
stdout_is '      pairs
----  -----
read      5
kept      5'
expect 0 cmp in.en all.en
file_has all.de '^leer$'

# Cleaning says what it dropped and why.
expect 0 "$coho" corpus clean all.en all.de -o clean --min-words 2
stdout_is '            pairs
----------  -----
read            5
empty           1
identical       1
too_short       1
duplicates      1
kept            1'
file_is clean.src 'A dog runs.'
file_is clean.trg 'Ein Hund rennt.'
expect 0 "$coho" corpus clean all.en all.de -o clean --json
stdout_has '"duplicates": 1'

# Help pages.
expect 0 "$coho" corpus import --format libreoffice-help "$help/en-US" "$help/de" -o help
file_has help.src '^Then choose Borders & Lines\.$'
file_has help.trg '^Wählen Sie dann Umrandungen & Linien\.$'
expect 1 "$coho" corpus import --format libreoffice-help "$help" "$help/de" -o none
stderr_has "has no folder 'text'"
stderr_is_one_line
absent none.src

# Sets.
seq 1 100 | sed 's/^/sentence number /' >n.src
seq 1 100 | sed 's/^/Satz Nummer /' >n.trg
expect 0 "$coho" corpus prepare n.src n.trg -o sets --test 10 --dev 10%
stdout_has '^test *10$'
file_has sets/train.src '^sentence number '
no_partial_files
sort n.src >sorted
expect 0 sh -c 'cat sets/train.src sets/dev.src sets/test.src | sort | cmp - sorted'
expect 0 "$coho" corpus split n.src n.trg -o again --test 10 --dev 10% --json
stdout_has '"test": 10'
expect 0 cmp sets/test.src again/test.src
expect 0 cmp sets/test.trg again/test.trg
expect 1 "$coho" corpus split n.src n.trg -o many
stderr_has 'cannot take 2000 pairs for the test set: only 100 of 100 are left; ask for less'
stderr_is_one_line
absent many/train.src
expect 1 "$coho" corpus split n.src n.trg -o many --dev lots --test 1
stderr_has "size 'lots' of the dev set"

# Statistics.
expect 0 "$coho" corpus stats all.en all.de
stdout_has '^duplicate pairs *1'
cp .seen/stdout stats.pairs
echo '<tmx><body><tu><tuv xml:lang="en"><seg>a</seg></tuv></tu></body></tmx>' >no.tmx
paste all.en all.de | gzip >all.tsv.gz
expect 0 "$coho" corpus stats all.tsv.gz
stdout_has '^ *source  *target$'
tail -n +2 .seen/stdout | sed 's/  */ /g' | grep -v -e ---- >stats.table
tail -n +2 stats.pairs | sed 's/  */ /g' | grep -v -e ---- | cmp -s - stats.table || fail 'a table is counted otherwise than its pairs'
refused 1 'none of the 1 units' "$coho" corpus stats no.tmx --source-lang fr --target-lang it
expect 0 "$coho" corpus stats all.en --json
stdout_has '"empty": 1'
expect_with 'one two
three
' 0 "$coho" corpus stats -
stdout_has '^words  *3$'

expect 0 "$coho" corpus stats all.en all.de -m "$model" --against clean.src --html page.html
stdout_has '^pieces a word  *[0-9]'
stdout_has '^of 2 held-out lines 2 are in the corpus'
file_has page.html '<svg'
file_has page.html 'Words a line'
file_has page.html 'pieces a word'
expect 0 "$coho" corpus stats all.en all.de -m "$model" --against clean.src --json
stdout_has '"pieces_per_word"'
stdout_has '"overlap"'
expect 1 "$coho" corpus stats all.en all.de --html absent/page.html
stderr_is_one_line

# Checking: the status tells, findings are listed with their lines.
awk 'BEGIN { for (i = 1; i <= 400; i++) print "number " i " of " i * 7 % 13 " things in the house of person " i * 11 % 17 }' >ok.en
awk 'BEGIN { for (i = 1; i <= 400; i++) print "Nummer " i " von " i * 7 % 13 " Dingen im Haus der Person " i * 11 % 17 }' >ok.de
languages='--source-lang en --target-lang de'
expect 0 "$coho" corpus check ok.en ok.de $languages
stdout_has '^passed: 400 lines, correlation of lengths'
sed 200d ok.de >lost.de
expect 1 "$coho" corpus check ok.en lost.de $languages
stdout_has '^line_count: the source has 400 lines, the target 399$'
stdout_has '^slip: from about line \(199\|200\|201\) of the source on, 1 line was added there or lost from the target$'
expect 1 "$coho" corpus check ok.en lost.de $languages --json
stdout_has '"status": "failed"'
stdout_has '"check": "slip"'
sed -n '7p;9p' ok.en >held
expect 1 "$coho" corpus check ok.en ok.de $languages --against held
stdout_has '^overlap  *2  *0.500%  error  *sources that are in a held-out set  *7, 9$'
expect 0 "$coho" corpus check ok.en ok.de $languages --against held --tolerate 0.005
sed '5s/.*/<b>Nummer 5 von 9<\/b> Dingen im Haus der Person 4/' ok.de >tags.de
expect 0 "$coho" corpus check ok.en tags.de $languages
stdout_has '^markup  *1  *0.250%  warning  *tags or entities  *5$'
expect 1 "$coho" corpus check ok.en tags.de $languages --strict
expect 0 "$coho" corpus check ok.en tags.de $languages --json
stdout_has '"level": "warning"'
expect 1 "$coho" corpus check absent ok.de $languages
stderr_is_one_line

# Several sources: tags, weights, formats; a wrong key is told with its line.
paste ok.en ok.de | head -n 30 | sed 's/number/count/' | xz >more.tsv.xz
printf -- '- { source: ok.en, target: ok.de, weight: 2 }\n- { source: more.tsv.xz, tag: <old> }\n' >list.yml
expect 0 "$coho" corpus clean --sources list.yml -o several $languages
stdout_has '^kept  *430$'
expect 0 sh -c 'test $(grep -c "^<old> count" several.en) -eq 30 && test $(grep -c "^number" several.en) -eq 800'
printf -- '- { source: ok.en, target: ok.de }\n- { source: more.tsv.xz, wieght: 2 }\n' >list.yml
expect 1 "$coho" corpus clean --sources list.yml -o several $languages
stderr_has "list.yml:2: unknown key 'wieght', did you mean 'weight'"

# Stores.
expect 0 "$coho" corpus store n.src n.trg -o n.ids -m "$model"
stdout_has '^pairs  *100$'
present n.ids
expect 1 "$coho" corpus store n.src n.trg -o m.ids -m n.src
stderr_is_one_line
absent m.ids

# Bad input: one line that names the file, nothing left behind.
expect 1 "$coho" corpus clean absent.src n.trg -o bad
stderr_has 'absent.src'
stderr_is_one_line
head -n 50 n.trg >short.trg
expect 1 "$coho" corpus clean n.src short.trg -o bad
stderr_has "'n.src' has 100 lines but 'short.trg' has 50"
stderr_is_one_line
expect 1 "$coho" corpus store n.src short.trg -o bad.ids -m "$model"
stderr_has "'n.src' has 100 lines but 'short.trg' has 50"
: >empty
expect 1 "$coho" corpus prepare empty empty -o bad.d
stderr_has 'empty corpus'
expect 1 "$coho" corpus store empty empty -o bad.ids -m "$model"
stderr_has 'empty corpus'
printf 'good\nb\377d\n' >latin
printf 'a\nb\n' >two
expect 1 "$coho" corpus clean latin two -o bad
stderr_has 'latin'
stderr_is_one_line
expect 0 "$coho" corpus clean latin two -o mended --bad-utf8 replace
file_has mended.src '^b�d$'
stderr_has '1 lines were not UTF-8'
absent bad.src
absent bad.trg
absent bad.ids
absent bad.d/train.src

# A limit on the size of files stands in for a full disk.
seq 1 100000 >long.src
cp long.src long.trg
expect 1 sh -c "trap '' XFSZ; ulimit -f 64; exec '$coho' corpus import long.src long.trg -o full"
stderr_has 'full'
absent full.src
expect 1 sh -c "trap '' XFSZ; ulimit -f 64; exec '$coho' corpus store long.src long.trg -o n.ids -m '$model'"
stderr_has 'n.ids'
expect 0 sh -c "test \$(wc -c <n.ids) -lt 30000"
no_partial_files
finish
