-- SPDX-License-Identifier: Apache-2.0
-- Rotates a key of the list in the background, and says how far it is. What happens in a rotation is on record in the
-- state folder, so that the editor may be left at any time: the same command, or `confidentai rotate advance`, goes on.
-- luacheck: globals vim

local confidentai = require "confidentai"
local plugin = require "confidentai_nvim"

local rotate = {}

-- A window with what the rotation says: what is done, what comes next and when, and how to get out.
local function show(text)
  vim.cmd("botright new")
  vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(text, "\n"))
  for option, value in pairs { buftype = "nofile", bufhidden = "wipe", swapfile = false, modifiable = false } do
    vim.bo[option] = value
  end
end

---Rotates a key whose secret is in a file, and puts the new one there.
---@param api_keys confidentai.ApiKeys
---@param key confidentai.ApiKey
---@param path string of the file
---@param on_end fun() called at the end, a good one or not
function rotate.run(api_keys, key, path, on_end)
  local state
  confidentai.async(function()
    local rotation, err = api_keys:rotate(key, {
      store = confidentai.store.file { path = vim.fn.fnamemodify(path, ":p") },
      on_step = function(step)
        if step.state ~= state then
          state = step.state
          vim.notify(("%s is %s"):format(step.base, state))
        end
      end,
    })
    return rotation, err
  end, function(ok, rotation, err)
    if ok and rotation then
      show(rotation:status().text)
    else
      plugin.show_error(ok and err or rotation)
    end
    on_end()
  end)
end

return rotate
