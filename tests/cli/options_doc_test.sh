# docs/options.md says what the option tables say.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
document=$here/../../docs/options.md

expect 0 "$coho" --help-markdown
cp .seen/stdout now.md
diff "$document" now.md >differences || {
    head -n 20 differences
    fail "docs/options.md is not current: run build/coho --help-markdown >docs/options.md"
}
checks=$((checks + 1))

# Every command has a section, and every option that --help tells is in it.
expect 0 "$coho" --help
sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' .seen/stdout >commands
while read -r name; do
    file_has now.md "^## coho $name"
    expect 0 "$coho" "$name" --help
    sed -n 's/^  \(-., \)\{0,1\} *\(--[][a-z0-9-]*\).*/\2/p' .seen/stdout | sed 's/[][]/\\&/g' >options
    while read -r option; do
        file_has now.md "^| .*\`$option\`"
    done <options
done <commands
finish
