-- SPDX-License-Identifier: Apache-2.0
---@meta confidentai
-- Written by scripts/reference: change the doc comments that it reads, and run it.

---Options of `confidentai.new`.
---@class confidentai.Options
---@field api_key? string organization key; default: $CONFIDENT_ORG_API_KEY
---@field base_url? string where the service is; default: $CONFIDENT_BASE_URL, else by region
---@field region? string US, EU or AU, in any case; default: $CONFIDENT_REGION, else by the key's prefix, else US
---@field allow_plain_http? boolean allow http:// to other hosts than this machine; default: false
---@field timeout? number seconds, for each attempt; default: 30
---@field connect_timeout? number seconds until connected, for each attempt; default: 10
---@field deadline? number seconds for a whole call: waiting for a place, attempts and the pauses between them; default: none
---@field max_connections? integer reads of one host at the same time, each on a connection, and as many calls that change something; over HTTP/2, 100 reads share one; default: 64
---@field max_retries? integer attempts after the first, 0 to 20; default: 3
---@field max_response_bytes? integer the largest answer that is read, in bytes; default: 33554432
---@field proxy? string as libcurl takes it; default: the environment's when the client is made, as libcurl reads it
---@field ca_file? string PEM file of the authorities to trust; default: libcurl's
---@field driver? "blocking"|"nginx"|"uv"|confidentai.Driver how to wait: "blocking", "nginx" or "uv", or a table with a function wait; default: the host's
---@field on_event? fun(event: confidentai.Event) called with what happened at each call, before its result is returned; must not wait; what it raises is counted in client.event_errors

---What `on_event` is called with. "request" and "response" come for each attempt, "retry" when another follows, "deprecated" when the service says so of the call.
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

---@class confidentai.GatherOptions
---@field concurrency? integer how many tasks run at once; default: 16
---@field on_error? "continue"|"cancel" after an error, "cancel" cancels the calls under way, and begins no other task; default: "continue"
---@field driver? confidentai.Driver what waits, instead of the host's

---The tasks' first results, by position.
---@class confidentai.GatherResults: { [integer]: any }
---@field n integer how many tasks there were

---What `require "confidentai"` gives.
---@class confidentai.Module
---@field _VERSION string this library's version, such as "0.1.0"
---@field rotation confidentai.rotation rotations that were begun, and their records
---@field scan confidentai.scan finds secrets in text
---@field store confidentai.store where new secrets go
local confidentai = {}

---Makes a client. Nothing is sent. Raises when an option is unknown or of a wrong type.
---@param given? confidentai.Options
---@return confidentai.Client? client
---@return confidentai.Error? err of kind "config": no api_key, or a value that cannot serve, be it of the environment
function confidentai.new(given) end

---Returns its arguments, or raises tostring(err) when the first is nil or false: assert for every Lua, as that of 5.1 takes no error object.
---@generic T
---@param value? T what a call returned
---@param err? confidentai.Error|string what it returned next
---@param ... any the rest
---@return T value
---@return any err
---@return any ... the rest
function confidentai.check(value, err, ...) end

---Runs functions at once, at most so many, and waits for them all; nothing blocks the host meanwhile. On PUC Lua 5.1 a task gives way to no other below pcall, so that a rotation does not while it holds its record.
---@param tasks function[] each: its first result is kept; `nil, err` and what it raises are its error
---@param options? confidentai.GatherOptions
---@return confidentai.GatherResults results by position
---@return table<integer, any> errors by position: what a task returned with nil, or raised; of kind "cancelled": it was not begun; of kind "config" for all: nothing can wait here
function confidentai.gather(tasks, options) end

---Begins one function, in Neovim or another host of libuv, and returns at once; the host's loop runs it on. Raises in other hosts.
---@param task function may wait for calls as any other code; what it raises, without on_end, is raised in the loop
---@param on_end? fun(ok: boolean, ...: any) called with true and the results, or false and the error
function confidentai.async(task, on_end) end

---What a call returns with nil when it failed at run time. A plain table with a `__tostring`, the same on every Lua; no field holds a secret.
---@class confidentai.Error
---@field kind "config"|"api"|"network"|"timeout"|"tls"|"protocol"|"cancelled"|"guard"|"store"|"state" What failed. "config": a value of an option or the environment that cannot serve, or a place where nothing can wait; "api": the service said no; "network": no connection, or one that broke; "timeout"; "tls"; "protocol": an answer that is none of the service's, or is over the cap; "cancelled"; "guard": refused for safety, by this library; "store": a store of secrets could not be read or written; "state": the records of rotations could not be, or somebody holds them.
---@field message string for people
---@field status? integer HTTP status
---@field envelope? boolean whether the answer was the service's own, and not a proxy's, say
---@field link? string to the service's page about it
---@field retry_after? integer seconds that the service asks to wait
---@field outcome? "not_applied"|"unknown" Of calls that change something: whether it certainly did not happen, or may have.
---@field attempts? integer how often it was tried
---@field method? string of the request
---@field path? string of the request
---@field state? string what a rotation had reached
---@field next? string what a person can do about it
---@field cause? string of a refusal of a rotation or ensure: why, as a word
---@field facts? string[] what is true of the keys of the rotation that it is about
---@field ways? confidentai.Way[] the commands that lead on from a refusal

---@class confidentai.Whoami
---@field organization confidentai.OrganizationRecord
---@field key? confidentai.ApiKey the client's own; nil: none matches the credential, or several do

---@class confidentai.AuditOptions
---@field max_age_days? number days of age from which on an enabled key is a finding; without it, age makes none
---@field unused_days? number days without use from which on an enabled key is a finding; without it, use makes none
---@field concurrency? integer lists at once; default: 64
---@field on_progress? fun(done: integer, total: integer) called after each list; must neither wait nor raise
---@field clock? fun(): number seconds since 1970; default: os.time, or the service's clock where the two disagree

---@class confidentai.AuditReport
---@field at string when it was made, ISO 8601, UTC
---@field base_url string
---@field organization confidentai.OrganizationRecord
---@field max_age_days? number as given
---@field unused_days? number as given
---@field totals confidentai.AuditTotals
---@field findings confidentai.AuditFinding[] the organization's first, then project by project
---@field unreadable confidentai.UnreadableScope[] what could not be read, or not as a whole

---@class confidentai.AuditTotals
---@field scopes integer
---@field keys integer
---@field enabled integer
---@field disabled integer
---@field unrotated integer enabled keys that no rotation has made
---@field findings integer
---@field unreadable integer scopes

---@class confidentai.AuditFinding
---@field kind "old"|"unused"|"never_used"|"unreadable_time"|"disabled"|"same_name"|"superseded"
---@field key confidentai.ApiKey
---@field project? confidentai.ProjectRecord nil: a key of the organization
---@field days? integer whole days: of age, without use, or since there is a newer one
---@field rotated boolean whether a rotation has made the key, by its name
---@field message string for people

---@class confidentai.UnreadableScope
---@field scope "organization"|"project"
---@field project? confidentai.ProjectRecord
---@field err confidentai.Error

---@class confidentai.IdentifyOptions
---@field probe? boolean try the secret; default: false
---@field concurrency? integer lists at once; default: 64
---@field on_progress? fun(done: integer, total: integer) called after each list; must neither wait nor raise
---@field clock? fun(): number seconds since 1970; default: os.time

---An array of matches, with more fields.
---@class confidentai.Identification: { [integer]: confidentai.Match }
---@field secret string masked
---@field base_url string where it was looked for
---@field at string when it was begun
---@field verdict "proven"|"last6"|"ambiguous"|"dead"|"foreign"|"global"|"unlisted"|"absent"|"unclear"
---@field message string for people
---@field probe? "accepted"|"refused"|"failed"|"skipped" nil: it was not to be tried
---@field probe_error? confidentai.Error
---@field organization? confidentai.OrganizationRecord the secret's, where it is an organization key that works
---@field scopes integer how many were looked through
---@field unreadable { scope: string, project_id: string?, project_name: string?, err: confidentai.Error }[] What could not be read, or not as a whole.
---@field steps { at: string, what: string }[]

---@class confidentai.Match
---@field scope "organization"|"project"
---@field project_id? string
---@field project_name? string
---@field key confidentai.ApiKey as it was listed
---@field last_used? string as it was before the secret was tried
---@field last_used_after? string as it was after that; "unknown": the key could not be looked at
---@field certainty "last6"|"ambiguous"|"proven"|"refused"|"excluded"
---@field evidence? "last_used" what proves it
---@field pending? boolean it is the end of the secret that will replace the key's, in a rotation by the service
---@field own? boolean it ends as the client's own credential does

---@class confidentai.ContainOptions
---@field replace? confidentai.RotateOptions has the key replaced by a rotation; default: it is disabled only
---@field confirm? fun(match: confidentai.Match, report: confidentai.Containment): boolean asked before anything is changed; false: nothing is
---@field concurrency? integer lists at once; default: 64
---@field on_progress? fun(done: integer, total: integer) called after each list; must neither wait nor raise
---@field clock? fun(): number seconds since 1970; default: os.time
---@field pause? fun(seconds: number) waits; default: as the client's driver does

---The identification, and what was done about it.
---@class confidentai.Containment: confidentai.Identification
---@field outcome? "contained"|"replaced"|"dead" "dead": the secret was refused already, and nothing was done. nil: it did not come to an end.
---@field contained_at? string ISO 8601, UTC: when the key was disabled
---@field refused_at? string ISO 8601, UTC: when the secret was seen to be refused
---@field rotation? { id: string, state: string, new_id: string? } that replaces the key

---The service, for one organization key. `tostring` shows no secret.
---@class confidentai.Client
---@field base_url string where its calls go
---@field api_key string masked
---@field projects confidentai.Projects the organization's
---@field event_errors integer how often on_event has raised
local Client = {}

---The organization of the client's credential.
---@return confidentai.Organization organization
function Client:organization() end

---A project, by its id. Nothing is asked of the service. Raises when the id cannot be one.
---@param id string `[A-Za-z0-9_-]`, up to 128 characters
---@return confidentai.Project project
function Client:project(id) end

---Who the client is: its organization, and its own key among the organization's.
---@return confidentai.Whoami? identity
---@return confidentai.Error? err
function Client:whoami() end

---Examines every key of the organization and its projects; it only reads. What could not be read is in `unreadable`.
---@param options? confidentai.AuditOptions
---@return confidentai.AuditReport? report
---@return confidentai.Error? err the projects or the organization could not be asked for
function Client:audit(options) end

---Finds whose key a secret is, by its last 6 characters among all keys of the organization and its projects, and notes when the key was last used. With `probe` the secret is tried, at the client's base URL only, which proves or refutes the match; that is a use of the key, and moves its lastUsed.
---@param secret string|string[] a secret, or its mask where it is not to be tried; several: each gets its report
---@param options? confidentai.IdentifyOptions
---@return confidentai.Identification|confidentai.Identification[]|nil report an array of matches, with more fields; for several secrets: an array of reports, in their order
---@return confidentai.Error? err the projects could not be listed
function Client:identify(secret, options) end

---Makes a leaked secret useless: finds its key, proves that it is the one, disables it, and proves that the secret is refused. A key that is not proven is never disabled, nor is the client's own; `replace` has such a key replaced by a new one, by a rotation with `compromised`, which deletes the old one.
---@param secret string whole
---@param options? confidentai.ContainOptions
---@return confidentai.Containment? report
---@return confidentai.Error? err of kind "guard": nothing was done, as the key is not proven, is the client's own, or was not confirmed; with `next`: what a person can do
---@return confidentai.Containment? partial how far it came, with its steps
function Client:contain(secret, options) end

---Ends the client: its calls under way end with `cancelled`, later ones raise. So do garbage collection and `<close>`. Closing again does nothing.
function Client:close() end

---@class confidentai.OrganizationRecord
---@field id integer|string
---@field name? string
---@field plan? string
---@field created_at? string ISO 8601, UTC

---The organization of a client's credential.
---@class confidentai.Organization
---@field api_keys confidentai.ApiKeys those that belong to no project
local Organization = {}

---The organization itself.
---@return confidentai.OrganizationRecord? organization
---@return confidentai.Error? err
function Organization:get() end

---@class confidentai.ProjectRecord
---@field id string
---@field name? string
---@field description? string
---@field organization_id? string
---@field created_at? string ISO 8601, UTC

---A project of the organization.
---@class confidentai.Project
---@field id string
---@field api_keys confidentai.ApiKeys the project's
local Project = {}

---The project itself.
---@return confidentai.ProjectRecord? project
---@return confidentai.Error? err of kind "api" with status 404: there is none, or it is of another organization
function Project:get() end

---An array of projects, as of project:get().
---@class confidentai.ProjectList: { [integer]: confidentai.ProjectRecord }
---@field unreadable? confidentai.UnreadableRecord[] nil: all were read

---The projects of the organization: `client.projects`.
---@class confidentai.Projects
local Projects = {}

---All projects of the organization, in the service's order.
---@return confidentai.ProjectList? projects
---@return confidentai.Error? err
function Projects:list() end

---An array of keys.
---@class confidentai.KeyList: { [integer]: confidentai.ApiKey }
---@field unreadable? confidentai.UnreadableRecord[] nil: all were read

---What is known of a record of the service that cannot be read.
---@class confidentai.UnreadableRecord
---@field id? integer|string nil: that cannot be read either
---@field place integer in the service's list, from 1
---@field problem string

---@class confidentai.KeyName
---@field name string

---@class confidentai.KeyChanges
---@field valid boolean true: enabled

---@class confidentai.ForceOptions
---@field force? boolean the client's own key, too, without which it is locked out; default: false

---@class confidentai.DeletedKey
---@field id integer|string
---@field deleted true

---@class confidentai.RotateOptions
---@field store confidentai.Store|confidentai.Store[] a store, or an array of stores: where the new secret goes
---@field adoption? "observe"|"time"|"confirm" what ends the soak: lastUsed of both keys, the time alone, or rotation:confirm(); default: "observe"
---@field base? string the name under which the key is known; default: the old key's, without a rotation's suffix, else key-<id>
---@field clock? fun(): number seconds since 1970; default: os.time
---@field compromised? boolean no soak, no grace, no way back to the old key; default: false
---@field dry_run? boolean plans only; default: false
---@field grace? number seconds for which the old key is kept, disabled; default: 604800
---@field old_secret? string the old key's secret: lets it be proven that it is refused
---@field on_published? string[] a command, as an array of words, that is run once the stores hold another secret
---@field on_step? fun(step: confidentai.Step) called with each step; never a secret
---@field pause? fun(seconds: number) waits for so many seconds; default: as the client's driver does
---@field random? fun(count: integer): string so many random bytes; default: the system's
---@field replace? boolean the old key may be disabled or absent; no soak; default: false
---@field replace_store? boolean the store may hold something else; default: false
---@field require_other_manager? string the secret of another enabled organization key, without which a client's own key is not rotated
---@field settle? number seconds for which to look for the key of a create without an answer; default: the longer of 60 and twice the timeout
---@field soak? number seconds for which both keys work; default: 86400
---@field soak_max? number seconds after which a soak is stalled; default: 2592000
---@field state_dir? string|confidentai.State the state folder, or a state table; default: $STATE_DIRECTORY, else that of the user

---@class confidentai.ProvisionOptions
---@field store confidentai.Store|confidentai.Store[] a store, or an array of stores: where the new secret goes
---@field clock? fun(): number seconds since 1970; default: os.time
---@field on_step? fun(step: confidentai.Step) called with each step; never a secret
---@field pause? fun(seconds: number) waits for so many seconds; default: as the client's driver does
---@field random? fun(count: integer): string so many random bytes; default: the system's
---@field replace_store? boolean the store may hold something else; default: false
---@field settle? number seconds for which to look for the key of a create without an answer; default: the longer of 60 and twice the timeout
---@field state_dir? string|confidentai.State the state folder, or a state table; default: $STATE_DIRECTORY, else that of the user

---@class confidentai.EnsureOptions
---@field store confidentai.Store|confidentai.Store[] a store, or an array of stores: where the new secret goes
---@field abandon? integer|string|confidentai.ApiKey a key whose secret is lost: a new one is made where the store holds nothing
---@field adopt? integer|string|confidentai.ApiKey the key that is current, the first time
---@field clock? fun(): number seconds since 1970; default: os.time
---@field grace? number seconds for which the old key is kept, disabled; default: 604800
---@field manager_store? confidentai.Store the store of the client's own key, if that is to be replaced
---@field max_age? number seconds after which a key is replaced; default: 2592000
---@field on_published? string[] a command, as an array of words, that is run once the stores hold another secret
---@field on_step? fun(step: confidentai.Step) called with each step; never a secret
---@field pause? fun(seconds: number) waits for so many seconds; default: as the client's driver does
---@field random? fun(count: integer): string so many random bytes; default: the system's
---@field renew? boolean a new key is made where the store holds a secret that does not work, and is of no key; default: false
---@field settle? number seconds for which to look for the key of a create without an answer; default: the longer of 60 and twice the timeout
---@field soak? number seconds for which both keys work; default: 86400

---@class confidentai.EnsureResult
---@field action "none"|"created"|"disabled"|"deleted" what was done
---@field key? confidentai.ApiKey the current one; nil: there is none yet
---@field id? string of the key that it was done to
---@field wait? number seconds until there is more to do
---@field reason? string why it was done, or not
---@field notice? { state: "failed"|"succeeded", problem: string? } how on_published fared

---The keys of one scope: `organization.api_keys` and `project.api_keys`. An id is an integer from 1 to 2^53, a string of `[A-Za-z0-9_-]` up to 128 characters, or an ApiKey of the same scope and project.
---@class confidentai.ApiKeys
---@field scope "organization"|"project"
---@field project_id? string of a project's keys
local ApiKeys = {}

---All keys of the scope, in the service's order. A key whose record cannot be read is left out, and told of in the array's field `unreadable`: whoever concludes that a key is not there must look at it.
---@return confidentai.KeyList? keys
---@return confidentai.Error? err also when no record of several can be read
function ApiKeys:list() end

---One key.
---@param id integer|string|confidentai.ApiKey
---@return confidentai.ApiKey? key its secret is masked
---@return confidentai.Error? err of kind "api" with status 404: there is none
function ApiKeys:get(id) end

---Keys of this name, and those that a rotation has made under it (`<name>~g<generation>~<op>`). Names need not be unique.
---@param name string non-empty, valid UTF-8
---@return confidentai.KeyList? keys its `unreadable`: those of the scope whose names cannot be read
---@return confidentai.Error? err
function ApiKeys:find(name) end

---Creates a key. It is sent once, unless it provably was not sent or the service refused it for now. An error whose `outcome` is "unknown" may have created a key: `find(name)` tells.
---@param name string|confidentai.KeyName non-empty, valid UTF-8
---@return confidentai.ApiKey? key with its secret in `value`, here and never again
---@return confidentai.Error? err with `outcome`
function ApiKeys:create(name) end

---Enables or disables a key. Refuses to disable the client's own (`guard`) unless forced.
---@param id integer|string|confidentai.ApiKey
---@param changes confidentai.KeyChanges
---@param options? confidentai.ForceOptions
---@return confidentai.ApiKey? key as it is now
---@return confidentai.Error? err of kind "guard": it is the client's own key, and `force` was not given
function ApiKeys:update(id, changes, options) end

---Enables a key.
---@param id integer|string|confidentai.ApiKey
---@return confidentai.ApiKey? key as it is now
---@return confidentai.Error? err
function ApiKeys:enable(id) end

---Disables a key; it can be enabled again. Refuses the client's own (`guard`) unless forced.
---@param id integer|string|confidentai.ApiKey
---@param options? confidentai.ForceOptions
---@return confidentai.ApiKey? key as it is now
---@return confidentai.Error? err of kind "guard": it is the client's own key, and `force` was not given
function ApiKeys:disable(id, options) end

---Deletes a key, for good. Refuses the client's own (`guard`) unless forced.
---@param id integer|string|confidentai.ApiKey
---@param options? confidentai.ForceOptions
---@return confidentai.DeletedKey? deleted
---@return confidentai.Error? err of kind "guard": it is the client's own key, and `force` was not given
function ApiKeys:delete(id, options) end

---Begins the rotation of a key, or goes on with the one that is under way: a new key is made, proven and stored, and once it has been taken over the old one is disabled and, after a grace, deleted (docs/rotation.md). Advances until it must wait for soak or grace. Raises when an option is unknown or of a wrong type.
---@param id integer|string|confidentai.ApiKey
---@param options confidentai.RotateOptions
---@return confidentai.Rotation? rotation
---@return confidentai.Error? err with `state`: what had been reached; before "creating" nothing is left behind
function ApiKeys:rotate(id, options) end

---Makes a key exactly once, proven and in its stores; or none. Its name is `<name>~g<generation>~<op>`, by which an interrupted run finds it again, and `find(name)` does too.
---@param name string non-empty, valid UTF-8
---@param options confidentai.ProvisionOptions
---@return confidentai.ApiKey? key without its secret, which is in the stores
---@return confidentai.Error? err with `state`: what had been reached; the same call goes on from there
function ApiKeys:provision(name, options) end

---Sees to it that a store holds a current key: one safe step a run, without a state folder (docs/rotation.md).
---@param base string the name under which the keys are known
---@param options confidentai.EnsureOptions
---@return confidentai.EnsureResult? result
---@return confidentai.Error? err of kind "guard": what it refuses to do, and why; "store": a store failed
function ApiKeys:ensure(base, options) end

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

---A key, as the service showed it. `tostring`, inspection and errors show its secret masked; `==` compares scope, project and id.
---@class confidentai.ApiKey
---@field id integer|string
---@field name? string
---@field valid boolean whether it is enabled
---@field value string The whole secret in what `create` returns, until `forget`; else 15 asterisks and the last 6 characters.
---@field created_at? string ISO 8601, UTC
---@field last_used? string ISO 8601, UTC; nil: never; "unknown": the service does not tell
---@field rotates_at? string ISO 8601: when the service itself is to rotate it
---@field replacement? string masked: the secret that will be the key's then
---@field scope "organization"|"project"
---@field project_id? string of a project's key
---@field has_secret boolean whether `value` is the whole secret
local ApiKey = {}

---Wipes the object's own copy of the secret; `value` is masked from then on. So do garbage collection and `<close>`. Lua strings that were made of it live until they are collected.
function ApiKey:forget() end

---The fields, as a plain table.
---@param options? confidentai.ToTableOptions
---@return confidentai.ApiKeyTable fields
function ApiKey:to_table(options) end

---@class confidentai.OpenOptions
---@field clock? fun(): number seconds since 1970; default: os.time
---@field ended? boolean ended rotations, too; default: false
---@field old_secret? string the old key's secret: lets it be proven that it is refused
---@field on_step? fun(step: confidentai.Step) called with each step; never a secret
---@field pause? fun(seconds: number) waits for so many seconds; default: as the client's driver does
---@field random? fun(count: integer): string so many random bytes; default: the system's
---@field state_dir? string|confidentai.State the state folder, or a state table; default: $STATE_DIRECTORY, else that of the user
---@field stores? confidentai.Store[] stores that a record cannot make again: callbacks, by their labels

---@class confidentai.ListOptions
---@field clock? fun(): number seconds since 1970; default: os.time
---@field ended? boolean ended rotations, too; default: false
---@field state_dir? string|confidentai.State the state folder, or a state table; default: $STATE_DIRECTORY, else that of the user

---@class confidentai.HistoryOptions
---@field state_dir? string|confidentai.State the state folder, or a state table; default: $STATE_DIRECTORY, else that of the user

---A rotation that has ended.
---@class confidentai.EndedRotation
---@field id string
---@field kind "rotation"|"provision"
---@field base string the name under which the key is known
---@field scope "organization"|"project"
---@field project_id? string
---@field organization string id
---@field generation integer of the new key
---@field old_id? string
---@field new_id? string
---@field state string "done", or what it has stopped at
---@field reason? string why
---@field began? number seconds since 1970
---@field ended? number seconds since 1970
---@field stores string[] labels
---@field history table[] what happened, oldest first; each has `at`, `what` and `state`

---@class confidentai.DoctorOptions
---@field clock? fun(): number seconds since 1970; default: os.time
---@field fix? string[] what the doctor may do: an array of the ids of its findings
---@field on_step? fun(step: confidentai.Step) called with each step; never a secret
---@field pause? fun(seconds: number) waits for so many seconds; default: as the client's driver does
---@field random? fun(count: integer): string so many random bytes; default: the system's
---@field state_dir? string|confidentai.State the state folder, or a state table; default: $STATE_DIRECTORY, else that of the user
---@field stores? confidentai.Store[] stores that a record cannot make again: callbacks, by their labels

---@class confidentai.DoctorReport
---@field findings confidentai.Finding[]
---@field problems confidentai.Error[] records that cannot be used

---@class confidentai.Finding
---@field id string for `fix`
---@field kind "suspect"|"stray"|"overdue"|"stopped"|"unsettled"|"unreadable"
---@field message string for people
---@field rotation? string id of the rotation
---@field key? confidentai.ApiKey
---@field fixable boolean whether `fix` can name it
---@field fixed? boolean whether it was fixed; nil: it was not to be
---@field err? confidentai.Error why it was not

---Rotations that were begun, and their records (docs/rotation.md). `api_keys:rotate` begins one.
---@class confidentai.rotation
local rotation = {}

---The rotations of the client's base URL and organization that are not finished, or have suspects that are not settled. Nothing is advanced. Raises when an option is unknown or of a wrong type.
---@param client confidentai.Client
---@param given? confidentai.OpenOptions
---@return confidentai.Rotation[]? rotations
---@return confidentai.Error? err the records cannot be listed, or the service refuses the client
---@return confidentai.Error[]? problems with single records: a damaged one hides no other
function rotation.open(client, given) end

---Reads the records of a state folder, without a request and without a key: those of every organization. Raises when an option is unknown or of a wrong type.
---@param given? confidentai.ListOptions
---@return confidentai.Status[]? list those that are under way or not settled; with `ended`, all
---@return confidentai.Error? err the records cannot be listed
---@return confidentai.Error[]? problems with single records: a damaged one hides no other
function rotation.list(given) end

---Reads the rotations that have ended, without a request, also those whose records a later rotation of the same key has taken over. Raises when an option is unknown or of a wrong type.
---@param given? confidentai.HistoryOptions
---@return confidentai.EndedRotation[]? list oldest first
---@return confidentai.Error? err nothing can be listed
---@return confidentai.Error[]? problems with single files
function rotation.history(given) end

---Compares the records with the service. It changes nothing but what `fix` names. Raises when an option is unknown or of a wrong type.
---@param client confidentai.Client
---@param given? confidentai.DoctorOptions
---@return confidentai.DoctorReport? report
---@return confidentai.Error? err the records or the projects cannot be listed, or the service refuses the client
function rotation.doctor(client, given) end

---@class confidentai.Status
---@field id string
---@field kind "rotation"|"provision"
---@field base string the name under which the key is known
---@field generation integer of the new key
---@field scope "organization"|"project"
---@field project_id? string
---@field organization string id
---@field base_url string where the service was when the rotation began
---@field state string state or stop (docs/rotation.md)
---@field stop? string what it has stopped at
---@field reason? string why
---@field cause? string the same as a word, of those in docs/rotation.md
---@field since? number seconds since 1970: when the state began
---@field old_id? string
---@field new_id? string
---@field evidence? string that the new key has been taken over, or not
---@field next string what is next, in words
---@field due? number seconds until there is more to do; nil: that is up to somebody
---@field doubt? string what could not be found out
---@field unshown? boolean true: it was not shown that the secret of a compromised key is refused
---@field trouble? { at: number, message: string, count: integer } what keeps it from going on, since its last success
---@field attention? "stopped"|"command failed"|"overdue" what waits for somebody
---@field notice? { state: "owed"|"failed"|"succeeded", tries: integer, problem: string? } how on_published fares
---@field commands string[] what can be done from here, as lines for a shell
---@field ways confidentai.Way[] the same, each with what it is for
---@field options table as they are on record
---@field stores string[] labels
---@field history table[] what happened, oldest first; each has `at` and `state`
---@field left table[] after abandon: { what, id, name, last6 } of each key that stays
---@field suspects string[] names under which a key may still come to be
---@field facts string[] the first sentences of text
---@field text string all of it, for people
---@field dry_run boolean
---@field finished boolean
---@field settled boolean finished, and nothing is left to look for

---A way on: what it is for, and its command lines, each as words. They are run in this order.
---@class confidentai.Way
---@field purpose string
---@field steps (string[]|{ again: table })[] the words of each; again: the command of this run, with other options

---What `on_step` is called with: an event of the rotation's history, and whose it is. No secret is in it.
---@class confidentai.Step
---@field rotation string id
---@field base string the name under which the key is known
---@field scope "organization"|"project"
---@field project_id? string
---@field state string state or stop (docs/rotation.md)
---@field what string in words
---@field at number seconds since 1970, by this machine
---@field service? number seconds since 1970, by the service

---A rotation. Another process may go on with it: each method reads its record again, and refuses (`state`) while somebody else holds it. A failure leaves what was done on record, and the next call goes on from there.
---@class confidentai.Rotation
---@field id string
---@field base string the name under which the key is known
---@field state string state or stop (docs/rotation.md)
---@field old_id string
---@field new_id? string
local Rotation = {}

---Does what can be done now, without waiting for soak or grace.
---@return string? state of the rotation, or what it has stopped at (docs/rotation.md)
---@return number|confidentai.Error|nil wait seconds until there is more to do; nil at the end and at a stop; the error, when the state is nil
function Rotation:advance() end

---Goes on to the end, or to a stop, and waits through soak and grace.
---@return string? state "done", or what it has stopped at
---@return confidentai.Error? err
function Rotation:run() end

---Says what no evidence shows: that the new key has been taken over; that the late use of a disabled key is known; or, in a rollback, that a store which cannot be read holds the old secret again, or that its users know. Where nothing of that is asked for, it is refused.
---@return true? confirmed
---@return confidentai.Error? err of kind "guard": there is nothing to confirm
function Rotation:confirm() end

---Goes back, as a rotation backwards: the old key works and is in the stores again, the new one soaks for the shorter of `soak` and an hour, is disabled, is kept for the grace, and is deleted. Advance goes on with it.
---@param options? { now: boolean? } now: the new key does not soak
---@return string? state "aborted" at the end; else where it waits, or what it has stopped at
---@return confidentai.Error? err of kind "guard": there is no way back, and nothing was changed
function Rotation:rollback(options) end

---Withdraws a rollback: the new key stays, is written to the stores again, and soaks again.
---@return string? state
---@return confidentai.Error? err of kind "guard": there is none, or the new key is gone
function Rotation:keep() end

---Writes the new secret into the stores that somebody has changed, after looking that the new key works.
---@return string? state
---@return confidentai.Error? err of kind "guard": there is nothing to publish again
function Rotation:republish() end

---Closes the record. Keys and stores stay as they are; `status` names them. Nothing is asked of the service.
---@return string? state "abandoned"
---@return confidentai.Error? err
function Rotation:abandon() end

---Ends a rotation that has not published anything: its new key, if any, is removed.
---@return string? state "aborted"
---@return confidentai.Error? err of kind "guard" when something is published: rollback goes back
function Rotation:abort() end

---What a person wants to know; nothing is asked of the service.
---@return confidentai.Status status
function Rotation:status() end

---@class confidentai.FileOptions
---@field path string of the file; a relative one is taken from the current folder, now

---@class confidentai.EnvFileOptions
---@field path string of the file; a relative one is taken from the current folder, now
---@field variable string letters, digits and underscores

---@class confidentai.ExecOptions
---@field command string[] a program and its arguments; it reads the secret from its standard input
---@field check? string[] a program and its arguments; it prints what is stored. Without it the store cannot be read
---@field name? string for people and records, instead of the program's; no secret
---@field timeout? number seconds for each run; default: 30
---@field folder? string absolute, where they run, and where their relative paths start; default: the current one

---@class confidentai.CallbackOptions
---@field name string for people and records; no secret
---@field put fun(secret: string?): boolean?, string?, string? Stores the secret, or, for nil, empties the place: true. Else nil, a message, and "failed" if certainly nothing was stored.
---@field get? fun(): string|false|nil, string? what is stored; false: nothing; nil and a message: it cannot be told

---Where new secrets go, so that their users find them: functions that make a Store.
---@class confidentai.store
local store = {}

---Makes a store of a file. Touches nothing. Raises when an option is unknown, missing or of a wrong type.
---@param options confidentai.FileOptions
---@return confidentai.Store store
function store.file(options) end

---Makes a store of a variable in a .env file. Touches nothing. Raises when an option is unknown, missing or of a wrong type.
---@param options confidentai.EnvFileOptions
---@return confidentai.Store store
function store.env_file(options) end

---Makes a store of commands. Raises when an option is unknown, missing or of a wrong type. Runs nothing.
---@param options confidentai.ExecOptions
---@return confidentai.Store store
function store.exec(options) end

---Makes a store of functions. It cannot be written down: whoever resumes a rotation gives it again, under its name. Raises when an option is unknown, missing or of a wrong type. Calls nothing.
---@param options confidentai.CallbackOptions
---@return confidentai.Store store
function store.callback(options) end

---Makes a store again.
---@param spec any the spec of a store, perhaps through JSON
---@return confidentai.Store? store
---@return string? message the spec is that of no store
function store.revive(spec) end

---Where a secret is kept for its users, made by a function of confidentai.store.
---@class confidentai.Store
---@field kind "file"|"env_file"|"exec"|"callback"
---@field label string for people and records: which store this is; no secret
---@field readable boolean whether get can tell what is stored
---@field spec? table of JSON values from which revive makes it again; nil: it has to be given again
---@field preflight fun(self: confidentai.Store, context: table): true?, string? Finds out whether a put could succeed, without changing anything: true, or nil and a message.
---@field remedy? fun(self: confidentai.Store): string[]? Gives the words of a command that mends what a preflight has found; nil: there is none.
---@field get fun(self: confidentai.Store, context: table): string|false|nil, string? What is stored: text; false when there is nothing; nil and a message when it cannot be told.
---@field put fun(self: confidentai.Store, text: string|false, context: table): true?, string?, string? Stores text, or, for false, takes away what was stored: true, or nil, a message, and "failed" (certainly not stored) or "unknown".

---The functions by which rotations keep their records: a folder's, or a user's own. A user's needs get, cas and list.
---@class confidentai.State
---@field path? string of the folder
---@field path_of? fun(key: string): string where the file of a key is
---@field get fun(key: string): string?, string?, boolean? Reads a key: its bytes and its version, an opaque text that is another after each write; nil when the key is not there; nil and a message when it cannot be read, and true where what is there is damaged.
---@field cas fun(key: string, bytes: string?, version: string?): string|true|nil, string?, string? Writes a key if its version is still this one (nil: if it is not there); bytes nil deletes it, overwriting. Returns the new version (true for a delete), or nil and "conflict": another version is there; "failed" and a message: it was certainly not written; "unknown" and a message: it may have been.
---@field list fun(prefix: string): string[]?, string? The keys that begin with a prefix, sorted; or nil and a message.
---@field wait? fun(key: string, version: string?, timeout: number, pause: fun(seconds: number)): boolean?, string? Waits until the version of a key is another: true; false after `timeout` seconds; nil and a message.
---@field hold? fun(key: string): function?, string?, string? Holds a key for oneself until the returned function is called or the process ends. nil and who holds it; nil, nil and a message when it could not be tried. It keeps nobody from cas.
---@field reserve? fun(key: string, size: number): true?, string? Provides for the next cas of a key, of up to `size` bytes, so that a full disk cannot make it fail; what is provided goes when the key is deleted. nil and a message when it cannot be.

---The secrets that were found, in the order of their first occurrence.
---@class confidentai.FoundList: { [integer]: confidentai.Found }
---@field problem? string why the text may hold more: it is, in part at least, in a form that is not looked through

---@class confidentai.Found
---@field secret string whole
---@field lines integer[] numbers of the first lines that it is on, from 1, 100 at most
---@field count integer how often it occurs

---Finds the service's secrets in text: logs, dumps, configuration.
---@class confidentai.scan
local scan = {}

---Begins to look through a text that comes in pieces.
---@return confidentai.Scan scan
function scan.new() end

---Finds the secrets in a text, each once.
---@param text string
---@return confidentai.FoundList found
function scan.text(text) end

---A text that comes in pieces.
---@class confidentai.Scan
local Scan = {}

---Looks through the next piece of the text.
---@param piece string cut anywhere, within a secret too
function Scan:feed(piece) end

---Ends the text.
---@return confidentai.FoundList found
function Scan:finish() end

---A call, a timer, or a group of tasks: what a driver waits for.
---@class confidentai.Awaited
---@field done fun(self: confidentai.Awaited): boolean Whether it has ended; of a group: runs what can be run of it. May raise what a task raises.
---@field cancel fun(self: confidentai.Awaited)

---@class confidentai.Driver
---@field wait fun(engine: confidentai.Engine, awaited: confidentai.Awaited) Returns when `awaited:done()`; steps the engine meanwhile. Raises when it must break off: what it waited for is then cancelled.
---@field refuse? fun(): string? a message where nothing can wait: calls return it, and nothing is sent
---@field background? fun(engine: confidentai.Engine, group: confidentai.Awaited) Begins to run `group:done()` after each step, until it is true, and returns at once: for confidentai.async.

---What a driver steps. There is one for each Lua state.
---@class confidentai.Engine
local Engine = {}

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

return confidentai
