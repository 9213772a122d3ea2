-- SPDX-License-Identifier: Apache-2.0
-- For scripts/lint curl: what the C sources use of libcurl is in the oldest one that is supported, or under an #if that
-- asks for a version which has it, by libcurl's own manual pages (Debian's libcurl4-doc).
--   lua5.4 scripts/curl_symbols.lua FILE...

local OLDEST = 0x074200 -- as in CMakeLists.txt and src/core/libcurl.c
local PAGES = "/usr/share/man/man3/"

local function page(name)
  local pipe = assert(io.popen("zcat " .. PAGES .. name .. ".3.gz 2>/dev/null"))
  local text = pipe:read "a"
  pipe:close()
  return text
end

local function number_of(version)
  local major, minor, patch = version:match "^(%d+)%.(%d+)%.?(%d*)"
  return tonumber(major) << 16 | tonumber(minor) << 8 | (tonumber(patch) or 0)
end

local introduced, newest = {}, 0 -- by this manual
for name, version in page("libcurl-symbols"):gmatch "%.IP (%S+)\nIntroduced in ([%d.]+)" do
  introduced[name] = number_of(version)
  newest = math.max(newest, introduced[name])
end
if not introduced.CURLOPT_URL then
  error("no list of libcurl's symbols in " .. PAGES .. "libcurl-symbols.3.gz: install libcurl4-doc", 0)
end

-- Types have no entry in the list; all of these are in 7.66 (curl/curl.h, curl/multi.h, curl/urlapi.h of that release).
for name in ("CURL CURLM CURLMcode CURLMsg CURLU CURLUPart CURLUcode CURLcode CURLversion curl_socket_t curl_off_t " ..
  "curl_infotype curl_slist curl_sockaddr curl_version_info_data curlsocktype"):gmatch "%S+" do
  introduced[name] = 0
end
for _, name in ipairs { "LIBCURL_VERSION", "LIBCURL_VERSION_NUM" } do
  introduced[name] = 0
end

-- A function's page says when it was added, if it is not as old as the interface.
local function version_of(name)
  if not introduced[name] and name:find "^curl_" then
    local text = page(name)
    if text ~= "" then
      local availability = text:match "%.SH AVAILABILITY\n(.-)%.SH" or ""
      introduced[name] = number_of(availability:match "[Aa]dded in [libcurl ]*(%d+%.%d+[%d.]*)" or "7.1.0")
    end
  end
  return introduced[name]
end

-- Neither comments nor texts use anything; lines stay lines.
local function bare(text)
  text = text:gsub("/%*.-%*/", function(comment) return (comment:gsub("[^\n]", "")) end)
  return (text:gsub('"[^"\n]*"', ""))
end

local used, failed = 0, false

local function look_at(line, where, least)
  for name in line:gmatch "[%a_][%w_]*" do
    if name:find "^CURL" or name:find "^curl_" or name:find "^LIBCURL" then
      used = used + 1
      local version = version_of(name)
      if (version or newest + 1) > least then -- what it does not have is newer still
        failed = true
        print(("%s: %s: %s, and nothing asks for more than %x here"):format(where, name,
          version and ("since %x"):format(version) or ("unknown up to %x"):format(newest), least))
      end
    end
  end
end

for _, path in ipairs(arg) do
  local file = assert(io.open(path))
  local text = bare(file:read "a")
  file:close()
  local guards, at = { OLDEST }, 0 -- the least version of each #if that is open
  for line in (text .. "\n"):gmatch "(.-)\n" do
    at = at + 1
    local directive = line:match "^%s*#%s*(%a+)"
    local asked = line:match "LIBCURL_VERSION_NUM%s*>=%s*(0x%x+)"
    if directive == "if" or directive == "ifdef" or directive == "ifndef" then
      guards[#guards + 1] = math.max(guards[#guards], tonumber(asked or "0"))
    elseif directive == "else" or directive == "elif" then
      guards[#guards] = math.max(guards[#guards - 1], tonumber(asked or "0"))
    elseif directive == "endif" then
      guards[#guards] = nil
    end
    look_at(line, path .. ":" .. at, guards[#guards])
  end
end

print(("%d uses of libcurl's names, in %d files"):format(used, #arg))
os.exit(not failed and used > 100)
