-- SPDX-License-Identifier: Apache-2.0
-- The examples for systemd and CI: they are well-formed, and the commands in them are such that the command takes them.

local argparse = require "argparse"
local cli = require "confidentai.cli"
local folders = require "spec.folders"
local lyaml = require "lyaml"
local options = require "confidentai.cli.rotate.options"
local process = require "spec.process"
local store_option = require "confidentai.cli.store_option"
local shell_words = require "confidentai.cli.shell_words"

describe("the example", function()
  local folder = folders.each()

  local function read(path)
    return assert(folders.read("examples/" .. path))
  end

  -- What the command's own parser makes of words; options that need more are looked into, too.
  local function parse(list)
    local arguments = {}
    for i, word in ipairs(list) do
      arguments[i] = word
    end
    local ok, parsed = cli.parser(argparse, arguments[1]):pparse(arguments)
    assert.is_true(ok, tostring(parsed))
    options.on_published(parsed)
    return parsed, store_option.stores(parsed)
  end

  local function command_of(text)
    local list = assert(shell_words.split((text:gsub("\\\n", " ")))) -- they quote what a shell would expand
    assert.matches("confidentai$", table.remove(list, 1))
    return parse(list)
  end

  it("of systemd is a unit that systemd takes", function()
    local found = process.start("sh", { "-c", "command -v systemd-analyze" })
    if found:wait(5000) ~= 0 then
      pending "there is no systemd-analyze here"
      return
    end
    folders.write(folder.path .. "/confidentai", "#!/bin/sh\n", 493)
    for _, name in ipairs { "confidentai-rotate.service", "confidentai-rotate.timer" } do
      local text = read("systemd/" .. name):gsub("ExecStart=confidentai", "ExecStart=" .. folder.path .. "/confidentai")
      folders.write(folder.path .. "/" .. name, text, 420)
    end
    local verify = process.start("systemd-analyze", { "verify", folder.path .. "/confidentai-rotate.service",
      folder.path .. "/confidentai-rotate.timer" })
    local status, _, output, errors = verify:finish()
    assert.equal(0, status, output .. errors)
    assert.is_nil((output .. errors):find("confidentai", 1, true), output .. errors)
  end)

  it("of systemd advances what is due, with its records where it may write", function()
    local unit = read "systemd/confidentai-rotate.service"
    local parsed = command_of(assert(unit:match "\nExecStart=([^\n]+)"))
    assert.equal("rotate", parsed.command)
    assert.equal("advance", parsed.verb)
    assert.matches("\nStateDirectoryMode=0700\n", unit)
    assert.is_truthy(unit:find("--state-dir /var/lib/" .. unit:match "\nStateDirectory=(%S+)", 1, true))
    for line in unit:gmatch "#   (confidentai rotate [^\n]+)" do
      assert.equal("start", command_of(line).verb)
    end
  end)

  it("of GitHub Actions runs ensure, alone", function()
    local workflow = lyaml.load(read "ci/github-actions.yml")
    assert.is_string(workflow.concurrency.group)
    assert.is_false(workflow.concurrency["cancel-in-progress"])
    local found
    for _, step in ipairs(workflow.jobs.ensure.steps) do
      found = step.run:match "^confidentai [^\n]+$" and step or found
    end
    local parsed, stores = command_of(found.run)
    assert.equal("ensure", parsed.command)
    assert.same({ "$PROJECT_ID" }, parsed.projects)
    assert.is_true(stores[1].readable)
    assert.is_string(found.env.CONFIDENT_ORG_API_KEY)
    assert.is_nil(found.run:find("secrets.", 1, true))
  end)

  describe("of Kubernetes", function()
    local function job()
      for _, document in ipairs(lyaml.load(read "ci/kubernetes-cronjob.yaml", { all = true })) do
        if document.kind == "CronJob" then
          return document.spec
        end
      end
    end

    it("runs ensure, alone", function()
      local spec = job()
      assert.equal("Forbid", spec.concurrencyPolicy)
      local container = spec.jobTemplate.spec.template.spec.containers[1]
      assert.same({ "confidentai" }, container.command)
      local parsed, stores = parse(container.args)
      assert.equal("ensure", parsed.command)
      assert.is_true(stores[1].readable)
      assert.same({ "kubectl", "rollout", "restart", "deployment/app" }, options.on_published(parsed))
    end)

    -- With a kubectl of our own: what its shell lines come to, and that a failure is no empty store.
    it("has shell lines that work", function()
      folders.write(folder.path .. "/kubectl", [[#!/bin/sh
cd "$(dirname "$0")" || exit 9
test ! -e broken || exit 1
case $1 in
  create) base64 | tr -d '\n' ;;
  apply) cat >secret ;;
  get) test ! -e secret || cat secret ;;
esac
]], 493)
      local _, stores = parse(job().jobTemplate.spec.template.spec.containers[1].args)
      local spec = stores[1].spec
      local function run(list, input)
        local all = { "PATH=" .. folder.path .. ":/usr/bin:/bin" }
        for i, word in ipairs(list) do
          all[i + 1] = word
        end
        local status, _, output = process.start("env", all, nil, input):finish()
        return status, output
      end
      assert.same({ 0, "" }, { run(spec.check) })
      assert.equal(0, (run(spec.command, "a secret")))
      assert.same({ 0, "a secret" }, { run(spec.check) })
      folders.write(folder.path .. "/broken", "")
      assert.not_equal(0, (run(spec.check)))
      assert.not_equal(0, (run(spec.command, "another")))
    end)
  end)
end)
