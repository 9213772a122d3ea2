-- SPDX-License-Identifier: Apache-2.0
-- The oracle's judgement of an end: which keys are there, what the records say of them, what the stores hold, and what
-- lies about on the disk.

local changes = require "spec.rotation.changes"
local cjson = require "cjson"
local secrets = require "spec.rotation.secrets"

local endings = {}

-- Stops after which nothing is under way any more, and everything is as it was.
local UNDONE = { aborted = true, ambiguous = true, name_altered = true }

---The records of the watched base in a view, read without the machine.
---@param self table the oracle
---@param view table
---@return table[] records
---@return string[] damaged paths of those that cannot be read
function endings.records(self, view)
  local list, damaged = {}, {}
  for path, entry in pairs(view.files) do
    if path:find("/records,[^/]*$") then
      local text = entry.content:match "\nconfidentai record [^\n]*\n(.*)\n$"
      local ok, record = pcall(cjson.decode, text or "")
      if not ok then
        damaged[#damaged + 1] = path
      elseif record.base == self.what.base and record.scope == self.what.scope then
        list[#list + 1] = record
      end
    end
  end
  return list, damaged
end

-- What records say of keys: by id, or, where the id is not known, by name.
local function named(records)
  local ids, names = {}, {}
  for _, record in ipairs(records) do
    for _, key in ipairs(record.quarantine) do
      ids[key.id] = "in quarantine"
    end
    for _, suspect in ipairs(record.suspects) do
      names[suspect.name] = "a suspect"
    end
    if not record.finished then
      ids[record.new and record.new.id or ""] = "the new key"
      names[record.attempt and record.attempt.name or ""] = "being created"
    end
  end
  return ids, names
end

-- Promise 2: each key that a rotation made is in a store, gone, or named.
local function judge_orphans(self, view, records, name, complain)
  local ids, names = named(records)
  local held, seen = {}, {}
  for _, path in ipairs(self.what.stores) do
    local key = self:holder(view, path)
    held[key and name(key) or ""] = true
  end
  for _, key in ipairs(view.keys) do
    local made = key.scope == self.what.scope and key.project_id == self.what.project_id
      and not self.initial[name(key)] and changes.is_made(key.name, self.what.base)
    if made and seen[key.name] then
      complain(("the name %s was created twice"):format(key.name))
    end
    seen[key.name or ""] = made
    if made and not key.gone and not held[name(key)] and not ids[key.id] and not names[key.name] then
      complain(("key %s, %s, is an orphan"):format(name(key), key.name))
    end
  end
end

local function find(view, wanted, name)
  for _, key in ipairs(view.keys) do
    if name(key) == wanted then
      return key
    end
  end
end

-- Whether everything is as it was at the start.
local function judge_undone(self, view, name, complain)
  local old, before = self.old and find(view, self.old, name), self.initial[self.old or ""]
  if old and (old.gone ~= before.gone or old.valid ~= before.valid) then
    complain "the old key is not what it was"
  end
  for _, path in ipairs(self.what.stores) do
    local key, held = self:holder(view, path), self.held[path]
    if (key and name(key)) ~= (held and name(held)) then
      complain(("%s does not hold what it held"):format(path))
    end
  end
end

-- Whether the rotation is complete.
local function judge_done(self, view, records, name, complain)
  local old = self.old and find(view, self.old, name)
  if old and not old.gone then
    complain(("the old key is there still, and %s"):format(old.valid and "works" or "is disabled"))
  end
  if not records[1] or not records[1].finished then
    complain "no record says that the rotation has ended"
  end
  local held
  for _, path in ipairs(self.what.stores) do
    local key = self:holder(view, path)
    held = held or key
    if not key or not key.valid or name(key) == self.old then
      complain(("%s does not hold a new key that works"):format(path))
    elseif key ~= held then
      complain "the stores hold different keys"
    end
  end
end

-- Promise 4: after the end no file but the stores has a secret, and nothing of an escrow is left.
local function judge_rest(self, view, complain)
  local is_store = {}
  for _, path in ipairs(self.what.stores) do
    is_store[path] = true
  end
  for path, entry in pairs(view.files) do
    local name = path:match "[^/]*$"
    if not is_store[path] and entry.content and secrets.find(entry.content, view.keys) then
      complain(("%s has a secret after the end"):format(path))
    elseif name:find "^escrows," or name:find "^%.spare%-escrows," then
      complain(("%s is there after the end"):format(path))
    end
  end
end

---Judges the end of a run.
---@param self table the oracle
---@param view table
---@param ended? string state or stop; nil: as the record says
---@param name fun(key: table): string
---@return string[] complaints
function endings.judge(self, view, ended, name)
  local found = {}
  local function complain(text)
    found[#found + 1] = "at the end: " .. text
  end
  local records, damaged = endings.records(self, view)
  for _, path in ipairs(damaged) do
    complain(path .. " is damaged")
  end
  local record = records[1] or {}
  ended = ended or record.stop or record.state
  judge_orphans(self, view, records, name, complain)
  if UNDONE[ended] then
    judge_undone(self, view, name, complain)
  elseif ended == "done" then
    judge_done(self, view, records, name, complain)
  end
  if record.finished or not records[1] then
    judge_rest(self, view, complain)
  end
  return found
end

return endings
