# The program's own options, and what it says to a wrong word.
. "$(dirname "$0")/lib.sh"

version=$(sed -n 's/^project(coho VERSION \([0-9.]*\).*/\1/p' "$here/../../CMakeLists.txt")
expect 0 "$coho" --version
stdout_is "coho $version"
stderr_is ""

for word in --help -h help; do
    expect 0 "$coho" $word
    stdout_has "^usage: coho COMMAND"
    stdout_has "^coho: "
    stderr_is ""
done
cp .seen/stdout help

expect 2 "$coho"
stdout_is ""
stderr_has "^usage: coho COMMAND"

expect 2 "$coho" xyzzy
stdout_is ""
stderr_is "coho: unknown command 'xyzzy'; see \`coho --help\`"

# Every command in the help has a help of its own, and a slip in its name finds it.
sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' help >commands
while read -r name; do
    expect 0 "$coho" "$name" --help
    stdout_has "^usage: coho $name "
    stderr_is ""

    expect 2 "$coho" "${name}x"
    stderr_is "coho: unknown command '${name}x', did you mean '$name'?; see \`coho --help\`"

    expect 2 "$coho" "$name" --no-such-option
    stdout_is ""
    stderr_has "^coho $name.*: unknown [a-z]* '--no-such-option'"
    stderr_is_one_line
done <commands

finish
