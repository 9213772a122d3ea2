-- SPDX-License-Identifier: Apache-2.0
-- `confidentai completion`: what it prints is tried in the shells, those that are there.

local cli = require "confidentai.cli"
local command = require "spec.cli.command"
local folders = require "spec.folders"
local process = require "spec.process"

describe("confidentai completion", function()
  local folder = folders.each()

  -- Writes the script, for the shell to read.
  local function script(shell)
    local result = command.run(nil, { "completion", shell })
    assert.same({ 0, "" }, { result.status, result.errors })
    local path = folder.path .. "/" .. shell
    folders.write(path, result.output)
    return path
  end

  -- Without a sanitizer that is preloaded: leaks of shells are none of ours.
  local function run(name, ...)
    local status, _, output, errors = process.start(name, { ... }, { LD_PRELOAD = false }):finish()
    assert.same({ 0, "" }, { status, errors })
    return output
  end

  local function found(shell)
    if process.start("sh", { "-c", "command -v " .. shell }):wait(5000) ~= 0 then
      pending("there is no " .. shell .. " here")
      return false
    end
    return true
  end

  -- What bash offers at the end of these words, the last of which is being typed.
  local BASH = [[
. "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_confidentai
printf '%s\n' "${COMPREPLY[@]}"]]

  local function bash(path, ...)
    local offered, list = {}, {}
    for word in run("bash", "--norc", "-c", BASH, "bash", path, "confidentai", ...):gmatch "[^\n]+" do
      list[#list + 1] = word
      offered[word] = true
    end
    return offered, table.concat(list, " ")
  end

  it("makes bash offer nouns, verbs, options and their values", function()
    local path = script "bash"
    local function all(...)
      local _, list = bash(path, ...)
      return list
    end
    assert.equal("keys", all "ke")
    assert.equal("keys", all "keys")
    assert.is_true(bash(path, "keys", "").create)
    assert.is_nil(bash(path, "keys", "").keys)
    assert.equal("json jsonl", all("keys", "list", "--output", "j"))
    assert.is_true(bash(path, "rotate", "start", "7", "--gr")["--grace"])
    assert.is_nil(bash(path, "keys", "list", "--")["--grace"])
    assert.equal("bash", all("completion", "b"))
  end)

  it("makes bash offer every verb, and every option that is not hidden", function()
    local path = script "bash"
    for _, noun in ipairs(cli.parser(require "argparse", true)._commands) do
      assert.is_true(bash(path, "")[noun._name], noun._name)
      for _, verb in ipairs(noun._commands) do
        assert.is_true(bash(path, noun._name, "")[verb._name], verb._name)
      end
      local leaf, words = noun, { noun._name, "-" }
      if noun._commands[1] then
        leaf = noun._commands[#noun._commands]
        table.insert(words, 2, leaf._name)
      end
      local offered = bash(path, words[1], words[2], words[3])
      for _, option in ipairs(leaf._options) do
        assert.equal(not option._hidden or nil, offered[option._aliases[1]], option._aliases[1])
      end
    end
  end)

  it("is taken by zsh", function()
    if found "zsh" then
      run("zsh", "-f", "-n", script "zsh")
    end
  end)

  it("makes fish offer nouns, verbs, options and their values", function()
    if not found "fish" then
      return
    end
    local path = script "fish"
    local function fish(line)
      return run("env", "HOME=" .. folder.path, "fish", "--no-config", "-c",
        "source $argv[1]; complete -C $argv[2]", path, line)
    end
    assert.is_truthy(fish("confidentai "):find "^audit\t")
    assert.is_truthy(fish("confidentai keys cr"):find "^create\t")
    assert.is_truthy(fish("confidentai keys list --output j"):find "json.*\njsonl")
    assert.is_truthy(fish("confidentai rotate start --gr"):find "^%-%-grace\t")
  end)

  it("needs neither a key nor the core, and says when it cannot be written", function()
    for _, words in ipairs { { "completion", "fish" }, { "manual" } } do
      local result = command.run(nil, words, { variables = { LUA_CPATH = "/nonexistent/?.so" } })
      assert.same({ 0, "" }, { result.status, result.errors })
      result = command.run(nil, words, { shell = "$command >/dev/full" })
      assert.equal(1, result.status)
      assert.is_truthy(result.errors:find "cannot write to standard output")
    end
    assert.equal(2, command.run(nil, { "completion", "tcsh" }).status)
  end)
end)
