#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The rock, for one interpreter: spec/packaging/rock.sh lua5.4
# - made in a folder of sources: luarocks make
# - packed from there as a binary rock, luarocks pack, and installed in a clean tree
# - made as a source rock, packaging/rock, and installed in another
# The sources are gone by the time it is used, and nothing of the checkout is on a path.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
lua=$1

# A source rock is made of a commit; a tree that is none has nothing to make it of.
git -C "$root" rev-parse --verify --quiet HEAD >/dev/null || { echo "skipped: no git repository" && exit 77; }

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
trap 'exit 143' INT TERM HUP
export HOME="$folder/home" LUAROCKS_CONFIG="$folder/config.lua"
unset LUA_PATH LUA_CPATH LUA_PATH_5_3 LUA_CPATH_5_3 LUA_PATH_5_4 LUA_CPATH_5_4

# Debian's packages stand in for the rocks it depends on, so that no network is needed.
echo 'rocks_provided = { ["lua-cjson"] = "2.1.0-1", argparse = "0.7.1-1" }' >"$LUAROCKS_CONFIG"
version=${lua#lua}
if [ "$lua" = luajit ]; then # what packaging/README.md tells users of LuaJIT
  version=5.1
  echo 'lua_interpreter = "luajit"' >>"$LUAROCKS_CONFIG"
  echo "variables = { LUA_INCDIR = \"$(pkg-config --variable=includedir luajit)\" }" >>"$LUAROCKS_CONFIG"
fi
rocks() {
  luarocks --lua-version="$version" "$@" >"$folder/log" 2>&1 || {
    cat "$folder/log"
    exit 1
  }
}
mkdir "$folder/source" "$folder/home"
cd "$folder/source"
cp -R "$root/CMakeLists.txt" "$root/bin" "$root/lua" "$root/src" "$root/types" "$root"/*.rockspec .
rocks lint ./*.rockspec
rocks make --tree="$folder/made"
cd "$folder"
rm -r source
rocks pack confidentai --tree="$folder/made"
rocks install --tree="$folder/binary" confidentai-*.linux-*.rock

"$root/packaging/rock" "$folder/rock" >/dev/null
mkdir again
cd again
rocks pack "$folder"/rock/*.rockspec # what LuaRocks makes of the rockspec is what packaging/rock has made
for name in $(unzip -Z1 "$folder"/rock/*.src.rock); do
  unzip -p "$folder"/rock/*.src.rock "$name" | cmp - "$folder/rock/$name"
  unzip -p ./*.src.rock "$name" | cmp - "$folder/rock/$name"
done
mv "$folder"/rock/*.src.rock "$folder"
cd "$folder"
rm -r rock # a source rock holds its sources
rocks install --tree="$folder/from-source" confidentai-*.src.rock

expected="confidentai $("$root/scripts/version")"
use() {
  echo "== $1"
  confidentai=$folder/$1/bin/confidentai
  [ "$("$confidentai" --version)" = "$expected" ]
  grep -q "exec '/usr/bin/$lua'" "$confidentai"
  [ -f "$folder/$1/share/lua/$version/confidentai/types/confidentai.lua" ] # what users tell lua-language-server to read
  # shellcheck disable=SC2016 # that is for the inner shell
  CONFIDENTAI=$confidentai "$root/scripts/with-sandbox" sh -euc '
    eval "$(luarocks --lua-version="$1" path --tree="$2")"
    [ "$(command -v confidentai)" = "$CONFIDENTAI" ]
    confidentai keys list
    "$3" "$4"' sh "$version" "$folder/$1" "$lua" "$root/packaging/debian/tests/use.lua"
}
use made
use binary
use from-source
rocks remove --tree="$folder/binary" confidentai
find binary -type f -o -type l | grep confidentai && exit 1
echo "nothing is left when it is removed"
