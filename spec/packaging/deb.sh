#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The packages of Debian, built, unpacked and used from there. Nothing of the checkout is on a path.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)

# They are made of a commit; a tree that is none has nothing to make them of.
git -C "$root" rev-parse --verify --quiet HEAD >/dev/null || { echo "skipped: no git repository" && exit 77; }

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
trap 'exit 143' INT TERM HUP
mkdir "$folder/system" "$folder/home"
DEBFULLNAME="Some Body" DEBEMAIL=some@body.invalid "$root/packaging/build" "$folder/made"
for package in "$folder/made/"lua-confidentai_*.deb "$folder/made/"confidentai_*.deb; do
  dpkg-deb --extract "$package" "$folder/system"
  [ "$(dpkg-deb --field "$package" Maintainer)" = "Some Body <some@body.invalid>" ]
done
cd "$folder"

# What the interpreters look up in /usr, here.
usr=$folder/system/usr
modules() { echo "$usr/share/lua/$1/?.lua;$usr/share/lua/$1/?/init.lua;;"; }
libraries() { echo "$(echo "$usr"/lib/*/lua/"$1")/?.so;;"; }
LUA_PATH=$(modules 5.1) LUA_PATH_5_3=$(modules 5.3) LUA_PATH_5_4=$(modules 5.4)
LUA_CPATH=$(libraries 5.1) LUA_CPATH_5_3=$(libraries 5.3) LUA_CPATH_5_4=$(libraries 5.4)
HOME=$folder/home CONFIDENTAI=$usr/bin/confidentai
export LUA_PATH LUA_PATH_5_3 LUA_PATH_5_4 LUA_CPATH LUA_CPATH_5_3 LUA_CPATH_5_4 HOME CONFIDENTAI

version=$("$root/scripts/version")
[ "$("$CONFIDENTAI" --version)" = "confidentai $version" ]
grep -q '^exec /usr/bin/lua5.4 ' "$CONFIDENTAI"
[ -f "$usr/share/lua/5.4/confidentai/types/confidentai.lua" ] # what users tell lua-language-server to read

# What was made at packaging time is what the command makes, and says which version it is about.
gunzip "$usr/share/man/man1/confidentai.1.gz"
"$CONFIDENTAI" manual | cmp - "$usr/share/man/man1/confidentai.1"
grep -q "confidentai $version" "$usr/share/man/man1/confidentai.1"
"$CONFIDENTAI" completion bash | cmp - "$usr/share/bash-completion/completions/confidentai"
"$CONFIDENTAI" completion zsh | cmp - "$usr/share/zsh/vendor-completions/_confidentai"
"$CONFIDENTAI" completion fish | cmp - "$usr/share/fish/vendor_completions.d/confidentai.fish"

# shellcheck disable=SC2016 # that is for the inner shell
"$root/scripts/with-sandbox" sh -euc '
  "$CONFIDENTAI" keys list
  for lua in lua5.4 lua5.3 lua5.1 luajit; do "$lua" "$1"; done' sh "$root/packaging/debian/tests/use.lua"
