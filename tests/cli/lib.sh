# Helpers for command transcripts.  A test is a script beside this file, run with the path of
# the program as $1:
#
#     . "$(dirname "$0")/lib.sh"
#     expect 0 "$coho" --version
#     stdout_is "coho 0.1.0"
#     finish
#
# Each check counts a failure and goes on; `finish` ends with the verdict.  Commands run in a
# scratch folder ($scratch, also the working folder) that goes away at the end; their standard
# input is empty but for `expect_with` and `expect_from`.

case $1 in
/*) coho=$1 ;;
?*) coho=$PWD/$1 ;;
*) echo "usage: sh $0 PATH-OF-COHO" >&2; exit 2 ;;
esac
[ -x "$coho" ] || { echo "there is no program $coho" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
shared_data=$(cd "$here/../../.." && pwd)/shared/data
failures=0
checks=0
command=
input=
LC_ALL=C.UTF-8
export LC_ALL

scratch=$(mktemp -d "${TMPDIR:-/tmp}/coho-cli-XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
cd "$scratch" || exit 1
mkdir .seen

# fail TEXT: counts a failure and shows what the last command printed.
fail()
{
    failures=$((failures + 1))
    echo "FAILED: $1"
    if [ -n "$command" ]; then
        echo "    command: $command"
        sed 's/^/    stdout: /' .seen/stdout | head -n 20
        sed 's/^/    stderr: /' .seen/stderr | head -n 20
    fi
}

# expect STATUS COMMAND…: runs the command; the checks below look at what it printed.
expect()
{
    wanted=$1
    shift
    command=$*
    "$@" <"${input:-/dev/null}" >.seen/stdout 2>.seen/stderr
    status=$?
    checks=$((checks + 1))
    [ $status -eq "$wanted" ] || fail "status $status instead of $wanted"
}

# expect_with TEXT STATUS COMMAND…: the text is the command's standard input.
expect_with()
{
    printf '%s' "$1" >.seen/stdin
    shift
    expect_from .seen/stdin "$@"
}

# expect_from FILE STATUS COMMAND…
expect_from()
{
    input=$1
    shift
    expect "$@"
    input=
}

same_text()
{
    checks=$((checks + 1))
    printf '%s\n' "$2" >.seen/wanted
    [ -z "$2" ] && : >.seen/wanted
    cmp -s .seen/wanted "$1" || fail "$3 is not:
$2"
}

has_text()
{
    checks=$((checks + 1))
    grep -qe "$2" "$1" || fail "$3 has no line like: $2"
}

stdout_is() { same_text .seen/stdout "$1" "standard output"; }      # the whole text
stderr_is() { same_text .seen/stderr "$1" "standard error"; }
file_is() { same_text "$1" "$2" "$1"; }                             # file_is PATH TEXT
stdout_has() { has_text .seen/stdout "$1" "standard output"; }      # a line that matches
stderr_has() { has_text .seen/stderr "$1" "standard error"; }
file_has() { has_text "$1" "$2" "$1"; }                             # file_has PATH PATTERN

# An error is one line: what everyone may rely on.
stderr_is_one_line()
{
    checks=$((checks + 1))
    [ "$(wc -l <.seen/stderr)" -eq 1 ] || fail "standard error is not one line"
}

# refused STATUS PATTERN COMMAND…: it says one line that matches, and gives out nothing.
refused()
{
    status_wanted=$1
    pattern=$2
    shift 2
    expect "$status_wanted" "$@"
    stderr_is_one_line
    stderr_has "$pattern"
    checks=$((checks + 1))
    [ ! -s .seen/stdout ] || fail "there is standard output"
}

stdout_lines()
{
    checks=$((checks + 1))
    [ "$(wc -l <.seen/stdout)" -eq "$1" ] || fail "standard output has not $1 lines"
}

present()
{
    checks=$((checks + 1))
    [ -e "$1" ] || fail "$1 is absent"
}

absent()
{
    checks=$((checks + 1))
    [ ! -e "$1" ] || fail "$1 is there"
}

# No output that was left half written, here or in the folder named.
no_partial_files()
{
    checks=$((checks + 1))
    [ -z "$(find "${1:-.}" -name '*.partial-*')" ] || fail "partial files are left: $(find "${1:-.}" -name '*.partial-*')"
}

# wait_for PATH: until it is there, for a minute at most.
wait_for()
{
    tries=0
    until ls $1 >/dev/null 2>&1 || [ $tries -ge 3000 ]; do
        sleep 0.02
        tries=$((tries + 1))
    done
}

# need_file PATH: ends the test, as passed, where shared data is absent.
need_file()
{
    [ -r "$1" ] && return
    echo "skipped: $1 is absent"
    exit $((failures > 0))
}

finish()
{
    echo "$checks checks, $failures failed"
    [ $checks -gt 0 ] || echo "nothing was checked"
    exit $((failures > 0 || checks == 0))
}
