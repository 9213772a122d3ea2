-- SPDX-License-Identifier: Apache-2.0
-- Whether something is mounted at a path. Containers mount single files so; such a file cannot be replaced by a rename.

local mount = {}

local function unescape(text)
  return (text:gsub("\\([0-3][0-7][0-7])", function(digits) return string.char(tonumber(digits, 8)) end))
end

---Whether a table of mounts has a path. Lines as of /proc/self/mountinfo, whose fifth field is the mount point:
---https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
---@param mountinfo string
---@param path string absolute, without symbolic links
---@return boolean
function mount.is_in(mountinfo, path)
  for line in mountinfo:gmatch "[^\n]+" do
    local point = line:match "^%S+ %S+ %S+ %S+ (%S+)"
    if point and unescape(point) == path then
      return true
    end
  end
  return false
end

---Whether something is mounted at a path of this machine; false where there is no table of mounts.
---@param path string absolute, without symbolic links
---@return boolean
function mount.is_point(path)
  local file = io.open("/proc/self/mountinfo", "rb")
  if not file then
    return false
  end
  local text = file:read "*a"
  file:close()
  return text ~= nil and mount.is_in(text, path)
end

return mount
