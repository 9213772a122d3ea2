#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The rock, installed into a clean tree and used from there: spec/packaging/rock.sh 5.4
# The sources are gone by then, and nothing of the checkout is on a path.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
version=$1

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
trap 'exit 143' INT TERM HUP

mkdir "$folder/source" "$folder/home"
cp -R "$root/CMakeLists.txt" "$root/bin" "$root/lua" "$root/src" "$root/types" "$root"/*.rockspec "$folder/source"
cd "$folder/source"
export HOME="$folder/home"
unset LUA_PATH LUA_CPATH LUA_PATH_5_4 LUA_CPATH_5_4
# Debian's packages stand in for the rocks it depends on, so that no network is needed.
export LUAROCKS_CONFIG="$folder/config.lua"
echo 'rocks_provided = { ["lua-cjson"] = "2.1.0-1", argparse = "0.7.1-1" }' >"$LUAROCKS_CONFIG"
luarocks --lua-version="$version" make --tree="$folder/tree" >"$folder/log" 2>&1 || {
  cat "$folder/log"
  exit 1
}
cd "$folder"
rm -r "$folder/source"

confidentai=$folder/tree/bin/confidentai
printed=$("$confidentai" --version)
echo "$confidentai --version: $printed"
[ "$printed" = "confidentai $(sed -n 's/^#define CAI_VERSION "\(.*\)"$/\1/p' "$root/src/core/version.h")" ]

# What users tell lua-language-server to read.
[ -f "$folder/tree/share/lua/$version/confidentai/types/confidentai.lua" ]

cat >use.lua <<'END'
local confidentai = require "confidentai"
local client = confidentai.check(confidentai.new())
local keys = confidentai.check(client:organization().api_keys:list())
print(_VERSION .. " lists " .. #keys .. " keys")
assert(#keys > 0)
END
export LUA_PATH="$folder/tree/share/lua/$version/?.lua;$folder/tree/share/lua/$version/?/init.lua;;"
export LUA_CPATH="$folder/tree/lib/lua/$version/?.so;;"
CONFIDENTAI=$confidentai "$root/scripts/with-sandbox" "lua$version" use.lua
