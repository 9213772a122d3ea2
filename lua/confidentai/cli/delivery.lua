-- SPDX-License-Identifier: Apache-2.0
-- Where the secret of a new key goes (delivery_option.lua). It is decided, and tried as far as it can be, before
-- anything is created.

local core = require "confidentai.core"
local failure = require "confidentai.cli.failure"
local output = require "confidentai.cli.output"
local status = require "confidentai.cli.status"
local store_option = require "confidentai.cli.store_option"
local terminal = require "confidentai.cli.terminal"

local delivery = {}

---@class confidentai.Delivery
---@field kind "stores"|"file"|"descriptor"|"output"
---@field stores? confidentai.Store[] of kind "stores" and "file"
---@field path? string of kind "file"
---@field descriptor? integer

local function to_descriptor(number)
  if number % 1 ~= 0 or number < 3 or number >= 2 ^ 31 then
    failure.usage("--secret-fd must be 3 or higher",
      "such as --secret-fd 3 3>FILE; or use --print-secret")
  end
  local ok, problem = core.stream.is_writable(number)
  if not ok then
    failure.usage(("--secret-fd %.0f: %s"):format(number, problem), "open it for writing in the shell: 3>FILE")
  end
  return { kind = "descriptor", descriptor = number }
end

---Decides where the secret goes. Ends the command when that is nowhere, or at two places. Opens nothing, and has to
---come first: a descriptor of this program's own must not be taken for one that was given.
---@param arguments table parsed
---@return confidentai.Delivery
function delivery.choose(arguments)
  local stores, found = store_option.stores(arguments), {}
  found[#found + 1] = stores and { kind = "stores", stores = stores }
  found[#found + 1] = arguments.secret_file and { kind = "file", path = arguments.secret_file,
    stores = { store_option.parse("file:" .. arguments.secret_file) } }
  found[#found + 1] = arguments.secret_fd and to_descriptor(arguments.secret_fd)
  found[#found + 1] = arguments.print_secret and { kind = "output" }
  if #found > 1 then
    failure.usage("use only one of --store, --secret-file, --secret-fd and --print-secret",
      "--store may be given several times")
  elseif not found[1] and not terminal.width(1) then
    failure.raise { kind = "guard", outcome = "not_applied", exit = status.refused,
      message = "nothing was created: the secret is shown only once, and standard output is not a terminal",
      next = "say where it goes: --store, --secret-file PATH, --secret-fd N or --print-secret" }
  end
  return found[1] or { kind = "output" }
end

-- A file that an earlier run, which was killed, made and did not fill.
local function is_ours(path)
  local facts = core.file.facts(path)
  return facts and facts.kind == "file" and facts.own and facts.size == 0 and facts.mode == 384 -- 0600
end

---Makes the file, empty, so that nothing is created for which there is no place. Nothing is overwritten.
---@param choice confidentai.Delivery of kind "file"
function delivery.make_file(choice)
  local ok, message, _, name = core.file.create(choice.path, "")
  if ok or name == "EEXIST" and is_ours(choice.path) then
    return
  elseif name == "EEXIST" then
    failure.raise { kind = "guard", outcome = "not_applied", exit = status.refused,
      message = choice.path .. " exists already; nothing was created",
      next = "name another file; or overwrite it: --store file:PATH --replace-store" }
  end
  failure.raise { kind = "config", message = message .. "; nothing was created", outcome = "not_applied",
    next = "--secret-file must name a new file in a folder that exists and can be written to", exit = status.failed }
end

---Takes the file away again, if there is still nothing in it.
---@param choice confidentai.Delivery of kind "file"
function delivery.remove_file(choice)
  if is_ours(choice.path) then
    core.file.remove(choice.path)
  end
end

-- What is written beside the secret is for people, and stays out of its way: `$(...)` gets the secret alone.
local function write_table(session, columns, key, secret, arguments)
  if terminal.width(1) then
    output.record(columns, key, arguments)
    output.write "\n"
    session:say "The secret, shown only once:"
  else
    session:say("created " .. require("confidentai.cli.selection").describe(key))
  end
  output.write(secret .. "\n")
end

---Delivers the secret of a key, and writes the record. Ends the command when it cannot.
---@param choice confidentai.Delivery of kind "descriptor" or "output"
---@param session table
---@param columns confidentai.Column[]
---@param key confidentai.ApiKey
---@param arguments table parsed
function delivery.deliver(choice, session, columns, key, arguments)
  local secret = key.value
  if choice.kind == "descriptor" then
    local ok, problem = terminal.write(choice.descriptor, secret .. "\n")
    if not ok then
      failure.raise { kind = "output", exit = status.failed,
        message = ("cannot write to descriptor %.0f: %s"):format(choice.descriptor, problem) }
    end
    choice.delivered = true
    output.record(columns, key, arguments)
  elseif arguments.output == "table" then
    write_table(session, columns, key, secret, arguments)
  else
    columns[#columns + 1] = { name = "secret", value = function() return secret end }
    output.record(columns, key, arguments)
  end
end

return delivery
