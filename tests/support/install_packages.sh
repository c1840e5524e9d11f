#!/bin/sh
# Installs those of the given Debian packages that are missing; says what it does, and what to do where it cannot.
missing=""
for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null; then
    command -v dpkg-query >/dev/null || { echo "This is not a Debian system; the build needs what Debian calls:$missing"; exit 0; }
    echo "apt-get is missing, cannot install:$missing"; exit 1
fi
sudo=""
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "Please install as root:$missing"; exit 1; }
    sudo=sudo
fi
echo "Installing with apt-get:$missing"
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
if $sudo apt-get update -qq >"$log" 2>&1 && $sudo apt-get install -y -qq --no-install-recommends $missing >>"$log" 2>&1; then
    rm -f "$log"
else
    tail -n 20 "$log"; rm -f "$log"; echo "apt-get could not install:$missing"; exit 1
fi
