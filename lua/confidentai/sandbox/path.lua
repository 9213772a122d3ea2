-- SPDX-License-Identifier: Apache-2.0
-- Request paths, read as many servers read them: dot segments are resolved, also when written as %2e, and
-- only then is each segment decoded. A client that puts an id into the path unescaped is meant to be caught
-- by this.

local path = {}

local function is_dots(segment)
  return (segment:gsub("%%2[eE]", "."))
end

local function decode(segment)
  if segment:gsub("%%%x%x", ""):find("%", 1, true) then return nil end
  return (segment:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

---Splits a request target into decoded segments without dot segments.
---@param target string as received; a query, and the origin of an absolute target, are dropped
---@return table? segments nil when the target is malformed
---@return string? message
function path.split(target)
  local plain = target:gsub("[?#].*$", ""):gsub("^%a[%w+.-]*://[^/]*", "")
  if plain:sub(1, 1) ~= "/" then return nil, "malformed path" end
  local segments = {}
  for raw in (plain:sub(2) .. "/"):gmatch("([^/]*)/") do
    local dots = is_dots(raw)
    if dots == ".." then
      segments[#segments] = nil
    elseif dots ~= "." then
      segments[#segments + 1] = raw
    end
  end
  if segments[#segments] == "" then segments[#segments] = nil end -- a trailing slash changes nothing
  for index, raw in ipairs(segments) do
    local decoded = decode(raw)
    if not decoded then return nil, "malformed percent-encoding in the path" end
    segments[index] = decoded
  end
  return segments
end

---Takes the segments of a base path away from the front.
---@param segments table as `split` gives them
---@param base table the base path's segments
---@return table? rest nil when the path is not below the base path
function path.below(segments, base)
  for index, segment in ipairs(base) do
    if segments[index] ~= segment then return nil end
  end
  local rest = {}
  for index = #base + 1, #segments do rest[#rest + 1] = segments[index] end
  return rest
end

---The path that segments stand for.
---@param segments table
---@return string path decoded, beginning with a slash
function path.join(segments)
  return "/" .. table.concat(segments, "/")
end

return path
