-- SPDX-License-Identifier: Apache-2.0
local scan = require "confidentai.scan"

local HEX = "confident_us_org_35a9ea509eae88b72f3b4e5d87540247d9ee2298f85e654f"
local BASE64 = "confident_eu_proj_abC/d9f+Gh1234567890xYz=="

describe("scan", function()
  local function secrets(text)
    local list = {}
    for i, found in ipairs(scan.text(text)) do
      list[i] = found.secret
    end
    return list
  end

  it("finds secrets of every prefix, and what surrounds them is no part of them", function()
    for _, prefix in ipairs { "confident_us_org_", "confident_au_proj_", "confident_org_", "confident_proj_",
      "confident_eu_", "confident_jp_org_" } do
      for _, around in ipairs { { "", "" }, { '"', '",' }, { "'", "'" }, { "key=", "&x=1" }, { "<", ">" },
        { "(", ")." }, { "", "/path" },
        { "https://x/", "?a=b" }, { "`", "`" }, { "\27[1m", "\27[0m" }, { "\0", "\0" } } do
        local secret = prefix .. HEX:sub(18)
        assert.same({ secret }, secrets("one " .. around[1] .. secret .. around[2] .. " two\n"))
      end
    end
    assert.same({ BASE64 }, secrets('{"key":"' .. BASE64 .. '"}'))
    assert.same({ BASE64 }, secrets(BASE64 .. "=x"))
  end)

  it("reads what JSON and URLs make of one", function()
    local slash, plus, equals = BASE64:gsub("/", "\\/"), BASE64:gsub("+", "\\u002b"), BASE64:gsub("=", "\\u003D")
    assert.same({ BASE64 }, secrets('{"key":"' .. slash .. '"}'))
    assert.same({ BASE64 }, secrets('{"key":"' .. plus .. '"}'))
    assert.same({ BASE64 }, secrets('{"key":"' .. equals .. '"}'))
    assert.same({ BASE64 }, secrets([["{\"key\":\"]] .. BASE64:gsub("/", [[\\\/]]) .. [[\"}"]]))
    assert.same({ BASE64 }, secrets("?key=" .. BASE64:gsub("[/+=]", { ["/"] = "%2F", ["+"] = "%2b", ["="] = "%3D" })
      .. "&x"))
  end)

  -- All that stands between the prefix and the end was taken for the end: the secret was reported cut, thus as unknown.
  it("reads what HTML, Markdown, JavaScript, and URLs within URLs make of one", function()
    local function escaped(format, set)
      return (BASE64:gsub(set or "[/+=_]", function(character)
        return format:find "%%%d*[xXd]" and format:format(character:byte()) or format .. character
      end))
    end
    for _, text in ipairs { escaped "&#%d;", escaped "&#0%d;", escaped "&#x%x;", escaped "&#X%X;",
      escaped "\\x%02x", escaped("\\", "_"), escaped "\\", escaped "%%25%02X", escaped "%%%02X",
      escaped "\\u%04x", escaped "\\\\u%04X" } do
      for _, around in ipairs { { "", "" }, { "<td>", "</td>" }, { '"', '",' }, { "confident ", "\n" } } do
        local whole = around[1] .. text .. around[2]
        assert.same({ BASE64 }, secrets(whole), whole)
        local found = scan.text(whole)
        for at = 1, #whole do
          local pieces = scan.new()
          pieces:feed(whole:sub(1, at))
          pieces:feed(whole:sub(at + 1))
          assert.same(found, pieces:finish())
        end
      end
    end
  end)

  it("finds a secret that has ended, whatever is glued to it", function()
    local rest = ("Ab9/"):rep(2000)
    assert.same({ BASE64 }, secrets(BASE64 .. rest))
    assert.same({ HEX }, secrets(HEX .. "/" .. rest))
    local found = scan.text("\nconfident_us_org_" .. rest)
    assert.equal(0, #found)
    assert.matches("on line 2 ", found.problem, 1, true)
  end)

  it("says that a text holds a secret in base64, as manifests of Kubernetes do", function()
    for _, encoded in ipairs {
      "Y29uZmlkZW50X3VzX29yZ18zNWE5ZWE1MDllYWU4OGI3MmYzYjRlNWQ4NzU0MDI0N2Q5ZWUyMjk4Zjg1ZTY1NGY=", -- HEX
      "PWNvbmZpZGVudF91c19vcmdfMzVhOWVhNTA5ZWFlODhiNzJmM2I0ZTVkODc1NDAyNDdkOWVlMjI5OGY4NWU2NTRm", -- "=" .. HEX
      "az1jb25maWRlbnRfdXNfb3JnXzM1YTllYTUwOWVhZTg4YjcyZjNiNGU1ZDg3NTQwMjQ3ZDllZTIyOThmODVlNjU0Zg==", -- "k=" .. HEX
      "YwBvAG4AZgBpAGQAZQBuAHQAXwB1AHMAXwBvAHIAZwBfADMANQBhADkA", -- the beginning of HEX in UTF-16
      "PQBjAG8AbgBmAGkAZABlAG4AdABfAHUAcwBfAG8AcgBnAF8AMwA1AGEA", -- behind "="
      "awA9AGMAbwBuAGYAaQBkAGUAbgB0AF8AdQBzAF8AbwByAGcAXwAzADUA", -- behind "k="
    } do
      for _, text in ipairs { encoded, "data:\n  key: " .. encoded .. "\n", (encoded:gsub(".", "%0\n  ", 5)) } do
        local pieces = scan.new()
        for at = 1, #text, 7 do
          pieces:feed(text:sub(at, at + 6))
        end
        assert.matches("base64", scan.text(text).problem, 1, true)
        assert.matches("base64", pieces:finish().problem, 1, true)
      end
    end
  end)

  it("takes no names for secrets", function()
    for _, text in ipairs {
      "confident_api_key", "confident_us_org_", "confident_project_keys_list_by_organization", "CONFIDENT_ORG_API_KEY",
      "confident_us_org_***************a1b2c3", "confident_us_org_abc123", "confident_",
    } do
      assert.same({}, secrets(text), text)
    end
  end)

  it("finds each of several that adjoin", function()
    local list = {}
    for i = 1, 33 do
      list[i] = ("confident_us_org_%024d%024x"):format(i, i * 7919)
    end
    local text = table.concat(list)
    assert.same(list, secrets(text))
    assert.same({ BASE64, HEX }, secrets(BASE64 .. HEX))
    assert.same({ HEX, BASE64 }, secrets(HEX .. BASE64 .. "/path"))
    for _, size in ipairs { 1, 7, 64, 1000 } do
      local pieces, found = scan.new(), {}
      for at = 1, #text, size do
        pieces:feed(text:sub(at, at + size - 1))
      end
      for i, each in ipairs(pieces:finish()) do
        found[i] = each.secret
      end
      assert.same(list, found)
    end
  end)

  it("says that a text is in a form in which it finds nothing", function()
    local wide = HEX:gsub(".", "%0\0")
    for _, text in ipairs { "\255\254" .. wide, wide, "x\n" .. wide, ("a"):rep(5000) .. wide, HEX:gsub(".", "\0%0"),
      "\254\255" .. HEX:gsub(".", "\0%0"), HEX:gsub(".", "%0\0\0\0"), "\31\139\8\0" .. HEX, "PK\3\4x",
      "\253" .. "7zXZ\0", "BZh91AY&SY", "\40\181\47\253x", "7z\188\175\39\28", "%PDF-1.7\n", "\0\0\254\255",
      "\4\34\77\24d@", "Rar!\26\7\1\0", "\31\157\144x", "x\156\75\202", "PACK\0\0\0\2", "\137PNG\r\n\26\n",
      "\255\216\255\224", "Salted__abcdefgh",
      HEX:gsub("confident_", "\27[01;31m\27[K%0\27[m\27[K"), HEX:gsub("confident", "\27[1m%0\27[m"),
      "-----BEGIN PGP MESSAGE-----\n", "$x = 0x" .. HEX:gsub(".", function(c)
        return ("%02x"):format(c:byte())
      end), (HEX:gsub(".", function(c) return ("%02X"):format(c:byte()) end)),
      "To: ops\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\n" .. HEX:gsub("35a9", "%0=\r\n") } do
      assert.is_string(scan.text(text).problem, text)
      local pieces = scan.new()
      for at = 1, #text, 3 do
        pieces:feed(text:sub(at, at + 2))
      end
      assert.is_string(pieces:finish().problem, text)
    end
    for _, text in ipairs { "", HEX, "A=1\0B=2\0C=3\0D=4\0" .. HEX .. "\0", "BZhello", "\195\164\228",
      ("\0"):rep(100), "PK", "a\0b\0c\0d\0", "\27[1m" .. HEX .. "\27[m", "x = 1",
      "PACKED", "Salted", "636f6e666964656e74", "quoted-printable" } do
      assert.is_nil(scan.text(text).problem, text)
    end
  end)

  it("tells each once, with its lines", function()
    local found = scan.text("a\n" .. HEX .. "\n\n" .. BASE64 .. " " .. HEX .. " " .. HEX .. "\n")
    assert.equal(2, #found)
    assert.same({ secret = HEX, lines = { 2, 4 }, count = 3 }, found[1])
    assert.same({ secret = BASE64, lines = { 4 }, count = 1 }, found[2])
  end)

  it("finds the same in pieces of any size", function()
    local text = ("x\n%s\nconfident confident_ %s\"\n%s\n%s"):format(BASE64:gsub("/", "\\/"), HEX, ("z"):rep(3000), HEX)
    local whole = scan.text(text)
    assert.equal(2, #whole)
    assert.same({ 3, 5 }, whole[2].lines)
    for size = 1, 200 do
      local scanning = scan.new()
      for at = 1, #text, size do
        scanning:feed(text:sub(at, at + size - 1))
      end
      assert.same(whole, scanning:finish())
    end
  end)

  -- Found by fuzzing: in pieces, a run of just the longest length was one; and what followed in a longer run was found.
  it("finds the same in pieces of runs that are too long", function()
    for length = 1000, 1050 do
      local text = "confident_us_org_" .. ("0123456789abcdeZ"):rep(70):sub(1, length - 17) .. "?" .. HEX
      local long = "confident_us_org_" .. ("0123456789abcdeZ"):rep(70) .. HEX
      for _, each in ipairs { text, long } do
        local whole, scanning = scan.text(each), scan.new()
        for at = 1, #each, 10 do
          scanning:feed(each:sub(at, at + 9))
        end
        assert.same(whole, scanning:finish())
        assert.equal(HEX, whole[#whole].secret)
      end
    end
  end)

  -- Found by fuzzing: six characters were waited for, and JSON within JSON takes more for one.
  it("finds the same in pieces that cut an escape of JSON within JSON", function()
    for backslashes = 1, 20 do
      local text = BASE64:gsub("+", ("\\"):rep(backslashes) .. "u002b") .. "\n"
      local whole = scan.text(text)
      assert.equal(backslashes <= 11, whole[1] ~= nil and whole[1].secret == BASE64)
      for at = 1, #text do
        local scanning = scan.new()
        scanning:feed(text:sub(1, at))
        scanning:feed(text:sub(at + 1))
        assert.same(whole, scanning:finish())
      end
    end
  end)

  it("keeps little of a text without end", function()
    local scanning = scan.new()
    scanning:feed "confident_us_org_"
    for _ = 1, 100 do
      scanning:feed(("0123456789abcdef"):rep(64))
    end
    assert.is_true(#scanning.rest < 4096)
    local found = scanning:finish()
    assert.equal(0, #found)
    assert.matches("longer than one", found.problem, 1, true)
  end)
end)
