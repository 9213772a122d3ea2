-- SPDX-License-Identifier: Apache-2.0
local failure = require "confidentai.cli.failure"
local store_option = require "confidentai.cli.store_option"
local shell_words = require "confidentai.cli.shell_words"

describe("shell_words.split", function()
  it("splits as a shell does", function()
    local cases = {
      [""] = {}, ["  "] = {}, ["a"] = { "a" }, [" a\tb  c "] = { "a", "b", "c" },
      ["a 'b c' \"d e\""] = { "a", "b c", "d e" }, ["a'b c'd"] = { "ab cd" }, ["''"] = { "" },
      ["a\\ b"] = { "a b" }, ["\"a\\\"b\\\\c\\d\""] = { "a\"b\\c\\d" }, ["'a\\'"] = { "a\\" },
      ["sh -c 'cat | tee \"$1\"' sh /etc/x"] = { "sh", "-c", "cat | tee \"$1\"", "sh", "/etc/x" },
    }
    for text, expected in pairs(cases) do
      assert.same(expected, shell_words.split(text), text)
    end
  end)

  it("refuses what only a shell can do, and what does not end", function()
    for _, text in ipairs { "a | b", "a > b", "a $HOME", "a `b`", "a; b", "a &", "a *", "a\nb", "'a", "\"a", "a\\" } do
      local list, problem = shell_words.split(text)
      assert.is_nil(list, text)
      assert.is_string(problem)
    end
  end)
end)

describe("store_option.stores", function()
  local function refusal(arguments)
    local ok, caught = pcall(store_option.stores, arguments)
    assert.is_false(ok)
    return failure.caught(caught)
  end

  it("takes ./app.key for app.key", function()
    local stores = store_option.stores { stores = { "file:./app.key", "file:app.key", "env_file:.//.env:KEY" } }
    assert.equal(stores[2].spec.path, stores[1].spec.path)
    assert.matches("[^.]/%.env$", stores[3].spec.path)
    stores = store_option.stores { stores = { "file:./~/key", "file:~key~" } }
    assert.matches("[^.]/~/key$", stores[1].spec.path)
    assert.matches("/~key~$", stores[2].spec.path)
  end)

  it("makes each kind of store", function()
    local stores = store_option.stores {
      stores = { "file:/a/b:c", "env_file:/a/.env:b:NAME", "exec:vault kv 'put x'" }, store_check = "vault get",
    }
    assert.same({ kind = "file", path = "/a/b:c" }, stores[1].spec)
    assert.same({ kind = "env_file", path = "/a/.env:b", variable = "NAME" }, stores[2].spec)
    assert.same({ "vault", "kv", "put x" }, stores[3].spec.command)
    assert.same({ "vault", "get" }, stores[3].spec.check)
    assert.is_nil(store_option.stores { stores = {} })
  end)

  it("says what is wrong with a description", function()
    local cases = {
      ["/etc/key"] = "unknown store", ["callback:x"] = "unknown store", ["file:"] = "path", ["file:/a/"] = "path",
      ["env_file:/a/.env"] = "variable is missing", ["env_file:/a/.env:A-B"] = "variable",
      ["file:~/key"] = "it begins with ~", ["file:~root/key"] = "it begins with ~",
      ["env_file:~/.env:NAME"] = "it begins with ~", ["exec:"] = "a command is expected",
      ["exec:a | b"] = "no shell is run", ["exec:''"] = "a command is expected",
    }
    for text, word in pairs(cases) do
      local err = refusal { stores = { text } }
      assert.equal("usage", err.kind)
      assert.equal(2, err.exit)
      assert.is_truthy(err.message:find(word, 1, true), text .. ": " .. err.message)
    end
    assert.is_truthy(refusal({ stores = { "file:/a" }, store_check = "cat" }).message:find "%-%-store%-check")
    assert.is_truthy(refusal({ stores = { "exec:a", "exec:b" }, store_check = "cat" }).message:find "%-%-store%-check")
  end)
end)
