# The examples in the documents run.  $1: the coho program.
#
# In README.md and docs/*.md a block fenced as
#
#     ```sh run                 is run, all blocks of a document one after another in one folder
#     ```text output            behind such a block is what it prints on standard output
#
# The folder looks like the root of the sources, and coho is on the PATH.
. "$(dirname "$0")/lib.sh"
root=$(cd "$here/../.." && pwd)

mkdir bin
ln -s "$coho" bin/coho
PATH=$scratch/bin:$PATH
export PATH

# blocks DOCUMENT: writes the script, and what its blocks shall print.
blocks()
{
    awk '
        /^```sh run$/ { n++; on = 1; printf "exec >../out.%d 2>../err.%d\necho %d >../line\n", n, n, NR; next }
        /^```text output$/ { wanted = "../wanted." n; next }
        /^```$/ { if (wanted) close(wanted); on = 0; wanted = ""; next }
        on { print }
        wanted { print >wanted }
    ' "$1"
}

# check_document NAME: in a folder of its own.
check_document()
{
    folder=$scratch/$(basename "$1" .md)
    mkdir -p "$folder/root"
    cd "$folder/root" || exit 1
    ln -s "$root/docs" docs
    ln -s "$root/recipes" recipes
    blocks "$root/$1" >../script
    checks=$((checks + 1))
    if ! sh -eu ../script </dev/null; then
        fail "$1:$(cat ../line): the example fails"
        cat ../out.* ../err.* | tail -n 20 | sed 's/^/    /'
    fi
    for wanted in ../wanted.*; do
        [ -e "$wanted" ] || continue
        checks=$((checks + 1))
        diff "$wanted" "../out.${wanted##*.}" || fail "$1: example ${wanted##*.} prints something else (>)"
    done
    no_partial_files .
    cd "$scratch" || exit 1
}

grep -q '^```sh run$' "$root/README.md" || fail "README.md has no example that is run"
check_document README.md
for document in "$root"/docs/*.md; do
    check_document "docs/$(basename "$document")"
done

# Links to files lead somewhere.
for document in "$root/README.md" "$root"/docs/*.md; do
    for link in $(grep -o '](\([^)#:]*\))' "$document" | sed 's/^](//; s/)$//'); do
        checks=$((checks + 1))
        [ -e "$(dirname "$document")/$link" ] || fail "$(basename "$document") links to $link, which is absent"
    done
done

# Files that the documents name by folder are there.
for document in "$root/README.md" "$root"/docs/*.md; do
    for path in $(grep -o '`\(base\|tensor\|tokenize\|eval\|corpora\|seq2seq\|decode\|distill\|cli\|tests\|recipes\|docs\)/[a-z0-9_/]*\.[a-z]*`' "$document" | tr -d '`'); do
        checks=$((checks + 1))
        [ -e "$root/$path" ] || fail "$(basename "$document") names $path, which is absent"
    done
done
finish
