-- SPDX-License-Identifier: Apache-2.0
-- The verbs of `confidentai rotate`, as a person and as a program use them.

local command = require "spec.cli.command"
local rotating = require "spec.cli.rotating"
local support = require "spec.support"

local DAY = 86400

describe("confidentai rotate", function()
  local r = rotating.register()
  local s = r.scene

  local function old_secret()
    return s.service.projects[1].api_key
  end

  it("start makes a new key, stores it, and says when and by what it goes on", function()
    s:store()
    local output = r:done(r:starting("--soak", "24h", "--grace", "7d"))
    assert.matches("^Default Key: soaking: both keys work%. Rotation %w+ in project %w+%.\n", output)
    assert.matches("Old key 1 ends in ...... and works; never used %(as of [%d-]+ [%d:]+ UTC%)%.\n", output)
    assert.matches("New key 2 ends in ...... and is published; last used [^\n]+, by this rotation only%.\n", output)
    assert.matches("Next: [^\n]+, in [%w ]+ %(%d%d%d%d%-%d%d%-%d%d %d%d:%d%d UTC%)%.\n", output)
    local id = output:match "Rotation (%w+)"
    for _, verb in ipairs { "advance", "confirm", "rollback" } do
      assert.is_truthy(output:find(("\n    confidentai rotate %s %s --state-dir %s\n"):format(verb, id, s:path "state"),
        1, true), output)
    end
    assert.is_truthy(output:find("\n  17 * * * *  confidentai rotate advance --state-dir " .. s:path "state", 1, true))
    assert.matches("confidentai%-rotate%.timer", output)
    assert.not_equal(old_secret() .. "\n", s:read "key")
    assert.equal(2, #s:on_service())
  end)

  it("start is quiet when it is told to, and does nothing twice", function()
    s:store()
    local output = r:done(r:starting "--quiet")
    assert.is_nil(output:find("cron", 1, true))
    r:age(600)
    assert.matches("was begun with another soak", r:fails(6, r:starting("--soak", "1h")))
    local again, errors = r:done(r:starting("--grace", "7d"))
    assert.matches("begun 10 minutes ago, and continues with the options that it was begun with", errors)
    assert.matches("in 23 hours", again)
    assert.equal(2, #s:on_service())
  end)

  it("advance does what is due, and status says what was done", function()
    local started = r:start("--soak", "1d", "--grace", "7d", "--adoption", "time")
    assert.equal("soaking", started.state)
    assert.is_true(started.due > DAY - 60 and started.due <= DAY)
    r:age(60)
    assert.matches("in 23 hours", (r:done { "rotate", "advance" }))
    r:age(DAY + 1)
    local rows = r:json { "rotate", "advance" }
    assert.equal(1, #rows)
    assert.equal("grace", rows[1].state)
    assert.is_nil(rows[1].error)
    local text = r:done { "rotate", "status", "Default Key" }
    assert.matches("^Default Key: in its grace period%. Rotation %w+ in", text)
    assert.matches("Old key 1 ends in ...... and is disabled and kept until [%d-]+ [%d:]+ UTC; ", text)
    assert.matches("\n  %d+%-%d%d%-%d%d %d%d:%d%d:%d%d  adopted: the time alone counts\n", text)
    assert.matches("disabling the old key %(key 1%)\n", text)
    assert.matches("Next: once the grace is over, the old key is deleted, in [67] days? ", text)
    r:age(8 * DAY)
    assert.equal("done", r:json({ "rotate", "advance", started.id })[1].state)
    assert.equal(1, #s:on_service())
    assert.matches("nothing%.", (r:done { "rotate", "status", started.id }))
    assert.equal("", (r:done { "rotate", "advance" }))
    assert.same({}, r:json { "rotate", "list" })
    assert.equal(started.id, r:json({ "rotate", "list", "--all" })[1].id)
    local ended = r:json { "rotate", "history", "Default Key" }
    assert.same({ started.id, "done", "1", "2" }, { ended[1].id, ended[1].state, ended[1].old_id, ended[1].new_id })
    assert.matches("done", (r:done { "rotate", "history" }))
    assert.same({}, r:json { "rotate", "history", "another" })
    assert.equal("no rotation of the id or the name 'another' has ended\n", select(2, r:done { "rotate", "history",
      "another" }))
  end)

  it("start --wait goes on to the end", function()
    local done = r:start("--soak", "1s", "--grace", "1s", "--adoption", "time", "--wait")
    assert.equal("done", done.state)
    assert.is_true(done.finished)
    assert.equal(1, #s:on_service())
    assert.equal(s:holder().id, done.new_id)
  end)

  it("advance --wait goes on to the end, and --require-done asks whether it is there", function()
    r:start("--soak", "2s", "--grace", "0", "--adoption", "time")
    local _, output = r:fails(7, { "rotate", "advance", "--require-done" })
    assert.matches("soaking", output)
    assert.equal("done", r:json({ "rotate", "advance", "--wait" })[1].state)
  end)

  it("advance finds what is asked for by name when it has ended already", function()
    local started = r:start("--soak", "0", "--grace", "0")
    assert.equal("done", started.state)
    assert.equal("done", r:json({ "rotate", "advance", started.id, "--require-done" })[1].state)
  end)

  it("confirm ends a soak", function()
    local started = r:start("--adoption", "confirm", "--grace", "0")
    assert.is_nil(started.due)
    assert.matches("up to you", (r:done { "rotate", "list" }))
    local _, errors = r:done { "rotate", "confirm", started.id }
    assert.matches("^confirmed; to continue: confidentai rotate advance " .. started.id, errors)
    assert.equal("done", r:json({ "rotate", "advance" })[1].state)
  end)

  it("rollback puts the old secret back", function()
    local started = r:start()
    local back = r:json { "rotate", "rollback", started.id }
    assert.equal("soaking", back.state) -- backwards
    assert.is_false(back.finished)
    assert.equal(old_secret() .. "\n", s:read "key")
    assert.same({ true, true }, { s:on_service()[1].valid, s:on_service()[2].valid })
    assert.matches("going back to the old key: both keys work", (r:done { "rotate", "status", "Default Key" }))
    assert.equal("soaking", r:json({ "rotate", "keep", started.id }).state)
    assert.not_equal(old_secret() .. "\n", s:read "key")
    r:json { "rotate", "rollback", started.id, "--now" }
    assert.same({ true, false }, { s:on_service()[1].valid, s:on_service()[2].valid })
  end)

  it("abort ends what has published nothing", function()
    s:fault { type = "drop", method = "GET", skip = 3, times = -1 }
    s:store()
    r:fails(1, r:starting("--timeout", "1"))
    s.service:clear_faults()
    local id = s:record().id
    assert.equal("aborted", r:json({ "rotate", "abort", id }).state)
    assert.is_false(s:on_service()[2].valid) -- it is watched before it is deleted: this process did not make it
    assert.equal(old_secret() .. "\n", s:read "key")
  end)

  it("abort refuses what is published", function()
    local started = r:start()
    assert.matches("rollback goes back", (r:fails(6, { "rotate", "abort", started.id })))
  end)

  it("dry runs show the plan, and change nothing", function()
    s:store()
    local words = r:starting("--soak", "24h", "--grace", "7d", "--dry-run", "--on-published", "systemctl reload app")
    local output = r:done(words)
    assert.matches("^Plan for key 1 'Default Key' of the project %w+%. Nothing was changed%.\n", output)
    assert.matches("\n  now        Create a key named Default Key~g1~%.%.%., and check that it works%.\n", output)
    assert.matches("\n +Write its secret to file:[^\n]+, and read it back%.\n +Run: %S*/systemctl reload app\n", output)
    assert.matches("\n  in 1 day   Check the new key and the stores again, then disable key 1%.\n", output)
    assert.matches("\n  in 8 days  Delete key 1, after a last check of both keys and the stores%.\n$", output)
    assert.is_true(r:json(words).dry_run)
    assert.equal(0, #support.requests(s.service, "POST"))
    assert.same({}, r:json { "rotate", "list", "--all" })
    assert.matches("No soak", (r:done(r:starting("--compromised", "--dry-run"))))
  end)

  it("list and status write what is documented, in every format", function()
    local started = r:start("--base", "a \"b\",\n\27[31mc", "--on-published", "true")
    local listed = r:json({ "rotate", "list" })[1]
    for _, field in ipairs { "id", "base", "kind", "scope", "project_id", "state", "since", "old_id", "new_id",
      "evidence", "next", "due", "due_at", "finished", "settled", "dry_run", "options", "notice", "stores", "suspects",
      "commands", "history" } do
      assert.not_nil(listed[field], field)
    end
    assert.same({}, listed.suspects)
    assert.same({ require("confidentai.core").program "true" }, listed.options.on_published)
    assert.equal("succeeded", listed.notice.state)
    assert.equal(1, #listed.stores)
    assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", listed.history[1].at)
    local line = command.lines((r:done { "rotate", "list", "-o", "jsonl" }))[1]
    local cells = command.csv((r:done { "rotate", "list", "-o", "csv" }))[1]
    local alone = r:json { "rotate", "status", started.id }
    for _, field in ipairs { "id", "base", "state", "old_id", "new_id", "next", "evidence" } do
      assert.equal(listed[field], line[field])
      assert.equal(listed[field], cells[field])
      assert.equal(listed[field], alone[field])
    end
    assert.is_nil(cells.options)
    local text = r:done { "rotate", "list" } .. r:done { "rotate", "status", started.id }
    assert.is_nil(text:find("\27", 1, true))
    assert.matches("\27%[1mID", (r:done({ "rotate", "list" }, { columns = 100 })))
    text = r:done({ "rotate", "list" }, { columns = 100, variables = { NO_COLOR = "1" } })
    assert.is_nil(text:find("\27", 1, true))
  end)

  it("list --fail-overdue tells monitoring", function()
    r:start("--soak", "1d", "--adoption", "time")
    r:done { "rotate", "list", "--fail-overdue" }
    r:age(DAY + 7000)
    r:done { "rotate", "list", "--fail-overdue" } -- due, and not late yet
    r:age(DAY)
    local _, output = r:fails(3, { "rotate", "list", "--fail-overdue" })
    assert.matches("overdue", output)
    r:done { "rotate", "list" }
    r:done { "rotate", "advance" }
    r:done { "rotate", "list", "--fail-overdue" }
  end)

  it("list --fail-overdue tells of what waits for somebody", function()
    r:start("--adoption", "confirm", "--soak-max", "1d")
    r:age(2 * DAY)
    local errors = r:fails(1, { "rotate", "advance" })
    assert.matches("^confidentai: the rotation %w+ of 'Default Key' has stopped %(stalled%): nothing shows", errors)
    assert.matches("\n  see: confidentai rotate status ", errors)
    local _, output = r:fails(3, { "rotate", "list", "--fail-overdue", "--output", "json" })
    assert.equal("stopped", command.json(output)[1].attention)
    assert.equal("stalled", command.json(output)[1].state)
    assert.matches("It has stopped: nothing shows", (r:done { "rotate", "status", "Default Key" }))
  end)

  it("a compromised key whose secret was not seen to be refused is no clear end", function()
    s:write("key", "confident_us_proj_" .. ("written0by0hand0"):rep(3))
    local errors, output = r:fails(5, r:starting("--compromised", "--replace-store"))
    assert.matches("has ended; it was not shown that the compromised secret is refused", errors)
    assert.matches("Next: see that the old secret is refused", output)
    local id = s:record().id
    r:set_clock()
    local line = output:match "\n    (confidentai rotate advance [^\n]+)"
    s:write("old", s.service.projects[1].api_key .. "\n")
    local result = r:paste((line:gsub("%-%-ask%-old%-secret", "--old-secret-file " .. s:path "old")))
    assert.equal(0, result.status, result.errors)
    local status = r:json { "rotate", "status", id }
    assert.is_nil(status.doubt)
    assert.same({}, status.commands)
  end)

  it("compromised keys go at once, and there is no way back", function()
    local started = r:start "--compromised"
    assert.equal("done", started.state)
    assert.equal(1, #s:on_service())
  end)

  it("replaces keys of the organization, and the one that it uses itself", function()
    s:store("manager", s.service.api_key)
    local done = r:json { "rotate", "start", "1", "--store", "file:" .. s:path "manager", "--soak", "0", "--grace", "0",
      "--settle", "2s" }
    assert.equal("done", done.state)
    assert.equal("organization", done.scope)
    assert.equal("manager", s:holder("manager", "organization").name:match "^[^~]+")
    s.service:reset()
  end)

  it("--verbose tells of steps and requests", function()
    s:store()
    local _, errors = r:done(r:starting "--verbose")
    assert.matches("%d%d:%d%d:%d%d  Default Key published: writing a store %(file:[^\n]+%)\n", errors)
    assert.matches("> POST /v1/projects/", errors)
  end)

  it("finds the state folder by STATE_DIRECTORY", function()
    s:store()
    local words = r:starting()
    local result = command.run(s.service, words, { variables = { STATE_DIRECTORY = s:path "elsewhere" } })
    assert.equal(0, result.status, result.errors)
    assert.is_truthy(result.output:find("advance --state-dir " .. s:path "elsewhere" .. " >/dev/null", 1, true))
    result = command.run(s.service, { "rotate", "list", "--output", "json" },
      { variables = { STATE_DIRECTORY = s:path "elsewhere" } })
    assert.equal(1, #command.json(result.output))
  end)
end)
