-- SPDX-License-Identifier: Apache-2.0
-- What goes wrong with `confidentai rotate`: mistakes of people, services and disks. Each is told of, with what to do,
-- and changes nothing that was not named.

local cjson = require "cjson"
local command = require "spec.cli.command"
local folders = require "spec.folders"
local rotating = require "spec.cli.rotating"
local support = require "spec.support"

describe("confidentai rotate, of mistakes:", function()
  local r = rotating.register()
  local s = r.scene

  local function assert_untouched()
    assert.equal(1, #s:on_service())
    assert.equal(0, #support.requests(s.service, "POST"))
    assert.equal(0, #support.requests(s.service, "PUT"))
  end

  it("a rotation that has ended: it is on record, and is not under way", function()
    local id = r:start("--soak", "0", "--grace", "0").id
    assert.matches("no rotation '" .. id .. "' is under way here\n  see: confidentai rotate list %-%-all",
      (r:fails(1, { "rotate", "rollback", id })))
    assert.matches("done", (r:done { "rotate", "status", id }))
  end)

  it("a rotation that is not there", function()
    for _, verb in ipairs { "status", "confirm", "rollback", "abort", "advance" } do
      local errors = r:fails(1, { "rotate", verb, "nobody" })
      assert.matches("no rotation 'nobody' is [%l ]+ here\n  see: confidentai rotate list %-%-all %-%-state", errors)
    end
    local err = cjson.decode((r:fails(1, { "rotate", "status", "nobody", "--output", "json" }))).error
    assert.equal("rotation", err.kind)
    assert.matches("rotate list", err.next)
  end)

  it("a name of which several rotations are under way", function()
    local first = r:start()
    local check = require("confidentai").check
    local second = check(s:keys():create "Default Key") -- key 3
    s:store("other", second.value)
    local words = r:starting()
    words[3], words[7] = "3", "file:" .. s:path "other"
    local other = r:json(words)
    local errors = r:fails(2, { "rotate", "status", "Default Key" })
    for _, started in ipairs { first, other } do
      assert.is_truthy(errors:find(("%s (of key %s, soaking)"):format(started.id, started.old_id), 1, true), errors)
    end
    assert.matches("give the id of one", errors)
    assert.matches("several rotations of", (r:fails(2, { "rotate", "rollback", "Default Key" })))
    assert.equal(first.id, r:json { "rotate", "rollback", first.id, "--now" }.id)
    r:done { "rotate", "abandon", first.id }
    assert.matches(other.id, (r:done { "rotate", "status", "Default Key" })) -- the other one has ended
  end)

  it("a key that is not there, or can be none", function()
    s:store()
    local words = r:starting()
    words[3] = "99"
    assert.matches("there is no key 99", (r:fails(6, words)))
    words[3] = "../1"
    assert.matches("see: confidentai keys list", (r:fails(2, words)))
    assert_untouched()
  end)

  it("no store, or none of that kind", function()
    local project = s.service.projects[1].id
    assert.matches("says where the new secret goes", (r:fails(2, { "rotate", "start", "1", "--project", project })))
    assert.matches("unknown store", (r:fails(2, { "rotate", "start", "1", "--store", s:path "key" })))
    assert_untouched()
  end)

  it("a store that anybody can read", function()
    s:store()
    folders.shell("chmod 644 %s", s:path "key")
    local errors = r:fails(1, r:starting())
    assert.matches("everybody may read it %(mode 644%): run chmod o%-rw on it", errors)
    assert.is_nil(errors:find("key: file:", 1, true), "the store is named twice")
    assert_untouched()
  end)

  it("a store that holds another secret", function()
    s:store("key", "confident_us_proj_" .. ("x"):rep(43))
    local errors = r:fails(6, r:starting())
    assert.matches("does not hold the secret of key 1", errors)
    assert.matches("%-%-replace%-store", errors)
    assert_untouched()
    assert.equal("soaking", r:json(r:starting "--replace-store").state)
  end)

  it("options that can be none", function()
    s:store()
    for option, value in pairs { ["--soak"] = "soon", ["--grace"] = "-1", ["--adoption"] = "maybe", ["--base"] = "",
      ["--on-published"] = "a | b", ["--settle"] = "x", ["--old-secret-file"] = s:path "missing" } do
      local errors = r:fails(2, r:starting(option, value))
      assert.is_truthy(errors:find(option, 1, true) or errors:find("adoption", 1, true)
        or errors:find("length of time", 1, true), option .. ": " .. errors)
    end
    assert_untouched()
  end)

  it("a command that waits for the new key fails", function()
    s:store()
    local errors, output = r:fails(1, r:starting("--on-published", "sh -c 'echo not today >&2; exit 3'"))
    assert.equal("", errors)
    assert.matches("The command %-%-on%-published has failed: exited with status 3: not today", output)
    local _, listed = r:fails(3, { "rotate", "list", "--fail-overdue" })
    assert.matches("command failed", listed)
    r:fails(1, { "rotate", "advance" })
    assert.equal(2, #s:on_service())
  end)

  it("a state folder that others may write to, or that is lost at reboot", function()
    s:store()
    folders.shell("mkdir %s && chmod 777 %s", s:path "state", s:path "state")
    assert.matches("state", (r:fails(1, r:starting())))
    assert_untouched()
  end)

  it("a record that is damaged, beside one that is not", function()
    local started = r:start()
    local path = s:record_path()
    local name = path:match "[^/]+$"
    folders.write(path:sub(1, -#name - 1) .. name:gsub("Default%%20Key", "other"), "nonsense")
    local errors, output = r:fails(1, { "rotate", "list" })
    assert.matches("is damaged", errors)
    assert.matches(started.id, output)
    errors, output = r:fails(1, { "rotate", "advance" })
    assert.matches("is damaged", errors)
    assert.matches("soaking", output)
    r:done { "rotate", "status", started.id }
    r:fails(3, { "rotate", "list", "--fail-overdue" })
    local _, found = r:fails(3, { "rotate", "doctor", "--fail" })
    assert.matches("damaged:1", found)
  end)

  it("a rotation of another organization, beside which `advance` is no success", function()
    local started = r:start()
    s:edit(function(record) record.organization = "somewhere-else" end)
    local errors, output = r:fails(1, { "rotate", "advance" })
    assert.equal("", output)
    assert.matches("the rotation " .. started.id .. " of 'Default Key' is of the organization somewhere%-else at http",
      errors)
    assert.matches("\n  use an enabled organization key of that organization", errors)
  end)

  it("cron is sent a mail for each stop and error, and none while all is well", function()
    local quiet = { shell = "$command >/dev/null" }
    assert.same({ "", "" }, { r:done({ "rotate", "advance" }, quiet) })
    r:start("--adoption", "confirm", "--soak-max", "1d")
    assert.same({ "", "" }, { r:done({ "rotate", "advance" }, quiet) })
    s:fault { type = "status", status = 501, operation = "get", times = -1 }
    assert.matches("501", (r:fails(1, { "rotate", "advance" }, quiet)))
    s.service:clear_faults()
    r:age(2 * 86400)
    local errors = r:fails(1, { "rotate", "advance" }, quiet)
    assert.matches("has stopped %(stalled%)", errors)
    r:done { "rotate", "rollback", "Default Key" }
    r:run { "rotate", "advance" }
    assert.same({ "", "" }, { r:done({ "rotate", "advance" }, quiet) })
  end)

  it("neither a key nor a network, to look at what is on record", function()
    local started = r:start()
    local alone = { variables = { CONFIDENT_ORG_API_KEY = false, CONFIDENT_BASE_URL = "http://127.0.0.1:1" } }
    assert.matches(started.id, (r:done({ "rotate", "list" }, alone)))
    assert.matches("Rotation " .. started.id, (r:done({ "rotate", "status", "Default Key" }, alone)))
    assert.equal("no rotation has ended\n", select(2, r:done({ "rotate", "history" }, alone)))
    r:fails(4, { "rotate", "advance" }, alone)
  end)

  it("a service that is away: what has begun goes on later", function()
    s:store()
    s:fault { type = "drop", method = "GET", skip = 3, times = -1 }
    local errors = r:fails(1, r:starting("--timeout", "1"))
    local id = s:record().id
    assert.matches("confidentai rotate advance " .. id .. " %-%-state%-dir", errors)
    assert.is_string(r:json({ "rotate", "status", id }).trouble.message) -- which asks no service
    local err = cjson.decode((r:fails(1, { "rotate", "advance", id, "--timeout", "1", "-o", "json" }))).error
    assert.equal("network", err.kind)
    s.service:clear_faults()
    assert.equal("soaking", r:json({ "rotate", "advance", id })[1].state)
    assert.equal(2, #s:on_service())
  end)

  it("one rotation fails, and the others go on", function()
    local started = r:start("--soak", "1d")
    local other = support.client(s.service):organization().api_keys
    local key = assert(other:create "ci")
    s:write("ci", key.value)
    r:json { "rotate", "start", tostring(key.id), "--store", "file:" .. s:path "ci", "--settle", "2s", "--adoption",
      "confirm" }
    r:done { "rotate", "confirm", "ci" }
    s:fault { type = "status", status = 501, scope = "project", operation = "get", times = -1 } -- not tried again
    local errors, output = r:fails(1, { "rotate", "advance", "--output", "json" })
    local rows = command.json(output)
    assert.equal(2, #rows)
    for _, row in ipairs(rows) do
      assert.equal(row.id ~= started.id, row.error == nil)
      assert.equal(row.id == started.id and "soaking" or "grace", row.state)
    end
    assert.equal(started.id, cjson.decode(errors).error.rotation)
  end)

  it("the key of this command is refused", function()
    r:start()
    local errors = r:fails(4, { "rotate", "advance" },
      { variables = { CONFIDENT_ORG_API_KEY = "confident_us_org_" .. ("0"):rep(48) } })
    assert.matches("CONFIDENT_ORG_API_KEY", errors)
  end)

  it("a secret among the arguments", function()
    local errors = command.run(s.service, { "rotate", "start", "1", "--old-secret", s.service.api_key }).errors
    s:assert_no_secret(errors)
  end)

  it("two secrets of the old key, or one that is none", function()
    s:store()
    assert.matches("cannot be used together", (r:fails(2, r:starting("--old-secret-file", "x", "--ask-old-secret"))))
    assert.matches("cannot ask, because standard input is not a terminal", (r:fails(2, r:starting "--ask-old-secret")))
    s:write("two", "a b")
    assert.matches("expected one secret", (r:fails(2, r:starting("--old-secret-file", s:path "two"))))
    s:write("wrong", "abcdefghijk\n")
    assert.matches("not the secret of key 1", (r:fails(6, r:starting("--old-secret-file", s:path "wrong"))))
    assert_untouched()
  end)

  it("the old secret by a file or by standard input shows its refusal", function()
    s:write("old", s.service.projects[1].api_key .. "\n")
    s:write("key", "")
    os.remove(s:path "key")
    local words = r:starting("--soak", "0", "--replace-store", "--old-secret-file", "-")
    local done = r:json(words, { input = s.service.projects[1].api_key .. "\n" })
    assert.equal("grace", done.state)
    local refused = false
    for _, event in ipairs(done.history) do
      refused = refused or event.what == "disabled, and refused"
    end
    assert.is_true(refused)
  end)

  it("the old secret by a hidden prompt", function()
    local words = r:starting("--soak", "0", "--replace-store", "--ask-old-secret")
    local child = command.start(s.service, r:words(words), { columns = 100, input = true })
    child:wait_for "Secret of the old key: "
    child:write(s.service.projects[1].api_key .. "\n")
    local status, _, output = child:finish()
    assert.equal(0, status, output)
    s:assert_no_secret(output)
    assert.matches("disabled, and refused", (r:done { "rotate", "status", "Default Key" }))
  end)

  describe("doctor", function()
    -- A key that no record knows, so old that only a use could speak for it, in a project of which uses are shown.
    local function stray()
      local client = support.client(s.service)
      local key = assert(client:project(s.service.projects[1].id).api_keys:create "web~g3~abcdefgh")
      s.service:set_clock(31 * 86400)
      assert(client:identify(s.service.projects[1].api_key, { probe = true }))
      return key
    end

    it("finds nothing where nothing is", function()
      assert.equal("", (r:done { "rotate", "doctor", "--fail" }))
      assert.same({}, r:json { "rotate", "doctor" })
    end)

    it("finds keys that nobody knows, and disables them before it deletes them", function()
      local key = stray()
      local id = ("stray:%s/%d"):format(s.service.projects[1].id, key.id)
      local found = r:json { "rotate", "doctor" }
      assert.equal(1, #found)
      local text = r:done { "rotate", "doctor" } -- whole sentences, also where a terminal is narrow
      assert.is_truthy(text:find(("%s (can be fixed):\n  %s\n    confidentai rotate doctor --fix %s "):format(id,
        found[1].message, id), 1, true), text)
      assert.equal(id, found[1].id)
      assert.equal("stray", found[1].kind)
      assert.is_true(found[1].fixable)
      r:fails(3, { "rotate", "doctor", "--fail" })
      assert.matches("Disable key %d+ 'web~g3~abcdefgh' of", (r:fails(6, { "rotate", "doctor", "--fix", id })))
      assert.is_true(s:on_service()[2].valid)
      assert.is_true(r:json({ "rotate", "doctor", "--fail", "--yes", "--fix", id })[1].fixed)
      assert.is_false(s:on_service()[2].valid)
      assert.matches("Delete key %d+ 'web~g3~abcdefgh' of", (r:fails(6, { "rotate", "doctor", "--fix", id })))
      assert.matches("it was disabled less than a day ago", (r:fails(1, { "rotate", "doctor", "--yes", "--fix", id })))
      assert.equal(2, #s:on_service())
    end)

    it("mends nothing when one of what was named is not there", function()
      local id = ("stray:%s/%d"):format(s.service.projects[1].id, stray().id)
      assert.matches("no finding 'x'", (r:fails(1, { "rotate", "doctor", "--yes", "--fix", id, "x" })))
      assert.equal(2, #s:on_service())
    end)
  end)
end)
