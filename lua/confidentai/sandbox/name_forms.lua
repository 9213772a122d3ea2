-- SPDX-License-Identifier: Apache-2.0
-- The ways in which a service may alter a name that it stores: nine, each by one of the setting `names`.

local name_forms = {}

-- Letters with a mark, by the mark that follows the letter when it is taken apart (NFD). Those of Latin-1 and some
-- more: enough to see that bytes differ where a reader sees the same name.
local marked = {
  ["\204\128"] = "AÀEÈIÌOÒUÙaàeèiìoòuù", ["\204\129"] = "AÁEÉIÍOÓUÚYÝaáeéiíoóuúyý",
  ["\204\130"] = "AÂEÊIÎOÔUÛaâeêiîoôuû", ["\204\131"] = "AÃNÑOÕaãnñoõ", ["\204\136"] = "AÄEËIÏOÖUÜaäeëiïoöuüyÿ",
  ["\204\138"] = "AÅaåUŮuů", ["\204\140"] = "CČSŠZŽcčsšzž", ["\204\167"] = "CÇcç",
}
local taken_apart, put_together = {}, {}
for mark, letters in pairs(marked) do
  for letter, whole in letters:gmatch("(%a)([\194-\223][\128-\191])") do
    taken_apart[whole], put_together[letter .. mark] = letter .. mark, whole
  end
end

local max_characters = 64

-- In Latin-1, capitals are 32 before small letters; × and ÷ are none.
local function shift_latin(name, first, last, by)
  return (name:gsub("\195([" .. string.char(first) .. "-" .. string.char(last) .. "])", function(byte)
    return (byte == "\151" or byte == "\183") and "\195" .. byte or "\195" .. string.char(byte:byte() + by)
  end))
end

local writers = {
  sent = function(name) return name end,
  trimmed = function(name) return name:match("^%s*(.-)%s*$") end,
  lower = function(name) return shift_latin(name:lower(), 128, 158, 32) end,
  upper = function(name) return shift_latin(name:upper(), 160, 190, -32) end,
  cut = function(name)
    local count = 0
    return (name:gsub("[%z\1-\127\194-\244][\128-\191]*", function(character)
      count = count + 1
      return count > max_characters and "" or character
    end))
  end,
  nfc = function(name)
    return (name:gsub("%a[\204][\128-\191]", put_together))
  end,
  nfd = function(name) return (name:gsub("[\195-\197][\128-\191]", taken_apart)) end,
  folded = function(name) return (name:gsub("%s+", " ")) end,
  prefixed = function(name) return "key: " .. name end,
  suffixed = function(name) return name .. " (1)" end,
}

-- The names of the forms, as keys.
name_forms.names = {}
for name in pairs(writers) do name_forms.names[name] = true end

---The name as the service stores it.
---@param name string
---@param form string a key of `names`
---@return string stored
function name_forms.write(name, form)
  return writers[form](name)
end

return name_forms
