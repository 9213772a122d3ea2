-- SPDX-License-Identifier: Apache-2.0
-- A peer that is frozen: its connections stay open, and nothing comes any more. Whatever is new works.

local confidentai = require "confidentai"
local core = require "confidentai.core"
local process = require "spec.process"
local support = require "spec.support"
local uv = require "luv"

local check = confidentai.check

-- Passes connections on to a port. What it has passed on until it is told to freeze stays open and silent for good.
local PROXY = [[
  local uv = require "luv"
  local server, commands, open, frozen = uv.new_tcp(), uv.new_pipe(false), {}, {}
  local function relay(from, to)
    open[from] = true
    from:read_start(function(_, chunk)
      if chunk then
        to:write(chunk)
      else
        for _, handle in ipairs { from, to } do
          if not handle:is_closing() then handle:close() end
        end
      end
    end)
  end
  server:bind("127.0.0.1", 0)
  server:listen(128, function()
    local near, far = uv.new_tcp(), uv.new_tcp()
    server:accept(near)
    far:connect("127.0.0.1", $PORT, function()
      relay(near, far)
      relay(far, near)
    end)
  end)
  commands:open(0)
  commands:read_start(function(_, text)
    if not text then os.exit(0) end
    for handle in pairs(open) do
      if not handle:is_closing() then handle:read_stop() end
    end
    frozen[#frozen + 1], open = open, {}
    io.write("frozen", #frozen, "\n")
    io.flush()
  end)
  io.write("port ", server:getsockname().port, "\n")
  io.flush()
  uv.run()
]]

describe("a peer that freezes", function()
  for how, tls in pairs { ["over HTTP/1.1"] = false, ["over HTTP/2"] = true } do
    describe(how, function()
      local service = support.service { tls = tls }
      local proxy, base_url, freezes

      before_each(function()
        proxy = process.lua(PROXY:gsub("$PORT", service.base_url:match ":(%d+)"), nil, true)
        proxy:wait_for "\n"
        base_url = service.base_url:gsub(":%d+", ":" .. proxy.output:match "port (%d+)")
        freezes = 0
      end)

      after_each(function()
        proxy:end_input()
        proxy:finish()
      end)

      local function new_client(options)
        options.base_url, options.timeout = base_url, options.timeout or 0.4
        return support.client(service, options)
      end

      local function freeze()
        freezes = freezes + 1
        proxy:write "freeze\n"
        proxy:wait_for("frozen" .. freezes)
      end

      -- Connections that have carried calls, as many as there are at once, and are idle.
      local function warm(client)
        local tasks = {}
        for i = 1, 6 do
          tasks[i] = function() return client:organization():get() end
        end
        local _, errors = confidentai.gather(tasks, { concurrency = 6 })
        assert.same({}, errors)
      end

      local function seconds(f)
        local before = uv.hrtime()
        f()
        return (uv.hrtime() - before) / 1e9
      end

      it("costs one attempt: the next one has a new connection", function()
        local client = new_client { max_retries = 1 }
        warm(client)
        for _ = 1, 3 do
          freeze()
          local _, err = check(client:organization():get())
          assert.is_nil(err)
        end
        assert.is_true(seconds(function() check(client:organization():get()) end) < 0.4)
      end)

      it("costs other clients and later calls nothing", function()
        local client = new_client { max_retries = 0 }
        warm(client)
        freeze()
        local _, err = client:organization():get()
        support.assert_error({ kind = "timeout", attempts = 1 }, err)
        check(client:organization():get())
        check(new_client { max_retries = 0 }:organization():get())
      end)

      it("costs calls at the same time one timeout together", function()
        local client = new_client { max_retries = 1 }
        warm(client)
        freeze()
        local spent = seconds(function() warm(client) end)
        assert.is_true(spent < 3, spent)
      end)

      it("is left by whoever gives a call up before its timeout", function()
        local ways = {
          { { max_retries = 0, timeout = 30 }, function(client)
            local call = client:start("GET", { "v1", "organization" })
            for _ = 1, 5 do core.engine():step(0.05) end
            call:cancel()
          end },
          { { max_retries = 3, timeout = 30, deadline = 0.3 }, function(client)
            local _, err = client:organization():get()
            support.assert_error({ kind = "timeout", attempts = 1 }, err)
          end },
        }
        for _, way in ipairs(ways) do
          local client = new_client(way[1])
          warm(client)
          freeze()
          way[2](client)
          assert.is_true(seconds(function() check(client:organization():get()) end) < 2)
        end
      end)
    end)
  end
end)
