# shellcheck shell=sh disable=SC2034
# Installing what is missing, for quickstart.sh and check.sh; sourced, not run.

# What building needs; cmake/libraries.cmake looks for the libraries.
build_packages="gcc g++ make cmake pkg-config libjansson-dev libyaml-dev zlib1g-dev libzstd-dev
    liblzma-dev libexpat1-dev libexttextcat-dev libexttextcat-data libxxhash-dev libsentencepiece-dev libutf8proc-dev libopenblas-dev libdnnl-dev"

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "$@"; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this must run as root, and there is no sudo: $*"
    fi
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# apt_update: refreshes the lists, once.
apt_updated=
apt_update() {
    [ -n "$apt_updated" ] && return
    apt_updated=yes
    say "refreshing the package lists"
    as_root apt-get update -qq >&2
}

# install_missing PACKAGE …: installs those that are not there, and says which.
install_missing() {
    missing=
    command -v dpkg-query >/dev/null ||
        die "no Debian system; install by hand what these are called there: $*"
    for package; do
        is_installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "installing$missing"
    apt_update
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2 ||
        die "could not install$missing; is the network there?"
}
