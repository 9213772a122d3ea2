-- SPDX-License-Identifier: Apache-2.0
local confidentai = require "confidentai"
local core = require "confidentai.core"
local folders = require "spec.folders"
local process = require "spec.process"

local SECRET = "confident_us_org_0123456789abcdef+/=0123456789"

describe("a store of a variable in a .env file", function()
  local folder = folders.each()
  local store, path

  before_each(function()
    path = folder.path .. "/.env"
    store = confidentai.store.env_file { path = path, variable = "API_KEY" }
  end)

  it("says what it is", function()
    assert.equal("env_file", store.kind)
    assert.equal("env_file:" .. path .. "#API_KEY", store.label)
    assert.equal("confidentai.store " .. store.label, tostring(store))
    assert.is_true(store.readable)
    assert.same({ kind = "env_file", path = path, variable = "API_KEY" }, store.spec)
    assert.same(store.spec, assert(confidentai.store.revive(store.spec)).spec)
  end)

  it("raises for wrong options, at the caller's line", function()
    for words, options in pairs {
      ["table expected, got nil"] = false, ["unknown field 'name'"] = { path = path, variable = "A", name = "B" },
      ["field 'path' is missing"] = { variable = "A" }, ["field 'variable' is missing"] = { path = path },
      ["field 'variable': string expected, got number"] = { path = path, variable = 7 },
      ["field 'variable': a name of letters"] = { path = path, variable = "A B" },
      ["field 'path': the path of a file"] = { path = "x/", variable = "A" },
    } do
      local ok, message = pcall(function() confidentai.store.env_file(options or nil) end)
      assert.is_false(ok)
      assert.matches("store/env_file_spec", message, 1, true)
      assert.matches("bad argument #1 to 'env_file' (" .. words, message, 1, true)
    end
    for _, bad in ipairs { "", "1A", "A=B", "A\n", "A-B", "A.B", "Ä", "$A", "A\0" } do
      assert.is_false((pcall(confidentai.store.env_file, { path = path, variable = bad })))
    end
  end)

  -- What a file says before, and what it says once the variable is NEW; the value that is read before.
  local changes = {
    { "bare", "API_KEY=old\n", "API_KEY=NEW\n", "old" },
    { "in single quotes", "API_KEY='old'\n", "API_KEY='NEW'\n", "old" },
    { "in double quotes", 'API_KEY="old"\n', 'API_KEY="NEW"\n', "old" },
    { "in quotes, with what bare values cannot hold", "API_KEY='a \"b $c \\ #'\n", "API_KEY='NEW'\n", 'a "b $c \\ #' },
    { "in double quotes, with blanks and more", 'API_KEY="a b\'c #d"\n', 'API_KEY="NEW"\n', "a b'c #d" },
    { "empty", "API_KEY=\n", "API_KEY=NEW\n", "" },
    { "empty, in quotes", "API_KEY=''\nB=1\n", "API_KEY='NEW'\nB=1\n", "" },
    { "empty, before a comment", "API_KEY= # fill in\n", "API_KEY=NEW # fill in\n", "" },
    { "exported", "export API_KEY=old\n", "export API_KEY=NEW\n", "old" },
    { "with blanks around", " \texport\t API_KEY = old \t\n", " \texport\t API_KEY = NEW \t\n", "old" },
    { "before a comment", "API_KEY=old # the key\n", "API_KEY=NEW # the key\n", "old" },
    { "in quotes, before a comment", "API_KEY='old' # it's\n", "API_KEY='NEW' # it's\n", "old" },
    { "of every simple character", "API_KEY=aZ09_@%+=:,./-ä\n", "API_KEY=NEW\n", "aZ09_@%+=:,./-ä" },
    { "without an end of its line", "A=1\nAPI_KEY=old", "A=1\nAPI_KEY=NEW", "old" },
    { "in a file of DOS", "A=1\r\nAPI_KEY=old\r\nB=2\r\n", "A=1\r\nAPI_KEY=NEW\r\nB=2\r\n", "old" },
    { "in quotes in a file of DOS", "API_KEY='old'\r\n", "API_KEY='NEW'\r\n", "old" },
    { "after a byte order mark", "\239\187\191A=1\nAPI_KEY=old\n", "\239\187\191A=1\nAPI_KEY=NEW\n", "old" },
    { "among others that look like it", "# API_KEY=x\nMY_API_KEY=y\nAPI_KEY_2=z\nAPI_KEY=old\n API_KEYS=w\nAPI_KEY\n",
      "# API_KEY=x\nMY_API_KEY=y\nAPI_KEY_2=z\nAPI_KEY=NEW\n API_KEYS=w\nAPI_KEY\n", "old" },
    { "in other letters elsewhere", "api_key=x\nAPI_KEY=old\n", "api_key=x\nAPI_KEY=NEW\n", "old" },
    { "after quotes over several lines", "PEM=\"-----\nB=\\\"C\n-----\"\n\nAPI_KEY=old\n",
      "PEM=\"-----\nB=\\\"C\n-----\"\n\nAPI_KEY=NEW\n", "old" },
    { "after a quote that is never closed", "A='tis\nAPI_KEY=old\n", "A='tis\nAPI_KEY=NEW\n", "old" },
    { "between odd lines", "\n\n===\n=x\n$%&/\n\tAPI_KEY=old\n\255\n",
      "\n\n===\n=x\n$%&/\n\tAPI_KEY=NEW\n\255\n", "old" },
  }

  for _, case in ipairs(changes) do
    local what, before, after, value = case[1], case[2], case[3], case[4]
    it("changes a value " .. what, function()
      after = after:gsub("NEW", (SECRET:gsub("%%", "%%%%")))
      folders.write(path, before, 416)
      assert.is_true(store:preflight())
      assert.equal(before, folders.read(path))
      assert.equal(value, (store:get()))
      assert.is_true(store:put(SECRET))
      assert.equal(after, folders.read(path))
      assert.equal(SECRET, (store:get()))
      assert.equal("640", folders.mode(path))
      assert.is_true(store:put(value)) -- a rollback puts back what there was
      assert.equal(before, folders.read(path))
    end)
  end

  local additions = {
    { "to a file", "A=1\n", "A=1\nAPI_KEY=new\n" }, { "to an empty file", "", "API_KEY=new" },
    { "to a file without an end of its last line", "A=1", "A=1\nAPI_KEY=new" },
    { "to a file of DOS", "A=1\r\n", "A=1\r\nAPI_KEY=new\r\n" },
    { "to a file of DOS without an end of its last line", "A=1\r\nB=2", "A=1\r\nB=2\r\nAPI_KEY=new" },
    { "to blank lines", "\n\n", "\n\nAPI_KEY=new\n" },
    { "after a comment that has it", "#API_KEY=\n", "#API_KEY=\nAPI_KEY=new\n" },
  }

  for _, case in ipairs(additions) do
    local what, before, after = case[1], case[2], case[3]
    it(("adds a line %s, and takes it away"):format(what), function()
      folders.write(path, before, 384)
      assert.is_true(store:preflight())
      assert.is_false(store:get())
      assert.is_true(store:put(false))
      assert.equal(before, folders.read(path))
      assert.is_true(store:put "new")
      assert.equal(after, folders.read(path))
      assert.equal("new", (store:get()))
      assert.is_true(store:put "newer")
      assert.is_true(store:put(false))
      assert.equal(before, folders.read(path))
    end)
  end

  it("makes a file, and takes it away", function()
    assert.is_false(store:get())
    assert.is_true(store:preflight())
    assert.is_true(store:put(false))
    assert.same({}, core.file.list(folder.path))
    assert.is_true(store:put(SECRET))
    assert.equal("API_KEY=" .. SECRET .. "\n", folders.read(path))
    assert.equal("600", folders.mode(path))
    assert.is_true(store:put(false))
    assert.same({}, core.file.list(folder.path))
  end)

  it("takes its line away from among later ones", function()
    folders.write(path, "A=1")
    assert.is_true(store:put "new")
    folders.write(path, folders.read(path) .. "\nB=2\n")
    assert.is_true(store:put(false))
    assert.equal("A=1\nB=2\n", folders.read(path))
  end)

  it("quotes what a new line needs quoted", function()
    for text, line in pairs {
      ["a b"] = "API_KEY='a b'\n", ["$x`y`\"\\"] = "API_KEY='$x`y`\"\\'\n", [""] = "API_KEY=\n",
    } do
      assert.is_true(store:put(text))
      assert.equal(line, folders.read(path))
      assert.equal(text, (store:get()))
      assert.is_true(store:put(false))
    end
  end)

  it("is read by a shell as it is read here", function()
    for _, before in ipairs { "API_KEY=x\n", "export API_KEY='x'\n", 'API_KEY="x" # y\n', "" } do
      folders.write(path, before)
      assert.is_true(store:put(SECRET))
      local child = process.start("sh", { "-c", '. "$0" && printf %s "$API_KEY"', path })
      assert.equal(0, (child:wait(5000)), child.errors)
      assert.equal(SECRET, child.output)
    end
  end)

  it("loses no other's line among processes", function()
    local children = {}
    for i = 1, 4 do
      children[i] = process.lua(([[
        local store = require "confidentai".store.env_file { path = %q, variable = "KEY_%d" }
        for round = 1, 25 do
          assert(store:put("value" .. round))
        end]]):format(path, i))
    end
    for _, child in ipairs(children) do
      assert.equal(0, (child:wait(30000)), child.errors)
    end
    for i = 1, 4 do
      assert.equal("value25", (confidentai.store.env_file { path = path, variable = "KEY_" .. i }:get()))
    end
  end)

  it("refuses the variable that a byte order mark hides from the file's readers", function()
    local text = "\239\187\191API_KEY=old\nB=1\n"
    folders.write(path, text)
    assert.matches("line 1 begins with a byte order mark", select(2, store:get()), 1, true)
    assert.is_nil((store:preflight()))
    assert.equal("failed", (select(3, store:put(SECRET))))
    assert.equal(text, folders.read(path))
  end)

  describe("refuses", function()
    local function refuses(words, content)
      folders.write(path, content)
      for _, result in ipairs { { store:preflight() }, { store:get() }, { store:put(SECRET) }, { store:put(false) } } do
        assert.is_nil(result[1])
        assert.matches(words, result[2], 1, true)
        assert.matches(store.label .. ": ", result[2], 1, true)
        assert.is_nil(result[2]:find("old", 1, true))
        assert.is_true(result[3] == nil or result[3] == "failed")
      end
      assert.equal(content, folders.read(path))
    end

    it("two lines that set the variable", function()
      refuses("lines 1 and 3 both set API_KEY: remove one", "API_KEY=old\nA=1\nexport API_KEY='old'\n")
      refuses("lines 3 and 4 both set API_KEY: remove one", "PEM='a\nb'\nAPI_KEY=\nAPI_KEY=\n")
    end)

    it("values that readers read differently", function()
      for _, line in ipairs {
        "API_KEY=old$x", "API_KEY=old value", "API_KEY=old#x", "API_KEY=#old", "API_KEY=old'x'", "API_KEY=old\\n",
        "API_KEY=`old`", 'API_KEY="old$x"', 'API_KEY="old\\n"', 'API_KEY="old`x`"', "API_KEY='old'x",
        "API_KEY='old'#x", "API_KEY='old' x", "API_KEY=(old)", "API_KEY=old;x", "API_KEY=~old", "API_KEY=old&",
      } do
        refuses("line 2 sets API_KEY, but what it means depends on its reader: write it as API_KEY='...'",
          "A=1\n" .. line .. "\n")
      end
    end)

    it("a line into which some readers continue the line above", function()
      for _, above in ipairs { "A=b\\\n", "A=b\\\r\n", "A=b\\\\\\\n", "# a comment\\\n", "\\\n", "A=1\n\\\n" } do
        refuses("ends in a backslash", above .. "API_KEY=old\n")
        for _, content in ipairs { above, (above:gsub("\r?\n$", "")) } do
          folders.write(path, content)
          assert.matches("ends in a backslash", select(2, store:preflight()), 1, true)
          assert.equal("failed", (select(3, store:put(SECRET))))
          assert.equal(content, folders.read(path))
        end
      end
      for _, above in ipairs { "A=b\\\\\n", "A=b\\ \n", "A=\\\nB=1\n", "\n" } do
        folders.write(path, above .. "API_KEY=old\n")
        assert.is_true(store:preflight())
        assert.is_true(store:put(SECRET))
        assert.equal(above .. "API_KEY=" .. SECRET .. "\n", folders.read(path))
      end
    end)

    it("another line that sets the variable for some readers", function()
      for _, other in ipairs { "API_KEY: old", "  API_KEY:\told", "API_KEY+=old", "API_KEY:=old", "API_KEY?=old",
        "API_KEY[0]=old", "\fAPI_KEY=old", "export A=1 API_KEY=old", "A=1; API_KEY=old", "A=1;API_KEY=old",
        "declare -x API_KEY=old", "readonly API_KEY=old", "setenv API_KEY old", "set -gx API_KEY old" } do
        refuses("may set API_KEY, too", other .. "\n")
        refuses("line 2 may set API_KEY, too", "API_KEY=x\n" .. other .. "\n")
        refuses("line 1 may set API_KEY, too", other .. "\nAPI_KEY=x")
      end
      for _, other in ipairs { "# API_KEY: old", "A=1 # API_KEY=old", "export API_KEY", "unset API_KEY",
        "MY_API_KEY: old", "API_KEYS=old", "A=$API_KEY", "A=-DAPI_KEY=old", "URL=http://a/?b=1&API_KEY=c",
        "A='1 API_KEY=2'", "set API_KEY", "setenv A API_KEY", "A=API_KEY" } do
        folders.write(path, other .. "\nAPI_KEY=old\n")
        assert.is_true(store:preflight(), other)
        assert.equal("old", store:get())
      end
    end)

    it("a quote that is not closed on its line", function()
      refuses("line 1 sets API_KEY, but its quote is not closed on the line", "API_KEY='old\n")
      refuses("line 1 sets API_KEY, but its quote is not closed on the line", "API_KEY='old\nolder'\n")
      refuses("line 2 begins a quote in which API_KEY seems to be set: close it on its line",
        "A=1\nB='tis\nAPI_KEY=old\nC='x'\n")
    end)

    -- Found by fuzzing: the quotes of the new line closed it, and what was set could not be found again.
    it("a new line in quotes after a quote that is never closed", function()
      folders.write(path, "A='tis\n")
      local ok, message = store:put "two words"
      assert.is_nil(ok)
      assert.matches("line 1 begins a quote in which API_KEY seems to be set: close it on its line", message, 1, true)
      assert.equal("A='tis\n", folders.read(path))
      assert.is_true(store:put "word")
    end)

    it("what is no text", function()
      refuses("it is not text: it has NUL bytes", "A=1\0\nAPI_KEY=old\n")
    end)

    it("a text that a line cannot hold", function()
      for _, case in ipairs {
        { "API_KEY=x\n", "a b", "line 1: the text has characters that a value without quotes cannot hold" },
        { "API_KEY='x'\n", "a'b", "line 1: the text has characters that these quotes cannot hold" },
        { 'API_KEY="x"\n', "a$b", "line 1: the text has characters that these quotes cannot hold" },
        { "API_KEY='x'\n", "a\nb", "line 1: the text has characters that these quotes cannot hold" },
        { "API_KEY='x'\n", "a\0b", "line 1: the text has characters that these quotes cannot hold" },
        { "", "a'\"b", "the text has characters that no line of it can hold" },
        { "A=1\n", "a\r\nB=2", "the text has characters that no line of it can hold" },
        { "A=1\r", "x", "it ends in half a line end: complete it" },
        { "", ("x"):rep(2 ^ 20), "it would have more than 1048576 bytes" },
      } do
        folders.write(path, case[1])
        assert.same({ nil, store.label .. ": " .. case[3], "failed" }, { store:put(case[2]) })
        assert.equal(case[1], folders.read(path))
      end
    end)

    it("the files that the store of a file refuses", function()
      folders.write(path, "API_KEY=old\n", 420)
      assert.same({ nil, store.label .. ": everybody may read it (mode 644): run chmod o-rw on it" },
        { store:preflight() })
      assert.equal("failed", select(3, store:put "x"))
      folders.shell("mv %s %s && ln -s target %s", path, folder.path .. "/target", path)
      for _, result in ipairs { { store:preflight() }, { store:get() }, { store:put "x" }, { store:put(false) } } do
        assert.is_nil(result[1])
        assert.matches("it is a symbolic link: give the path that it leads to, ", result[2], 1, true)
      end
      assert.equal("API_KEY=old\n", folders.read(folder.path .. "/target"))
      local missing = confidentai.store.env_file { path = folder.path .. "/none/.env", variable = "A" }
      assert.is_false(missing:get())
      assert.matches("does not exist: create it", select(2, missing:preflight()), 1, true)
      assert.is_nil((confidentai.store.env_file { path = folder.path, variable = "A" }:get()))
    end)
  end)
end)
