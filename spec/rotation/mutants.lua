-- SPDX-License-Identifier: Apache-2.0
-- Machines that are broken on purpose. Each function breaks the machine of the process that calls it.

local mutants = {}

local function module_of(name)
  return require("confidentai.rotation." .. name)
end

-- Steps are functions, which advance.lua has in a table that nobody else sees: found by the debug library.
local function replace_step(name, step)
  local advance, seen = module_of "advance", {}
  local function look(f)
    for i = 1, 255 do
      local label, value = debug.getupvalue(f, i)
      if not label then
        return
      elseif label == "steps" and type(value) == "table" then
        value[name] = step(value[name])
      elseif type(value) == "function" and not seen[value] then
        seen[value] = true
        look(value)
      end
    end
  end
  look(advance.once)
end

local function nothing()
  return true
end

mutants["does nothing"] = function()
  module_of("advance").once = nothing
  module_of("advance").run = nothing
end

mutants["says that it is done"] = function()
  local function claim(job)
    job.record.state, job.record.finished = "done", true
    return true
  end
  module_of("advance").once, module_of("advance").run = claim, claim
end

mutants["always fails"] = function()
  local function fail(job)
    return job:failure("api", "broken on purpose")
  end
  module_of("advance").once, module_of("advance").run = fail, fail
end

mutants["disables the old key before publishing"] = function()
  replace_step("published", function(step)
    return function(job)
      module_of("calls").set_valid(job, job.record.old, false)
      return step(job)
    end
  end)
end

mutants["publishes after the old key is deleted"] = function()
  replace_step("published", function(step)
    return function(job)
      module_of("calls").set_valid(job, job.record.old, false)
      module_of("calls").delete(job, job.record.old)
      return step(job)
    end
  end)
end

mutants["keeps the old key for ever"] = function()
  module_of("calls").delete = function() return "deleted" end
end

mutants["never disables the old key"] = function()
  local set_valid = module_of("calls").set_valid
  module_of("calls").set_valid = function(job, identity, valid)
    if identity.id == job.record.old_id then
      return "already"
    end
    return set_valid(job, identity, valid)
  end
end

mutants["leaves keys in quarantine behind"] = function()
  module_of("quarantine").work = function(job)
    job.record.quarantine = {}
    return true
  end
end

mutants["disables keys in quarantine only"] = function()
  local calls = module_of "calls"
  module_of("quarantine").work = function(job)
    for _, identity in ipairs(job.record.quarantine) do
      calls.set_valid(job, identity, false)
    end
    job.record.quarantine = {}
    return true
  end
end

mutants["writes a secret into the record"] = function()
  local proof, record = module_of "proof", module_of "record"
  local secret, write, known = proof.secret, record.write, nil
  proof.secret = function(job)
    local value, err = secret(job)
    known = value or known
    return value, err
  end
  record.write = function(state, key, content, version)
    content.note = known
    local new, err = write(state, key, content, version)
    return new, err
  end
end

mutants["prints a secret"] = function()
  local proof = module_of "proof"
  local secret = proof.secret
  proof.secret = function(job)
    local value, err = secret(job)
    io.stderr:write("using ", tostring(value), "\n")
    return value, err
  end
end

-- Breaks each escrow when it is opened.
local function break_escrows(break_one)
  local escrow = module_of "escrow"
  local open = escrow.open
  escrow.open = function(state, ...)
    local opened, err = open(state, ...)
    if opened then
      break_one(opened, state)
    end
    return opened, err
  end
end

mutants["never wipes the escrow"] = function()
  break_escrows(function(opened)
    opened.wipe = nothing
  end)
end

mutants["keeps a copy of the escrow"] = function()
  break_escrows(function(opened, state)
    local keep = opened.keep_answer
    opened.keep_answer = function(self, op, answer)
      state.cas("copies/" .. op, answer)
      return keep(self, op, answer)
    end
  end)
end

mutants["forgets the answer"] = function()
  break_escrows(function(opened)
    opened.keep_answer = function(self, op, answer)
      self.content.op, self.content.answer = op, answer -- in memory only
      return true
    end
  end)
end

-- A request about a key, without the look at it that calls.lua takes.
local function blind(job, method, identity, body)
  local operation, path = require "confidentai.operation", require "confidentai.path"
  local ok, err = operation.perform(job.client, { method = method, path = path.of_keys(job.api_keys, identity.id),
    owner = job.api_keys, body = body, shape = body and "api_key" or "deleted",
    flags = { credential = job.credential } })
  return ok, err
end

local function change_blindly()
  local calls = module_of "calls"
  calls.set_valid = function(job, identity, valid)
    local ok, err = blind(job, "PUT", identity, { valid = valid })
    return ok and "changed", err
  end
  calls.delete = function(job, key)
    local ok, err = blind(job, "DELETE", calls.identity(job, key))
    return ok and true, err
  end
end

mutants["changes keys without a look"] = function()
  change_blindly()
  module_of("guard").check = function(_, identity)
    return true, setmetatable({ valid = false }, { __index = identity }) -- as if it had looked
  end
  module_of("calls").delete = function(job, identity)
    local ok, err = blind(job, "DELETE", identity)
    return ok and true, err
  end
end

mutants["lets a key disable itself"] = function()
  module_of("identity").become = nothing
  change_blindly()
end

mutants["removes a look-alike"] = function()
  replace_step("grace", function(step)
    return function(job)
      local calls = module_of "calls"
      for _, key in ipairs(calls.list(job)) do
        if key.name == job.record.base .. "~g1~aaaaaaaa" then
          calls.delete(job, key)
        end
      end
      return step(job)
    end
  end)
end

mutants["resumes nothing"] = function()
  require("confidentai.rotation.handle").advance = nothing
  local open = module_of "open"
  open.all = function() return {}, {}, "" end
end

mutants["creates again under the same name"] = function()
  replace_step("creating", function(step)
    return function(job)
      local attempt = job.record.attempt
      if attempt and not job.record.new and not attempt.unclear then
        job.sendable = attempt.op
      end
      return step(job)
    end
  end)
end

mutants["does not record the name before it is sent"] = function()
  local job = module_of "job"
  local new = job.new
  job.new = function(...)
    local made = new(...)
    local enter = made.enter
    made.enter = function(self, state, what, facts)
      if state == "creating" then
        self.record.state = state
        return true
      end
      return enter(self, state, what, facts)
    end
    return made
  end
end

mutants["does not look at the stores again"] = function()
  module_of("proof").work = function(job)
    job.proven_at = job.clock()
    job.record.our_use = job:mark()
    return "accepted"
  end
  module_of("proof").is_fresh = function() return true end
end

mutants["writes one of two stores"] = function()
  local stores = module_of "stores"
  local put = stores.put
  stores.put = function(job, store, content)
    if store == job.stores[2] then
      return true
    end
    return put(job, store, content)
  end
  stores.hold_new = function() return true end
end

mutants["leaves the new key when it goes back"] = function()
  module_of("quarantine").add = function() end
end

-- The guard without one of its points.
mutants["removes a key at once, without a look"] = function()
  local calls = module_of "calls"
  module_of("guard").remove = function(job, identity)
    blind(job, "DELETE", identity)
    return calls.ask(job, identity.id) == false and "gone" or nil
  end
end

mutants["takes every key for gone"] = function()
  module_of("guard").remove = function() return "gone" end
end

mutants["takes no key for its own"] = function()
  module_of("guard").is_ours = function() return false, "broken on purpose", "foreign" end
end

mutants["never deletes what it has disabled"] = function()
  module_of("guard").delete = function() return "deleted" end
end

-- As a rotation backwards would without its soak.
mutants["disables the new key at once when it goes back"] = function()
  module_of("rollback").LONGEST_SOAK = 0
end

mutants["never syncs a file"] = function()
  require("boundary").forget_syncs()
end

return mutants
