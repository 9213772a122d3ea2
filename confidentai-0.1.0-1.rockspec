rockspec_format = "3.0"
package = "confidentai"
version = "0.1.0-1" -- that of src/core/version.h: scripts/version writes it
source = {
  url = ".", -- this checkout, by luarocks make; packaging/rock puts in where a release is published
}
description = {
  summary = "Provision and rotate the API keys of a Confident AI organization and its projects",
  detailed = [[
Lists, creates, disables, enables and deletes the API keys of an organization and of its projects, over libcurl, from
plain Lua and LuaJIT. The command `confidentai sandbox`, which runs a stand-in of the service for trials and specs, also
needs the rocks http and luv.]],
  license = "Apache-2.0",
  labels = { "api", "keys", "rotation", "openresty", "neovim", "commandline" },
}
supported_platforms = { "unix" }
dependencies = {
  "lua >= 5.1, < 5.6",
  "lua-cjson >= 2.1.0",
  "argparse >= 0.7.0", -- the command
}
external_dependencies = {
  CURL = { library = "curl" }, -- Debian has the headers where LuaRocks does not look; CMake finds them
}
build = {
  type = "cmake",
  variables = {
    CMAKE_BUILD_TYPE = "Release",
    CMAKE_PREFIX_PATH = "$(CURL_DIR)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    LIBDIR = "$(LIBDIR)",
    LUADIR = "$(LUADIR)",
    BINDIR = "$(BINDIR)",
  },
}
