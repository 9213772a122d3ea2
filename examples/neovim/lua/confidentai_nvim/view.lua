-- SPDX-License-Identifier: Apache-2.0
-- The buffer: one line for each key, with masked values. All calls are tasks in the background (confidentai.async), so
-- that the editor never waits; between two waits of a task the buffer may be gone.
-- luacheck: globals vim

local confidentai = require "confidentai"
local plugin = require "confidentai_nvim"
local registers = require "confidentai_nvim.registers"

local view = {}

---@class confidentai_nvim.View
---@field buffer integer
---@field api_keys confidentai.ApiKeys
---@field keys confidentai.ApiKey[] of the lines below the headings
---@field created? confidentai.ApiKey the one that was made here last: only it has its secret
---@field asked integer how often the list was asked for; an older answer is not shown
local View = {}
View.__index = View

local HEADINGS = { "ID", "NAME", "STATE", "VALUE", "CREATED", "LAST USED" }

-- Names are anybody's text, and a line of a buffer holds no line breaks.
local function cell(value)
  return plugin.clean(value or "never")
end

-- A time of the service, to the minute, so that a line fits.
local function moment(time)
  local date, minute = tostring(time):match "^(%d+%-%d+%-%d+)T(%d+:%d+).*Z$"
  return date and ("%s %sZ"):format(date, minute) or cell(time)
end

local function row(key)
  return { cell(key.id), cell(key.name), key.valid and "enabled" or "disabled", cell(key.value),
    moment(key.created_at), moment(key.last_used) }
end

-- Lines of cells in columns, as wide as they show.
local function align(rows)
  local widths, lines = {}, {}
  for _, cells in ipairs(rows) do
    for column, text in ipairs(cells) do
      widths[column] = math.max(widths[column] or 0, vim.fn.strdisplaywidth(text))
    end
  end
  for i, cells in ipairs(rows) do
    local padded = {}
    for column, text in ipairs(cells) do
      padded[column] = text .. (" "):rep(widths[column] - vim.fn.strdisplaywidth(text))
    end
    lines[i] = table.concat(padded, "  "):gsub("%s+$", "")
  end
  return lines
end

function View:is_open()
  return vim.api.nvim_buf_is_valid(self.buffer)
end

function View:show(lines)
  vim.bo[self.buffer].modifiable = true
  vim.api.nvim_buf_set_lines(self.buffer, 0, -1, false, lines)
  vim.bo[self.buffer].modifiable = false
end

function View:show_keys(keys)
  local rows = { HEADINGS }
  for i, key in ipairs(keys) do
    rows[i + 1] = row(key)
  end
  self.keys = keys
  self:show(#keys > 0 and align(rows) or { "There are no keys. c creates one." })
end

-- Runs a task; what it returns as nil, err and what it raises is shown.
local function run(task)
  confidentai.async(task, function(ok, result, err)
    if not ok or (result == nil and err) then
      plugin.show_error(ok and err or result)
    end
  end)
end

---Asks for the list.
function View:refresh()
  self.asked = self.asked + 1
  local asked = self.asked
  if #self.keys == 0 then
    self:show { "loading..." }
  end
  run(function()
    local keys, err = self.api_keys:list()
    if self:is_open() and asked == self.asked then
      if keys then
        self:show_keys(keys)
      elseif #self.keys == 0 then
        self:show { "The keys could not be listed. r tries again." }
      end
    end
    return keys, err
  end)
end

-- The key of the cursor's line.
function View:key_here()
  local key = self.keys[vim.api.nvim_win_get_cursor(0)[1] - 1]
  if not key then
    plugin.show_error "there is no key in this line"
  end
  return key
end

-- Changes a key, then lists anew, also after an error: the change may have happened all the same.
function View:change(key, method)
  run(function()
    local changed, err = self.api_keys[method](self.api_keys, key)
    if self:is_open() then
      self:refresh()
    end
    return changed, err
  end)
end

function View:enable()
  local key = self:key_here()
  if key then
    self:change(key, "enable")
  end
end

function View:disable()
  local key = self:key_here()
  if not key then
    return
  end
  local question = ("Disable the key %s? The service then refuses every request with it. [y/N] "):format(cell(key.name))
  vim.ui.input({ prompt = question }, function(answer)
    if answer and answer:lower() == "y" then
      self:change(key, "disable")
    end
  end)
end

-- The newest secret takes the place of the one before, which is wiped.
function View:remember(key)
  if self.created then
    self.created:forget()
  end
  self.created = key
end

-- Puts the secret into a register, which nobody but the user chooses.
function View:yank(register)
  if not self.created then
    plugin.show_error "there is no secret here: the service shows one only once, to whoever creates the key"
  elseif registers.keep(register, self.created) then
    plugin.say(("The secret of %s is in register %s."):format(cell(self.created.name), register))
  else
    plugin.show_error 'name the register that the secret shall go to, such as "xy or "+y'
  end
end

---Creates a key, whose secret goes to the register of `"xc`, if one was named.
function View:create()
  local register = vim.v.register
  vim.ui.input({ prompt = "Name of the new key: " }, function(name)
    if not name or name == "" then
      return
    end
    run(function()
      local key, err = self.api_keys:create(name)
      if not self:is_open() then
        plugin.show_error(("the list was closed, and with it the secret of the new key %s"):format(cell(name)))
        return key, err
      end
      if key then
        self:remember(key)
        if registers.can_keep(register) then
          self:yank(register)
        else
          plugin.say(('%s is created. "xy puts its secret into register x, until this list is closed.'):format(
            cell(name)))
        end
      end
      self:refresh()
      return key, err
    end)
  end)
end

-- The key of a name, of those that are enabled: several keys may have a name, and rotations leave disabled ones.
function View:key_named(name)
  local found
  for _, key in ipairs(self.keys) do
    if key.name == name and key.valid then
      if found then
        return nil, ("several enabled keys are named %s"):format(name)
      end
      found = key
    end
  end
  return found, ("no enabled key in this list is named %s"):format(name)
end

-- What may follow on the command line: the name of a key of this list, then a file.
function View:complete(lead, line)
  if line:match "^%s*%S+%s+[^%s\\]*$" or line:match "^%s*%S+%s+%S*\\%s[^%s]*$" then
    local names, typed = {}, lead:gsub("\\(.)", "%1")
    for _, key in ipairs(self.keys) do
      if key.valid and key.name and key.name:sub(1, #typed) == typed then
        names[#names + 1] = key.name:gsub("[ \\]", "\\%0")
      end
    end
    table.sort(names)
    return names
  end
  return vim.fn.getcompletion(lead, "file")
end

-- A function for what changes keys: it lists anew, if the list is still there.
function View:refresher()
  return function()
    if self:is_open() then
      self:refresh()
    end
  end
end

---Of this buffer: :ConfidentRotate NAME FILE; without them, what is under way.
function View:rotate(command)
  local name, path = command.fargs[1], command.fargs[2]
  if not name then
    require("confidentai_nvim.rotate").resume(self:refresher())
    return
  end
  local key, problem = self:key_named(name)
  if not path or command.fargs[3] then
    plugin.show_error "say which key, and the file that has its secret: ConfidentRotate NAME FILE"
  elseif not key then
    plugin.show_error(problem)
  else
    require("confidentai_nvim.rotate").run(self.api_keys, key, path, command.bang, self:refresher())
  end
end

---Of this buffer: :ConfidentCreate NAME FILE.
function View:create_in_file(command)
  local name, path = command.fargs[1], command.fargs[2]
  if not path or command.fargs[3] then
    plugin.show_error "say the new key's name, and the file for its secret: ConfidentCreate NAME FILE"
  else
    require("confidentai_nvim.rotate").create(self.api_keys, name, path, command.bang, self:refresher())
  end
end

function View:set_commands()
  local function add(name, action, complete, description)
    vim.api.nvim_buf_create_user_command(self.buffer, name, action,
      { nargs = "*", bang = true, complete = complete, desc = description })
  end
  add("ConfidentRotate", function(command) self:rotate(command) end,
    function(lead, line) return self:complete(lead, line) end,
    "Rotate the key of this name, whose secret is in a file")
  add("ConfidentCreate", function(command) self:create_in_file(command) end,
    function(lead) return vim.fn.getcompletion(lead, "file") end,
    "Create a key, whose secret goes into a file and nowhere else")
end

function View:set_mappings()
  local function map(key, description, action)
    vim.keymap.set("n", key, action, { buffer = self.buffer, nowait = true, silent = true, desc = description })
  end
  map("e", "Enable the key", function() self:enable() end)
  map("d", "Disable the key", function() self:disable() end)
  map("c", "Create a key", function() self:create() end)
  map("y", "Put the new key's secret into the register named", function() self:yank(vim.v.register) end)
  map("p", "Open the keys of a project", function() plugin.choose_project() end)
  map("r", "List anew", function() self:refresh() end)
  map("q", "Close", function() vim.api.nvim_buf_delete(self.buffer, { force = true }) end)
end

---Opens a list in a window of its own.
---@param name string
---@param api_keys confidentai.ApiKeys
function view.open(name, api_keys)
  vim.cmd("botright new")
  local buffer = vim.api.nvim_get_current_buf()
  local self = setmetatable({ buffer = buffer, api_keys = api_keys, keys = {}, asked = 0 }, View)
  local settings = { buftype = "nofile", bufhidden = "wipe", swapfile = false, undofile = false, undolevels = -1,
    filetype = "confidentkeys" }
  for option, value in pairs(settings) do
    vim.bo[buffer][option] = value
  end
  vim.api.nvim_set_option_value("wrap", false, { scope = "local" }) -- vim.wo would set it for later windows, too
  pcall(vim.api.nvim_buf_set_name, buffer, "confidentai://" .. name) -- taken, if the list is open already
  vim.api.nvim_create_autocmd("BufWipeout", { buffer = buffer, callback = function() self:remember(nil) end })
  self:set_mappings()
  self:set_commands()
  self:refresh()
end

return view
