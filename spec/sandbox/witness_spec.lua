-- SPDX-License-Identifier: Apache-2.0
local files = require "spec.files"
local support = require "spec.sandbox.support"

local request, list_path = support.request, support.list_path

describe("a witness", function()
  local folder = support.temporary_folder()
  local path = folder .. "/key"
  local service = support.service { witness_folder = folder }
  local project

  setup(function() project = service.projects[1] end)
  teardown(function() support.remove_folder(folder) end)
  before_each(function()
    os.remove(path)
    assert(service:set { witness = { path } })
  end)

  local function write(text)
    files.write(path, text)
  end

  local function put(id, valid)
    return request(service, { method = "PUT", path = list_path .. "/" .. id, body = { valid = valid } })
  end

  --- What was seen at the latest change.
  local function seen()
    local log = service:log()
    return log[#log].witness[path]
  end

  it("says which key the file holds, and whether it worked before and after the change", function()
    write(service:state().keys[2].value)
    put(2, false)
    assert.same({
      holds = { scope = "organization", id = 2 }, valid = { before = true, after = false },
    }, seen())
    put(2, true)
    assert.same({ before = false, after = true }, seen().valid)
    request(service, { method = "POST", path = list_path, body = { name = "n" } })
    assert.same({ before = true, after = true }, seen().valid)
    request(service, { method = "DELETE", path = list_path .. "/2" })
    assert.same({ before = true, after = false }, seen().valid)
    put(1, true)
    assert.same({ holds = { scope = "organization", id = 2 }, valid = { before = false, after = false } }, seen())
  end)

  it("finds a secret wherever it stands in the file, and several", function()
    write("# keys\nexport A=\"" .. project.api_key .. "\"\nB='" .. service.api_key .. "'\nC=" .. project.api_key)
    put(2, false)
    assert.same({
      holds = { scope = "project", project_id = project.id, id = 1 }, valid = { before = true, after = true },
      others = { { holds = { scope = "organization", id = 1 }, valid = { before = true, after = true } } },
    }, seen())
  end)

  it("finds secrets of every form", function()
    local list = "/v1/projects/" .. project.id .. "/api-keys"
    for _ = 1, 20 do
      local key = request(service, { method = "POST", path = list, body = { name = "n" } }).data.apiKey
      write(key.value .. "\n")
      put(2, true)
      assert.equal(key.id, seen().holds.id)
    end
  end)

  it("knows files that hold no key, and those that are missing", function()
    put(2, false)
    assert.same({ missing = true }, seen())
    write("confident_us_org_000 and nothing else")
    put(2, true)
    assert.same({}, seen())
  end)

  it("sees a key that does not authenticate yet as one that does not work", function()
    service:set { propagation = 60 }
    local key = request(service, { method = "POST", path = list_path, body = { name = "n" } }).data.apiKey
    write(key.value)
    put(2, false)
    assert.same({ before = false, after = false }, seen().valid)
    service:set_clock(61)
    put(2, true)
    assert.same({ before = true, after = true }, seen().valid)
  end)

  it("looks at late commits and edits, not at what changes nothing", function()
    write(service:state().keys[2].value)
    service:fault { type = "late_commit", clock_seconds = 60, operation = "update" }
    put(2, false)
    request(service, { path = list_path })
    put(99, false)
    for _, entry in ipairs(service:log()) do assert.is_nil(entry.witness) end
    service:set_clock(61)
    assert.same({ before = true, after = false }, service:log()[1].witness[path].valid)
    service:fault { type = "edit", change = "enable", target = 2 }
    request(service, { path = list_path })
    assert.same({ before = false, after = true }, seen().valid)
  end)

  it("tells nothing of a file elsewhere, whatever its name", function()
    local outside = support.temporary_folder()
    files.write(outside .. "/key", service.api_key)
    for _, name in ipairs {
      outside .. "/key", folder .. "/../" .. outside:match("[^/]+$") .. "/key", folder .. "-other/key", folder .. "/..",
      "/etc/passwd", folder,
    } do
      local ok, message = pcall(service.set, service, { witness = { name } })
      assert.is_false(ok, name)
      assert.truthy(message:find("is not below the folder that the sandbox was started with", 1, true), message)
    end
    support.shell("ln -s " .. outside .. "/key " .. folder .. "/link; ln -s " .. outside .. " " .. folder .. "/links; "
      .. "mkfifo " .. folder .. "/pipe; ln -s key " .. folder .. "/near")
    write(service.api_key)
    local names = { folder .. "/link", folder .. "/links/key", folder .. "/pipe", folder .. "/near" }
    service:set { witness = names }
    put(2, false)
    local log = service:log()
    for index = 1, 3 do assert.same({ missing = true }, log[#log].witness[names[index]], names[index]) end
    assert.equal(1, log[#log].witness[names[4]].holds.id)
    support.remove_folder(outside)
  end)

  it("never tells the secret", function()
    write(service.api_key)
    put(2, false)
    local log = request(service, { url = service.control_url, path = "/log", key = false }).body
    assert.truthy(log:find("\"holds\"", 1, true))
    assert.is_nil(log:find(service.api_key, 1, true))
  end)

  it("can be sent away", function()
    assert.same({ path }, service:settings().witness)
    assert.same({}, service:set({ witness = {} }).witness)
    put(2, false)
    assert.is_nil(service:log()[1].witness)
  end)
end)
