-- SPDX-License-Identifier: Apache-2.0
-- A relay in front of a sandbox that answers a create with 200 where the sandbox says 201. All else passes byte by
-- byte, the end of a connection too. The official TypeScript SDK takes 200 alone for a success, and the service's other
-- creates are documented with it: so that what is compared is not this.

local uv = require "luv"

local relay = {}

local function close(handle)
  if not handle:is_closing() then
    handle:close()
  end
end

local function pass(from, to, changed)
  from:read_start(function(err, chunk)
    if chunk and not to:is_closing() then
      to:write(changed(chunk))
    elseif err or not chunk then
      close(from)
      close(to)
    end
  end)
end

local function same(chunk)
  return chunk
end

local function with_200(chunk)
  return (chunk:gsub("^HTTP/1%.1 201[^\r]*", "HTTP/1.1 200 OK"))
end

---Starts a relay in this process, which serves while the loop of luv runs.
---@param port integer the sandbox's
---@return integer port
---@return fun() stop
function relay.start(port)
  local server, handles = uv.new_tcp(), {}
  assert(server:bind("127.0.0.1", 0))
  assert(server:listen(64, function()
    local client, service = uv.new_tcp(), uv.new_tcp()
    handles[#handles + 1], handles[#handles + 2] = client, service
    server:accept(client)
    service:connect("127.0.0.1", port, function(err)
      if err then
        close(client)
        close(service)
      else
        pass(client, service, same)
        pass(service, client, with_200)
      end
    end)
  end))
  return server:getsockname().port, function()
    handles[#handles + 1] = server
    for _, handle in ipairs(handles) do
      close(handle)
    end
    uv.run "nowait" -- what is closed is gone only then
  end
end

return relay
