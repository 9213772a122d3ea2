-- SPDX-License-Identifier: Apache-2.0
-- Keys whose secrets go into files: made, and rotated, in the background. What happens is on record in the state
-- folder, so that the editor may be left at any time: the same command, or `confidentai rotate advance`, goes on.
-- luacheck: globals vim

local confidentai = require "confidentai"
local plugin = require "confidentai_nvim"

local rotate = {}

-- What the library calls an option is a ! here.
local function show_problem(problem, command)
  plugin.show_error((tostring(problem):gsub("replace_store = true overwrites", (":%s! overwrites"):format(command))))
end

-- Options of rotate and provision: where the secret goes, and that each state is said when it begins.
local function into(path, replace)
  local state
  return {
    store = confidentai.store.file { path = vim.fn.fnamemodify(path, ":p") },
    replace_store = replace,
    on_step = function(step)
      if step.state ~= state then
        state = step.state
        plugin.say(("%s is %s"):format(step.base, state))
      end
    end,
  }
end

-- What the keys of a rotation's window do: the methods of Rotation, and what has to be answered before.
local ACTIONS = {
  a = { "advance" },
  c = { "confirm", "advance", question = "Does all that uses %s have the new key? The old one is disabled. [y/N] " },
  b = { "rollback", question = "Give %s its old key back, and remove the new one? [y/N] " },
}

local HELP = "Here: a advances it, c confirms, b rolls back, q closes this window."

local function show(buffer, rotation)
  if vim.api.nvim_buf_is_valid(buffer) then
    vim.bo[buffer].modifiable = true
    vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(
      plugin.clean(rotation:status().text, true) .. "\n\n" .. HELP, "\n"))
    vim.bo[buffer].modifiable = false
  end
end

local function act(rotation, methods)
  for _, method in ipairs(methods) do
    local done, err = rotation[method](rotation)
    if done == nil then
      return nil, err
    end
  end
  return true
end

local function start(buffer, rotation, action, on_change)
  confidentai.async(function()
    local done, err = act(rotation, action)
    return done, err
  end, function(ok, done, err)
    if ok and done then
      plugin.say(("%s is %s"):format(rotation.base, rotation.state))
    else
      plugin.show_error(ok and err or done)
    end
    show(buffer, rotation)
    on_change()
  end)
end

-- A window with what the rotation says: what is done, what comes next and when; and with keys to go on, or back.
local function open(rotation, on_change)
  vim.cmd("botright new")
  local buffer = vim.api.nvim_get_current_buf()
  for option, value in pairs { buftype = "nofile", bufhidden = "wipe", swapfile = false } do
    vim.bo[buffer][option] = value
  end
  for key, action in pairs(ACTIONS) do
    vim.keymap.set("n", key, function()
      if not action.question then
        return start(buffer, rotation, action, on_change)
      end
      vim.ui.input({ prompt = action.question:format(plugin.clean(rotation.base)) }, function(answer)
        if answer and answer:lower() == "y" then
          start(buffer, rotation, action, on_change)
        end
      end)
    end, { buffer = buffer, nowait = true, silent = true })
  end
  vim.keymap.set("n", "q", "<Cmd>close<CR>", { buffer = buffer, nowait = true, silent = true })
  show(buffer, rotation)
  vim.cmd("resize " .. vim.api.nvim_buf_line_count(buffer)) -- all of it, and the keys, as far as there is room
end

---Rotates a key whose secret is in a file, and puts the new one there.
---@param api_keys confidentai.ApiKeys
---@param key confidentai.ApiKey
---@param path string of the file
---@param replace boolean whether the file may hold something else
---@param on_change fun() called at the end, a good one or not, and after what is done in the window
function rotate.run(api_keys, key, path, replace, on_change)
  plugin.say(("rotating %s..."):format(key.name))
  confidentai.async(function()
    local rotation, err = api_keys:rotate(key, into(path, replace))
    return rotation, err
  end, function(ok, rotation, err)
    if ok and rotation then
      open(rotation, on_change)
    else
      show_problem(ok and err or rotation, "ConfidentRotate")
    end
    on_change()
  end)
end

-- One of several; where there is one, that.
local function choose(rotations, on_choice)
  if #rotations == 1 then
    on_choice(rotations[1])
    return
  end
  vim.ui.select(rotations, {
    prompt = "Which rotation?",
    format_item = function(rotation) return plugin.clean(rotation:status().facts[1]) end,
  }, on_choice)
end

---Opens the window of a rotation of this organization that is under way, whoever began it; if there are several, of the
---one that the user chooses.
---@param on_change fun() called after what is done in the window
function rotate.resume(on_change)
  confidentai.async(function()
    local rotations, err = confidentai.rotation.open(confidentai.check(plugin.client()))
    return rotations, err
  end, function(ok, rotations, err)
    if not ok or not rotations then
      plugin.show_error(ok and err or rotations)
    elseif #rotations == 0 then
      plugin.say "No rotation is under way."
    else
      choose(rotations, function(rotation)
        if rotation then
          open(rotation, on_change)
        end
      end)
    end
  end)
end

---Makes a key exactly once, and puts its secret into a file and nowhere else.
---@param api_keys confidentai.ApiKeys
---@param name string
---@param path string of the file
---@param replace boolean whether the file may hold something already
---@param on_change fun() called at the end, a good one or not
function rotate.create(api_keys, name, path, replace, on_change)
  plugin.say(("creating %s..."):format(name))
  confidentai.async(function()
    local key, err = api_keys:provision(name, into(path, replace))
    return key, err
  end, function(ok, key, err)
    if ok and key then
      plugin.say(("%s is created; its secret is in %s"):format(key.name, path))
    else
      show_problem(ok and err or key, "ConfidentCreate")
    end
    on_change()
  end)
end

return rotate
