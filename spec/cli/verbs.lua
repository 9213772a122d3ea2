-- SPDX-License-Identifier: Apache-2.0
-- Every verb of the command, with a command line that does its work on a fresh sandbox. secrets_spec.lua runs them all,
-- in every format, with and without faults; a verb that is missing here fails it.
--
-- An entry: words(place) gives the arguments; `place` has the sandbox (`service`), a folder that is empty but for its
-- own state folder (`folder`), and the id of a project (`project`). `shell`: as of command.start. `asked`: where its
-- secret goes is standard output or error, so that one new secret may be there. `plain`: it asks no service, and has
-- none of the options of those that do.

local confidentai = require "confidentai"
local core = require "confidentai.core"
local support = require "spec.support"

-- Rotations of one folder exclude each other, and the sandbox begins anew for each: so does the state.
local count = 0

local function state_dir(place)
  count = count + 1
  return ("%s/state/%d"):format(place.folder, count)
end

local function store(place)
  local path = place.folder .. "/key"
  os.remove(path)
  assert(core.file.create(path, place.service.projects[1].api_key))
  return path
end

-- A file with a secret that has leaked: the one that the store holds, too.
local function leak(place)
  local path = place.folder .. "/leaked"
  os.remove(path)
  assert(core.file.create(path, place.service.projects[1].api_key))
  return path
end

-- The words of a verb about a rotation, which is begun here.
local function about(verb)
  return function(place)
    local folder, client = state_dir(place), support.client(place.service)
    local rotation = confidentai.check(client:project(place.project).api_keys:rotate(1, {
      store = confidentai.store.file { path = store(place) }, state_dir = folder, adoption = "confirm", settle = 1,
    }))
    client:close()
    return { "rotate", verb, rotation.id, "--state-dir", folder }
  end
end

local function start(...)
  local more = { ... }
  return function(place)
    local words = { "rotate", "start", "1", "--project", place.project, "--store", "file:" .. store(place), "--settle",
      "1", "--state-dir", state_dir(place) }
    for _, word in ipairs(more) do
      words[#words + 1] = word
    end
    return words
  end
end

return {
  { verb = "keys list", words = function() return { "keys", "list", "--all-projects" } end },
  { verb = "keys list", words = function() return { "keys", "list" } end },
  { verb = "keys find", words = function() return { "keys", "find", "manager" } end },
  { verb = "keys get", words = function(place) return { "keys", "get", "1", "--project", place.project } end },
  { verb = "keys create", asked = true, words = function() return { "keys", "create", "ci", "--print-secret" } end },
  { verb = "keys create", words = function() return { "keys", "create", "ci" } end },
  { verb = "keys create", shell = "$command 3>/dev/null",
    words = function() return { "keys", "create", "ci", "--secret-fd", "3" } end },
  { verb = "keys create",
    words = function(place) return { "keys", "create", "ci", "--secret-file", place.folder .. "/key" } end },
  { verb = "keys create", words = function(place)
    return { "keys", "create", "ci", "--project", place.project, "--store", "exec:sh -c 'cat >&2; exit 1'" }
  end },
  { verb = "keys enable", words = function(place) return { "keys", "enable", "1", "--project", place.project } end },
  { verb = "keys disable", words = function(place) return { "keys", "disable", "1", "--project", place.project } end },
  { verb = "keys disable", words = function() return { "keys", "disable", "1", "--yes", "--force" } end },
  { verb = "keys delete",
    words = function(place) return { "keys", "delete", "1", "--project", place.project, "--yes" } end },
  { verb = "projects list", words = function() return { "projects", "list" } end },
  { verb = "rotate start", words = start() },
  { verb = "rotate start", words = start "--dry-run" },
  { verb = "rotate start", words = start("--on-published", "sh -c 'cat \"$0\" >&2; exit 1' /proc/self/environ") },
  { verb = "rotate advance", words = about "advance" },
  { verb = "rotate status", words = about "status" },
  { verb = "rotate confirm", words = about "confirm" },
  { verb = "rotate rollback", words = about "rollback" },
  { verb = "rotate abort", words = about "abort" },
  { verb = "rotate keep", words = about "keep" },
  { verb = "rotate republish", words = about "republish" },
  { verb = "rotate abandon", words = about "abandon" },
  { verb = "rotate list", words = function(place)
    local words = about "list"(place)
    table.remove(words, 3)
    return words
  end },
  { verb = "rotate history", words = function(place)
    local words = about "history"(place)
    table.remove(words, 3)
    return words
  end },
  { verb = "rotate doctor", words = function(place)
    local words = about "doctor"(place)
    table.remove(words, 3)
    return words
  end },
  { verb = "ensure", words = function(place)
    return { "ensure", "ci", "--project", place.project, "--store", "file:" .. place.folder .. "/ensured" }
  end },
  { verb = "audit", words = function() return { "audit", "--max-age", "0d", "--unused", "0d" } end },
  { verb = "identify", words = function(place) return { "identify", "--file", leak(place) } end },
  { verb = "identify", words = function(place) return { "identify", "--probe", "--file", leak(place) } end },
  { verb = "identify", words = function(place) return { "identify", "--scan", "--file", leak(place) } end },
  { verb = "contain", words = function(place) return { "contain", "--yes", "--file", leak(place) } end },
  { verb = "contain", words = function(place)
    return { "contain", "--yes", "--file", leak(place), "--replace", "--store", "file:" .. store(place), "--state-dir",
      state_dir(place) }
  end },
  { verb = "completion bash", plain = true, words = function() return { "completion", "bash" } end },
  { verb = "completion zsh", plain = true, words = function() return { "completion", "zsh" } end },
  { verb = "completion fish", plain = true, words = function() return { "completion", "fish" } end },
  { verb = "manual", plain = true, words = function() return { "manual" } end },
  { verb = "whoami", words = function() return { "whoami" } end },
}
