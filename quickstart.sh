#!/bin/sh
# sh quickstart.sh [SRC TRG]: from nothing to a distilled translation model, and a table of what
# distillation brought.  SRC and TRG are languages of LibreOffice's help: en, de, fr, pt-br …
#
# Installs what building needs, builds, fetches the help pages of both languages (5 MB of packages,
# unpacked into $COHO_CACHE or ./cache, not installed) and runs recipes/quickstart.yml into
# runs/quickstart-SRC-TRG.  Run again, it goes on where it stopped.
set -eu
root=$(cd "$(dirname "$0")" && pwd)
. "$root/cmake/packages.sh"

case $# in
    0) set -- en de ;;
    2) ;;
    *) echo "usage: sh quickstart.sh [SRC TRG]    (languages such as en, de, fr, pt-br)" >&2; exit 2 ;;
esac
cache=${COHO_CACHE:-$root/cache}

lower() { printf '%s' "$1" | tr '[:upper:]_' '[:lower:]-'; }

# The code in the package's name: English is American there.
package_code() {
    code=$(lower "$1")
    [ "$code" = en ] && code=en-us
    printf '%s' "$code"
}

known_languages() {
    apt-cache search --names-only '^libreoffice-help-' | sed -n 's/^libreoffice-help-\([^ ]*\) .*/\1/p' |
        grep -v '^common$' | tr '\n' ' '
}

# Whether apt knows the language's package; the lists may be missing on a fresh machine.
is_known() {
    apt-cache show "libreoffice-help-$1" >/dev/null 2>&1 && return
    apt_update || true
    apt-cache show "libreoffice-help-$1" >/dev/null 2>&1
}

check_language() {
    [ -d "$cache/libreoffice-help/$1" ] || is_known "$1" ||
        die "LibreOffice has no help in '$1' that apt knows of; there are: $(known_languages)"
}

# fetch CODE: unpacks the language's package into the cache unless it is there already.
fetch() {
    into=$cache/libreoffice-help/$1
    [ -d "$into" ] && return
    say "fetching libreoffice-help-$1 into $into"
    mkdir -p "$cache/libreoffice-help"
    work=$(mktemp -d "$cache/libreoffice-help/partial-XXXXXX")
    (cd "$work" && { apt-get download -qq -o APT::Sandbox::User=root "libreoffice-help-$1" >&2 ||
        { apt_update && apt-get download -qq -o APT::Sandbox::User=root "libreoffice-help-$1" >&2; } }) ||
        { rm -rf "$work"; die "could not fetch libreoffice-help-$1; is the network there?"; }
    mkdir "$work/pages"
    dpkg -x "$work"/*.deb "$work/pages"
    mv "$work/pages" "$into"
    rm -rf "$work"
}

# pages CODE: the folder of pages, whose name writes the region in capitals.
pages() {
    for folder in "$cache/libreoffice-help/$1/usr/share/libreoffice/help"/*/; do
        folder=${folder%/}
        [ "$(lower "$(basename "$folder")")" = "$1" ] && printf '%s' "$folder" && return
    done
    die "no pages in $cache/libreoffice-help/$1; remove that folder and run again"
}

source=$(package_code "$1")
target=$(package_code "$2")
[ "$source" != "$target" ] || die "source and target are the same language, $1"
begin=$(date +%s)

check_language "$source"
check_language "$target"
# shellcheck disable=SC2086
install_missing $build_packages
fetch "$source"
fetch "$target"
source_pages=$(pages "$source")
target_pages=$(pages "$target")

say "building"
cmake -S "$root" -B "$root/build" >/dev/null
cmake --build "$root/build" -j"$(nproc)" --target coho_program >/dev/null

run=runs/quickstart-$(lower "$1")-$(lower "$2")
say "running recipes/quickstart.yml into $run"
cd "$root"
build/coho distill recipes/quickstart.yml -o "$run" --set "source=$(lower "$1")" "target=$(lower "$2")" \
    "source_pages=$source_pages" "target_pages=$target_pages"
say "$(($(date +%s) - begin)) seconds in all; the page of this run is $run/report.html"
