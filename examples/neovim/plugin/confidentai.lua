-- SPDX-License-Identifier: Apache-2.0
-- The command. What it needs is loaded when it is first used.
-- luacheck: globals vim

if vim.g.loaded_confidentai then
  return
end
vim.g.loaded_confidentai = true

vim.api.nvim_create_user_command("ConfidentKeys", function(command)
  require("confidentai_nvim").open(command.args ~= "" and command.args or nil)
end, { nargs = "?", desc = "List API keys: the organization's, or those of the project with this id" })
