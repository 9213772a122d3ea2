-- SPDX-License-Identifier: Apache-2.0
-- Secrets in registers. Neovim writes most registers to the shada file when it ends, and reads them again at its next
-- start; what we put there is taken out before.
-- luacheck: globals vim

local registers = {}

local kept = {} -- by register: the digest of the secret that we put there

---Whether a register was named that can keep a secret for a while: not the unnamed one, which is what v:register says
---when the user named none and which every deletion changes; nor one that is numbered, read-only or a black hole.
function registers.can_keep(name)
  return name:find("^[%a+*]$") ~= nil
end

---Puts a key's secret into a register. Whether it could.
---@param name string
---@param key confidentai.ApiKey
function registers.keep(name, key)
  if not registers.can_keep(name) then
    return false
  end
  vim.fn.setreg(name:lower(), key.value, "v") -- a capital would append
  kept[name:lower()] = vim.fn.sha256(key.value)
  return true
end

---Empties the registers that still hold what we put there, under whatever name: "0 and the unnamed one may, too.
function registers.clear()
  local digests = {}
  for _, digest in pairs(kept) do
    digests[digest] = true
  end
  for name in ('0123456789abcdefghijklmnopqrstuvwxyz-'):gmatch(".") do
    if next(digests) and digests[vim.fn.sha256(vim.fn.getreg(name))] then
      vim.fn.setreg(name, {})
    end
  end
  kept = {}
end

-- Before Neovim writes the file.
vim.api.nvim_create_autocmd("VimLeavePre", {
  group = vim.api.nvim_create_augroup("confidentai_registers", {}),
  callback = registers.clear,
})

return registers
