-- The globals that Lua 5.1, 5.3, 5.4 and LuaJIT share, and those that some lack and are asked for with care.
std = "min"
read_globals = {
  "jit",
  math = { fields = { "tointeger" } },
  package = { fields = { "loaders", "searchers" } },
}
max_line_length = false -- scripts/lint text looks at all kinds of files
files["spec"].std = "min+busted"
exclude_files = { "build/**", "build.luarocks/**" }
files["bin/confidentai"] = { globals = { "_" } } -- what a shell reads of it is a string in Lua
