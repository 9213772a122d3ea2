-- SPDX-License-Identifier: Apache-2.0
-- Stores in nginx: commands run beside its workers, which serve others meanwhile. nginx reaps every child there is, has
-- descriptors that are not closed for programs, and takes its environment away.

local cjson = require "cjson"
local http = require "spec.hosts.nginx.http"
local server = require "spec.hosts.nginx.server"
local support = require "spec.support"

-- Seconds: less than the commands take, for which a worker that waited for them would be gone.
local LONGEST_GAP = 0.25

local SECRET = "confident_us_org_s3cr3t0123456789abcdef"

describe("a command as a store, in nginx,", function()
  local service = support.service()
  local nginx

  setup(function()
    nginx = server.start {
      variables = { CONFIDENT_ORG_API_KEY = service.api_key, CONFIDENT_BASE_URL = service.base_url },
    }
  end)
  teardown(server.stop_all)
  after_each(function() assert.equal("", nginx:complaints()) end)

  local function ask(path, value)
    local answer = assert(nginx:request(path, value))
    assert.equal(200, answer.status, answer.body .. nginx:complaints())
    return cjson.decode(answer.body)
  end

  local function sh(script)
    return { "sh", "-c", script, nginx.prefix }
  end

  it("stores in the phase content", function()
    local answer = ask("/store", { secret = SECRET, store = { command = sh "cat >$0/stored; ls /proc/self/fd | wc -l",
      check = { "cat", nginx.prefix .. "/stored" } } })
    assert.same({ ok = true, read = SECRET }, answer)
  end)

  it("gets no descriptor of nginx's", function()
    local answer = ask("/store", { secret = SECRET, store = { command = { "true" },
      check = sh "for i in /proc/$$/fd/*; do [ -e $i ] && readlink $i; done | grep -v pipe: | grep socket; true" } })
    assert.same({ ok = true }, answer)
  end)

  it("stores in a timer", function()
    ask("/store_in_timer", { name = "stored", secret = SECRET, store = { command = sh "cat >$0/in_timer; sleep 0.1",
      check = { "cat", nginx.prefix .. "/in_timer" } } })
    local kept
    assert.is_true(http.poll(function()
      kept = ask("/result", { name = "stored" })
      return kept ~= cjson.null
    end, 5))
    assert.same({ ok = true, read = SECRET }, kept)
  end)

  it("tells how a command failed, though nginx reaps all children", function()
    for _ = 1, 10 do
      assert.same({ ok = false, message = "exec:sh: its command exited with status 3: no room" },
        ask("/store", { secret = SECRET, store = { command = sh "echo no room >&2; exit 3" } }))
    end
    assert.same({ ok = false, message = "exec:sh: its command did not end within 0.2 seconds, and was killed" },
      ask("/store", { secret = SECRET, store = { command = sh "sleep 60", timeout = 0.2 } }))
    assert.is_nil(nginx:log():find("unknown process", 1, true)) -- it sees none of ours
  end)

  -- The longest gap between turns of a worker's loop, in seconds, while commands of 0.3 seconds store on both.
  local function longest_gap(path)
    local connections, gaps = nginx:connections(5), {}
    for worker = 0, 1 do
      gaps[#gaps + 1] = connections[worker][1]:ask("/gap", { seconds = 1 })
    end
    local asked = {}
    for worker = 0, 1 do
      for i = 2, 5 do
        asked[#asked + 1] = connections[worker][i]:ask(path, { name = worker .. i, secret = SECRET,
          store = { command = sh(("sleep 0.3; cat >$0/%d%d"):format(worker, i)) } })
      end
    end
    for _, connection in ipairs(asked) do
      local answer = assert(connection:wait())
      assert.equal(200, answer.status)
      local kept = cjson.decode(answer.body)
      assert.is_true(kept == cjson.null or kept.ok)
    end
    local longest = 0
    for _, connection in ipairs(gaps) do
      longest = math.max(longest, tonumber(assert(connection:wait()).body))
    end
    for worker = 0, 1 do
      for i, connection in ipairs(connections[worker]) do
        connection:close()
        local file = i > 1 and assert(io.open(("%s/%d%d"):format(nginx.prefix, worker, i)))
        if file then
          assert.equal(SECRET, file:read "*a")
          file:close()
          os.remove(("%s/%d%d"):format(nginx.prefix, worker, i))
        end
      end
    end
    return longest
  end

  for phase, path in pairs { content = "/store", timer = "/store_in_timer" } do
    it("holds no worker, in the phase " .. phase, function()
      local longest
      for _ = 1, 3 do -- 20 ms with eight started at once on two cores; on a busy machine the best of three counts
        longest = longest_gap(path)
        if longest < LONGEST_GAP then
          return
        end
      end
      error(("a gap of %.0f ms"):format(longest * 1e3))
    end)
  end

  it("ends a command that nobody waits for, at its time limit", function()
    ask("/store_and_be_killed", { secret = SECRET, store = { timeout = 0.5,
      command = sh "cat >/dev/null; echo $$ >$0/pid; sleep 60" } })
    local file = assert(io.open(nginx.prefix .. "/pid"))
    local pid = file:read "*n"
    file:close()
    assert.is_true(http.poll(function()
      local about = io.open(("/proc/%d/stat"):format(pid))
      local state = about and about:read("*a"):match "%) (%a)"
      if about then
        about:close()
      end
      return state == nil or state == "Z"
    end, 5))
  end)
end)
