-- SPDX-License-Identifier: Apache-2.0
---@meta confidentai.sandbox
-- Written by scripts/reference: change the doc comments that it reads, and run it.

---@class confidentai.SandboxOptions
---@field port? integer port of the service; 0: any free one; default: 0
---@field control_port? integer port of the control path; default: the one after --port
---@field host? string loopback address to listen on; default: "127.0.0.1"
---@field tls? boolean serve https://, HTTP/1.1 and HTTP/2
---@field ca_file? string where to write the certificate that clients must trust
---@field base_path? string serve below this path prefix
---@field projects? string[] names of the projects; default: "web", "research"
---@field generation? integer of the platform's API: 1, or 2 to serve /v2, too; default: 1
---@field seed? integer the same ids and secrets at every start
---@field state? string file that keeps the keys across restarts
---@field witness_folder? string folder of the files that the setting witness may name

---The service's key management on this machine, for specs and trials: `require "confidentai.sandbox"`. It needs the rocks http and luv, and luasocket here (docs/sandbox.md).
---@class confidentai.sandbox
local sandbox = {}

---Starts a service. It ends with this process at the latest. Raises when an option is unknown or of a wrong type.
---@param given? confidentai.SandboxOptions
---@return confidentai.Sandbox? service
---@return string? message what the service wrote to its standard error
function sandbox.start(given) end

---A service that runs, as a process of its own. A call that it refuses is a mistake of the spec, which must not pass without its fault: it raises there. A service that does not answer returns nil and a message.
---@class confidentai.Sandbox
---@field base_url string what clients connect to
---@field control_url string the control path
---@field api_key string the secret of the manager organization key
---@field global_key string the secret of a global key
---@field organization_id string
---@field projects { id: string, name: string, api_key: string }[] api_key: the secret of its first key
---@field ca_file? string with tls: the certificate to trust
---@field pid integer of the service's process
local Sandbox = {}

---Queues a fault. Raises when the fault is not well formed: an unknown type, field, operation or value.
---@param fault table { type, method?, path?, operation?, skip?, times?, ... }, see docs/sandbox.md
---@return integer? id
---@return string? message
function Sandbox:fault(fault) end

---Removes all faults.
---@return boolean? ok
---@return string? message
function Sandbox:clear_faults() end

---The faults that can still hit a request.
---@return table[]? faults
---@return string? message
function Sandbox:faults() end

---The requests received, oldest first.
---@param since? integer only those with a greater number `n`
---@return table[]? entries
---@return string? message
function Sandbox:log(since) end

---All keys with their full secrets.
---@return table? state { organization_id, projects, keys = { { scope, id, name, valid, value, ... } } }
---@return string? message
function Sandbox:state() end

---Counts.
---@return table? stats { requests, faults, connections_accepted, connections_open }
---@return string? message
function Sandbox:stats() end

---Back to the keys of the start, without faults, with an empty log.
---@return boolean? ok
---@return string? message
function Sandbox:reset() end

---The service as it is now.
---@return table? snapshot for `restore`, to be taken as it is; it has all secrets
---@return string? message
function Sandbox:snapshot() end

---Back to a snapshot, without faults, with an empty log. Raises when it is no snapshot of this version.
---@param snapshot table
---@return boolean? ok
---@return string? message
function Sandbox:restore(snapshot) end

---Moves the service's clock: its Date header, created_at and lastUsed. It runs from there on.
---@param seconds number ahead of the real time, or behind it when negative; reset sets it back
---@return boolean? ok
---@return string? message
function Sandbox:set_clock(seconds) end

---Stops the service's clock: it moves only by `advance`, until `set_clock` or a reset lets it run again.
---@param at? number seconds since 1970; the time that it shows now, if absent
---@return number? now seconds since 1970
---@return string? message
function Sandbox:stop_clock(at) end

---Moves the service's clock forward, whether it runs or not. What was to commit late by then has taken effect.
---@param seconds number
---@return number? now seconds since 1970
---@return string? message
function Sandbox:advance(seconds) end

---The time on the service's clock.
---@return number? now seconds since 1970
---@return string? message
function Sandbox:now() end

---Sets how the service behaves; reset sets it back. Raises at an unknown name or a wrong value.
---@param values table names and values of docs/sandbox.md; those not given stay
---@return table? settings all of them
---@return string? message
function Sandbox:set(values) end

---How the service behaves.
---@return table? settings
---@return string? message
function Sandbox:settings() end

---What the service has written to its standard error; empty unless something is wrong.
---@return string text
function Sandbox:errors() end

---Ends the service: SIGTERM, then SIGKILL. Does nothing the second time.
---@param seconds? number between the two; default 2
function Sandbox:stop(seconds) end

return sandbox
