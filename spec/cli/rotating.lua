-- SPDX-License-Identifier: Apache-2.0
-- A scene of rotations (spec.rotation.scene) in which the command is run. Whatever it writes is searched for secrets.

local assert = require "luassert"
local command = require "spec.cli.command"
local scene = require "spec.rotation.scene"
local shell = require "spec.docs.shell"

local rotating = {}

local Rotating = {}

function Rotating:words(words)
  local all = { (table.unpack or unpack)(words) } -- luacheck: std max
  if words[1] == "rotate" then
    all[#all + 1], all[#all + 2] = "--state-dir", self.scene:path "state"
  end
  return all
end

function Rotating:run(words, options)
  local result = command.run(self.scene.service, self:words(words), options)
  self.scene:assert_no_secret(result.output)
  self.scene:assert_no_secret(result.errors)
  assert.is_nil(result.errors:find("traceback", 1, true), result.errors)
  return result
end

---The number of the project's keys that work: one that is to be removed is disabled, and watched for a while.
function Rotating:working()
  local count = 0
  for _, key in ipairs((self.scene:on_service())) do
    count = count + (key.valid and 1 or 0)
  end
  return count
end

---Runs the command, which has to succeed; gives what it wrote.
function Rotating:done(words, options)
  local result = self:run(words, options)
  assert.equal(0, result.status, result.errors .. result.output)
  return result.output, result.errors
end

---Runs the command, which has to end with a status; gives its errors and output.
function Rotating:fails(status, words, options)
  local result = self:run(words, options)
  assert.equal(status, result.status, result.errors .. result.output)
  return result.errors, result.output
end

---Runs the command with --output json, and gives what it wrote as a value.
function Rotating:json(words, options)
  local all = { (table.unpack or unpack)(words) } -- luacheck: std max
  all[#all + 1], all[#all + 2] = "--output", "json"
  return command.json((self:done(all, options)))
end

---Begins a rotation of the project's first key, whose secret is in a file: what `rotate start` gives as JSON.
function Rotating:start(...)
  self.scene:store()
  return self:json(self:starting(...))
end

---The words of that.
function Rotating:starting(...)
  local words = { "rotate", "start", "1", "--project", self.scene.service.projects[1].id, "--store",
    "file:" .. self.scene:path "key", "--settle", "2s" }
  for _, word in ipairs { ... } do
    words[#words + 1] = word
  end
  return words
end

local function age(value, seconds)
  for name, member in pairs(value) do
    if type(member) == "table" then
      age(member, seconds)
    elseif name == "here" or name == "service" or name == "at" then
      value[name] = member - seconds
    end
  end
end

---Makes the only rotation older: as the command's own clock is the machine's.
function Rotating:age(seconds)
  self.scene:edit(function(record) age(record, seconds) end)
end

---Puts the command into the scene's folder, for `paste`: it has the scene's clock.
function Rotating:set_clock()
  local path = self.scene:path "clock.lua"
  self.scene:write("clock.lua", ([[
    local time = os.time
    os.time = function(of) return of and time(of) or time() + %.0f end
  ]]):format(math.floor(self.scene.ahead)))
  shell.prepare(self.scene.folder, ("-e 'dofile \"%s\"'"):format(path))
end

---Runs a line in a shell that finds the command in the scene's folder: what `command.run` gives.
---@param line string
---@return table result
function Rotating:paste(line)
  local result = command.run(self.scene.service, {}, { shell = line, variables = {
    PATH = self.scene.folder .. ":" .. os.getenv "PATH", LD_PRELOAD = false } })
  self.scene:assert_no_secret(result.output .. result.errors)
  assert.is_nil(result.errors:find("traceback", 1, true), result.errors)
  return result
end

---The service and the scene's folder as they are now, to go back to.
function Rotating:keep()
  local folder = self.scene.folder
  assert(os.execute(("rm -rf '%s.copy' && cp -a '%s' '%s.copy'"):format(folder, folder, folder)))
  return { folder = folder, service = assert(self.scene.service:snapshot()) }
end

---Goes back to that: faults are gone.
function Rotating:go_back(kept)
  assert(self.scene.service:restore(kept.service))
  assert(os.execute(("rm -rf '%s' && cp -a '%s.copy' '%s'"):format(kept.folder, kept.folder, kept.folder)))
end

---Removes what was kept.
function Rotating:forget(kept) -- luacheck: ignore self
  os.execute(("rm -rf '%s.copy'"):format(kept.folder))
end

---Registers a scene for each spec of the file with busted.
function rotating.register()
  return setmetatable({ scene = scene.register { projects = { "web" } } }, { __index = Rotating })
end

return rotating
