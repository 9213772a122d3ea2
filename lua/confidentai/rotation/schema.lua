-- SPDX-License-Identifier: Apache-2.0
-- What a record must hold before anything acts on it. The checksum shows that the bytes are those that were written;
-- the schema shows that this version understands them. A newer version may have written them, or a person.

local schema = {}

local STATES = { "planned", "creating", "escrowed", "proven", "published", "soaking", "disabled", "grace", "done" }
local STOPS = { "aborted", "ambiguous", "name_altered", "stalled", "conflict", "needs_store", "superseded",
  "abandoned" }

-- Each field has a type, or a table: { one of these texts }, { fields = ... }, { list = shape }. A type that ends in a
-- question mark may be absent. Fields that are not named are left alone.
local MARK = { fields = { here = "number", service = "number?" } }
local IDENTITY = { fields = { id = "string", name = "string?", created_at = "string?", last6 = "string" } }
local ATTEMPT = { fields = { op = "string", name = "string", number = "number", sent = "boolean?", final = "string?",
  unclear = { optional = MARK }, from = MARK, to = { optional = MARK },
  earlier = { optional = { list = { fields = { op = "string", name = "string", from = MARK } } } } } }
local LEFT = { fields = { id = "string", name = "string?", created_at = "string?", last6 = "string", ours = "boolean?",
  claimed = "string?", watch = "number?", published = { optional = MARK }, disabled = { optional = MARK },
  own_use = { optional = MARK },
  attempt = { fields = { from = { optional = MARK }, to = { optional = MARK } } } } }
local SUSPECT = { fields = { name = "string", op = "string", since = MARK, from = MARK } }
-- How far a rollback is.
local BACK = { fields = { from = "string?", disabling = { optional = MARK }, disabled = { optional = MARK },
  deleting = { optional = MARK } } }

local SEEN = { fields = { at = "number", valid = "boolean?", gone = "boolean?", last_used = "string?",
  stale = "boolean?" } }

local RECORD = { fields = {
  id = "string", kind = { one = { "rotation", "provision" } }, base = "string", base_url = "string",
  organization = "string", scope = { one = { "organization", "project" } }, project_id = "string?",
  state = { one = STATES }, stop = { optional = { one = STOPS } }, reason = "string?", cause = "string?",
  about = "string?",
  generation = "number", old_id = "string?", finished = "boolean?", settled = "boolean?", evidence = "string?",
  options = { fields = { soak = "number?", soak_max = "number?", grace = "number?", settle = "number",
    adoption = "string?", on_published = { optional = { list = "string" } } } },
  stores = { list = { fields = { label = "string", spec = "table?", host = "string?",
    tried = "boolean?" } } },
  history = { list = { fields = { what = "string", at = "number", state = "string?" } } },
  quarantine = { list = LEFT }, suspects = { list = SUSPECT },
  snapshot = { optional = { list = "string" } }, past = { optional = { list = "string" } },
  attempt = { optional = ATTEMPT }, old = { optional = IDENTITY }, new = { optional = IDENTITY },
  escrowed = { optional = MARK }, published = { optional = MARK }, disabling = { optional = MARK },
  disabled = { optional = MARK }, restored = { optional = MARK }, back = { optional = BACK },
  deleting = { optional = MARK }, rollback = { optional = MARK },
  our_use = { optional = MARK },
  writing = { optional = { fields = { old = { optional = MARK }, new = { optional = MARK } } } },
  seen = { optional = { fields = { old = { optional = SEEN }, new = { optional = SEEN } } } },
  looked = { optional = { fields = { here = "number" } } },
  notice = { optional = { fields = { tries = "number", problem = "string?" } } },
  trouble = { optional = { fields = { at = "number", message = "string", count = "number" } } },
} }

-- What must be there from a state on.
local FROM = { escrowed = { "attempt", "new", "escrowed" }, soaking = { "published", "our_use" } }

-- The largest number: the last second of the year 9999. All are seconds, or count something.
local MOST = 253402300799

local function is_of(kind, value)
  return type(value) == kind and (kind ~= "number" or value >= 0 and value <= MOST)
end

local problem_with

local function problem_with_text(value, list, path)
  for _, text in ipairs(list) do
    if value == text then
      return nil
    end
  end
  if type(value) ~= "string" then
    return ("its field '%s' is missing or damaged"):format(path)
  end
  return ("its field '%s' is '%s', which this version does not know: a newer one may have written it"):format(path,
    value), true
end

local function problem_with_list(value, shape, path)
  for key, element in pairs(value) do
    if type(key) ~= "number" then
      return ("its field '%s' is not a list"):format(path)
    end
    local problem, newer = problem_with(element, shape, path .. "." .. key)
    if problem then
      return problem, newer
    end
  end
end

local function problem_with_fields(value, fields, path)
  for name, shape in pairs(fields) do
    local problem, newer = problem_with(value[name], shape, path == "" and name or path .. "." .. name)
    if problem then
      return problem, newer
    end
  end
end

-- The first problem with a value, and true where a newer version is the likely cause.
function problem_with(value, shape, path)
  if type(shape) == "string" then
    local kind, optional = shape:match "^(%l+)(%??)$"
    if not is_of(kind, value) and not (value == nil and optional == "?") then
      return ("its field '%s' is missing or damaged"):format(path)
    end
    return nil
  elseif shape.optional and value == nil then
    return nil
  end
  local of = shape.optional or shape
  local problem, newer
  if of.one then
    problem, newer = problem_with_text(value, of.one, path)
  elseif type(value) ~= "table" then
    problem = ("its field '%s' is missing or damaged"):format(path)
  elseif of.list then
    problem, newer = problem_with_list(value, of.list, path)
  else
    problem, newer = problem_with_fields(value, of.fields, path)
  end
  return problem, newer
end

-- What a record of its kind and state must have.
local function missing(content)
  if content.scope == "project" and not content.project_id then
    return "project_id"
  elseif content.kind == "rotation" then
    for _, name in ipairs { "soak", "soak_max", "grace", "adoption" } do
      if content.options[name] == nil then
        return "options." .. name
      end
    end
    if not content.old_id then
      return "old_id"
    end
  end
  for _, state in ipairs(content.rollback and {} or STATES) do -- a rotation backwards may have published to no end
    for _, name in ipairs(FROM[state] or {}) do
      if not content[name] then
        return name
      end
    end
    if state == content.state then
      break
    end
  end
  local keeps = content.state == "grace" or content.state == "done"
  return keeps and content.kind == "rotation" and content.old and not content.rollback
    and not content.disabled and "disabled" or nil
end

---Returns what is wrong with a record; nil: nothing.
---@param content table as it was decoded
---@return string? problem for people
---@return boolean? newer a newer version of the program is the likely cause
function schema.problem(content)
  local problem, newer = problem_with(content, RECORD, "")
  if problem then
    return problem, newer
  end
  local name = missing(content)
  return name and ("its field '%s' is missing"):format(name) or nil
end

return schema
