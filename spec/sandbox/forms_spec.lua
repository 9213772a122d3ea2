-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local support = require "spec.sandbox.support"

local request, list_path = support.request, support.list_path

describe("the sandbox writes", function()
  local service = support.service { projects = { "web", "other", "third" } }

  local function create(name)
    return request(service, { method = "POST", path = list_path, body = { name = name } }).data.apiKey
  end

  local function get(id)
    return request(service, { path = list_path .. "/" .. id }).data.apiKey
  end

  local umlaut, apart = "\195\132", "A\204\136" -- the same letter, composed and not
  for form, case in pairs {
    sent = { "  Ab  c ", "  Ab  c " }, trimmed = { "  Ab  c ", "Ab  c" },
    lower = { "Ab~G1 " .. umlaut .. "\195\151", "ab~g1 \195\164\195\151" },
    upper = { "aB~g1 \195\164\195\183", "AB~G1 " .. umlaut .. "\195\183" },
    cut = { ("x"):rep(63) .. umlaut .. "yz", ("x"):rep(63) .. umlaut },
    nfc = { apart .. "z\204\140~", umlaut .. "\197\190~" }, nfd = { umlaut .. "\197\190~", apart .. "z\204\140~" },
    folded = { "a  b\t\nc", "a b c" }, prefixed = { "ci", "key: ci" }, suffixed = { "ci", "ci (1)" },
  } do
    it("names " .. form, function()
      assert(service:set { names = form })
      local key = create(case[1])
      assert.equal(case[2], key.name)
      assert.equal(case[2], get(key.id).name)
      assert.equal(case[2], service:state().keys[3].name)
    end)
  end

  for form, pattern in pairs {
    default = "^2027%-01%-15T08:00:00%.250Z$", z = "^2027%-01%-15T08:00:00%.250Z$",
    utc = "^2027%-01%-15T08:00:00%.250000%+00:00$", offset = "^2027%-01%-15T13:30:00%+05:30$",
    bare = "^2027%-01%-15T08:00:00%.250000$", blank = "^2027%-01%-15 08:00:00%+00:00$",
    lower = "^2027%-01%-15t08:00:00z$", whole = "^2027%-01%-15T08:00:00Z$", unreadable = "about noon$",
  } do
    it("times as " .. form, function()
      service:stop_clock(1800000000.25)
      assert(service:set { time_form = form })
      local key = create "n"
      assert.matches(pattern, key.created_at)
      assert.equal(cjson.null, key.lastUsed)
      assert.matches(pattern, get(1).lastUsed)
      assert.equal("2027-01-15T08:00:00.250Z", service:state().keys[3].created_at)
    end)
  end

  it("times as numbers", function()
    service:stop_clock(1800000000.25)
    assert(service:set { time_form = "number" })
    assert.equal(1800000000, create("n").created_at)
  end)

  it("ids as text, with a prefix, and finds keys by it", function()
    assert(service:set { ids = "string" })
    local key = create "n"
    assert.equal("3", key.id)
    assert(service:set { id_prefix = "-k" })
    assert.equal("-k3", get("-k3").id)
    assert.same({ id = "-k3", deleted = true },
      request(service, { method = "DELETE", path = list_path .. "/-k3" }).data)
    assert.equal(2, #service:state().keys - #service.projects)
  end)

  it("the first page of lists only", function()
    assert(service:set { page_size = 2 })
    create "third"
    local keys = request(service, { path = list_path }).data.apiKeys
    assert.same({ "manager", "legacy-ci" }, { keys[1].name, keys[2].name })
    assert.equal(2, #keys)
    assert.equal(2, #request(service, { path = "/v1/projects" }).data.projects)
    assert.equal("third", get(3).name)
    assert.has_error(function() service:set { page_size = 1.5 } end)
  end)

  it("a date that is shifted, unreadable or not there", function()
    service:stop_clock(1800000000)
    local function date() return request(service, { path = list_path }).headers.date end
    assert.equal("Fri, 15 Jan 2027 08:00:00 GMT", date())
    assert(service:set { date_shift = -86400 })
    assert.equal("Thu, 14 Jan 2027 08:00:00 GMT", date())
    assert(service:set { date = "unreadable" })
    assert.matches("about", date())
    assert(service:set { date = "absent" })
    assert.is_nil(date())
  end)

  it("uses that are throttled, or move no more", function()
    local function used() return get(1).lastUsed end
    service:stop_clock(1800000000)
    assert(service:set { last_used = "throttled", last_used_delay = 600 })
    local first = used()
    service:advance(599)
    assert.equal(first, used())
    service:advance(1)
    assert.equal("2027-01-15T08:10:00.000Z", used())
    assert(service:set { last_used = "still" })
    service:advance(86400)
    assert.equal("2027-01-15T08:10:00.000Z", used())
  end)
end)
