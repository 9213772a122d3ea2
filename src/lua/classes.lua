-- SPDX-License-Identifier: Apache-2.0
-- What doc comments in lua/ cannot say: the fields and methods that C gives to objects, and the records and events that
-- C makes. scripts/reference reads this file; nothing runs it. spec/reference_spec.lua holds it against real objects.

local ApiKey, Client, Engine = {}, {}, {}

---What `require "confidentai"` gives.
---@class confidentai.Module
---@field _VERSION string this library's version, such as "0.1.0"
---@field rotation confidentai.rotation rotations that were begun, and their records
---@field scan confidentai.scan finds secrets in text
---@field store confidentai.store where new secrets go

---Rotations that were begun, and their records (docs/rotation.md). `api_keys:rotate` begins one.
---@class confidentai.rotation

---Where new secrets go, so that their users find them: functions that make a Store.
---@class confidentai.store

---Finds the service's secrets in text: logs, dumps, configuration.
---@class confidentai.scan

---What a call returns with nil when it failed at run time. A plain table with a `__tostring`, the same on every Lua;
---no field holds a secret.
---@class confidentai.Error
---What failed. "config": a value of an option or the environment that cannot serve, or a place where nothing can wait;
---"api": the service said no; "network": no connection, or one that broke; "timeout"; "tls"; "protocol": an answer
---that is none of the service's, or is over the cap; "cancelled"; "guard": refused for safety, by this library;
---"store": a store of secrets could not be read or written; "state": the records of rotations could not be, or
---somebody holds them.
---@field kind "config"|"api"|"network"|"timeout"|"tls"|"protocol"|"cancelled"|"guard"|"store"|"state"
---@field message string for people
---@field status? integer HTTP status
---@field envelope? boolean whether the answer was the service's own, and not a proxy's, say
---@field link? string to the service's page about it
---@field retry_after? integer seconds that the service asks to wait
---Of calls that change something: whether it certainly did not happen, or may have.
---@field outcome? "not_applied"|"unknown"
---@field attempts? integer how often it was tried
---@field method? string of the request
---@field path? string of the request
---@field state? string what a rotation had reached
---@field next? string what a person can do about it
---@field cause? string of a refusal of a rotation or ensure: why, as a word
---@field facts? string[] what is true of the keys of the rotation that it is about
---@field ways? confidentai.Way[] the commands that lead on from a refusal

---What `on_event` is called with. "request" and "response" come for each attempt, "retry" when another follows,
---"deprecated" when the service says so of the call.
---@class confidentai.Event
---@field type "request"|"response"|"retry"|"deprecated"
---@field method string
---@field path string
---@field attempt? integer from 1
---@field status? integer HTTP status of the answer, if there was one
---@field failure? string why there was none
---@field seconds? number of a response: what the attempt took; of a retry: until the next attempt
---@field bytes? integer of the answer
---@field link? string of "deprecated": where the service explains it

---The service, for one organization key. `tostring` shows no secret.
---@class confidentai.Client
---@field base_url string where its calls go
---@field api_key string masked
---@field projects confidentai.Projects the organization's
---@field event_errors integer how often on_event has raised

---Ends the client: its calls under way end with `cancelled`, later ones raise. So do garbage collection and `<close>`.
---Closing again does nothing.
function Client:close() end

---@private
function Client:start() end
---@private
function Client:owns() end
---@private
function Client:is_credential() end
---@private
function Client:replace_credential() end

---The organization of a client's credential.
---@class confidentai.Organization
---@field api_keys confidentai.ApiKeys those that belong to no project

---A project of the organization.
---@class confidentai.Project
---@field id string
---@field api_keys confidentai.ApiKeys the project's

---The projects of the organization: `client.projects`.
---@class confidentai.Projects

---The keys of one scope: `organization.api_keys` and `project.api_keys`. An id is an integer from 1 to 2^53, a string
---of `[A-Za-z0-9_-]` up to 128 characters, or an ApiKey of the same scope and project.
---@class confidentai.ApiKeys
---@field scope "organization"|"project"
---@field project_id? string of a project's keys

---A key, as the service showed it. `tostring`, inspection and errors show its secret masked; `==` compares scope,
---project and id.
---@class confidentai.ApiKey
---@field id integer|string
---@field name? string
---@field valid boolean whether it is enabled
---The whole secret in what `create` returns, until `forget`; else 15 asterisks and the last 6 characters.
---@field value string
---@field created_at? string ISO 8601, UTC
---@field last_used? string ISO 8601, UTC; nil: never; "unknown": the service does not tell
---@field rotates_at? string ISO 8601: when the service itself is to rotate it
---@field replacement? string masked: the secret that will be the key's then
---@field scope "organization"|"project"
---@field project_id? string of a project's key
---@field has_secret boolean whether `value` is the whole secret

---Wipes the object's own copy of the secret; `value` is masked from then on. So do garbage collection and `<close>`.
---Lua strings that were made of it live until they are collected.
function ApiKey:forget() end

---The fields, as a plain table.
---@param options? confidentai.ToTableOptions
---@return confidentai.ApiKeyTable fields
function ApiKey:to_table(options) end

---@class confidentai.ToTableOptions
---@field reveal? boolean with the whole secret in `value`, if it is there; default: false

---@class confidentai.ApiKeyTable
---@field id integer|string
---@field name? string
---@field valid boolean
---@field value string masked, unless it is revealed
---@field created_at? string
---@field last_used? string
---@field rotates_at? string
---@field replacement? string masked
---@field scope "organization"|"project"
---@field project_id? string
---@field has_secret boolean

---@class confidentai.OrganizationRecord
---@field id integer|string
---@field name? string
---@field plan? string
---@field created_at? string ISO 8601, UTC

---@class confidentai.ProjectRecord
---@field id string
---@field name? string
---@field description? string
---@field organization_id? string
---@field created_at? string ISO 8601, UTC

---@class confidentai.DeletedKey
---@field id integer|string
---@field deleted true

---What a driver steps. There is one for each Lua state.
---@class confidentai.Engine

---Does what can be done.
---@param seconds number how long to wait for something to do; 0: not at all; negative: until something happens
---@return integer in_flight how many calls are under way
function Engine:step(seconds) end

---A descriptor that is readable when a step has something to do, timers included. It is another after a fork.
---@return integer descriptor
function Engine:fd() end

---For loops without descriptors.
---@return number? seconds until a step is due at the latest; nil: none is
function Engine:timeout() end

---How many calls have ended, ever: whoever steps may end calls that others wait for.
---@return integer count
function Engine:finished() end

---How many calls are under way.
---@return integer count
function Engine:in_flight() end

---How long ago the last step was.
---@return number seconds infinite when one is due at once
function Engine:age() end

---@private
function Engine:timer() end

---A call, a timer, or a group of tasks: what a driver waits for.
---@class confidentai.Awaited
---Whether it has ended; of a group: runs what can be run of it. May raise what a task raises.
---@field done fun(self: confidentai.Awaited): boolean
---@field cancel fun(self: confidentai.Awaited)

---The service's key management on this machine, for specs and trials: `require "confidentai.sandbox"`. It needs the
---rocks http and luv, and luasocket here (docs/sandbox.md).
---@class confidentai.sandbox
