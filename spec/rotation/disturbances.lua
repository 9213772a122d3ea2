-- SPDX-License-Identifier: Apache-2.0
-- What can go wrong with a request: the sandbox's faults, each in the forms that could make a difference.

-- Somebody else's edits, of the keys that a rotation of "svc" is about.
local function edit(change, target, when)
  return { type = "edit", change = change, target_name = target, when = when }
end

local NEW, OLD = "^svc~g2~", "^svc$"

return {
  { type = "lost_answer" }, { type = "drop" }, { type = "reset" }, { type = "drop", times = 3 },
  { type = "lost_answer", times = 3 }, { type = "hang" }, { type = "hang", apply = true },
  { type = "late_commit", clock_seconds = 3 }, { type = "late_commit", clock_seconds = 40 },
  { type = "late_commit", clock_seconds = 4000 }, { type = "late_commit", clock_seconds = 3, answer = "hang" },
  { type = "duplicate" }, { type = "duplicate", answer = "second" }, { type = "delay", seconds = 0.01 },
  { type = "status", status = 429, headers = { ["Retry-After"] = "2" } }, { type = "status", status = 429, times = 3 },
  { type = "status", status = 503, headers = { ["Retry-After"] = "1" }, times = 2 }, { type = "status", status = 503 },
  { type = "status", status = 503, apply = true, body = "" }, { type = "status", status = 500, times = 2 },
  { type = "status", status = 429, apply = true, body = { message = "API rate limit exceeded" } },
  { type = "status", status = 408, apply = true }, { type = "status", status = 499, apply = true },
  { type = "status", status = 502, body = "<html>Bad gateway</html>", content_type = "text/html", apply = true },
  { type = "status", status = 400 }, { type = "status", status = 401 }, { type = "status", status = 403 },
  { type = "status", status = 404 }, { type = "status", status = 409 }, { type = "status", status = 422, apply = true },
  { type = "status", status = 404, body = "not found", content_type = "text/plain" },
  { type = "body", body = [[{"success":false,"error":"no"}]] }, { type = "body", body = "{}" },
  { type = "body", body = "", status = 204 }, { type = "body", body = [[{"success":true,"data":null}]] },
  { type = "garbage" }, { type = "garbage", raw = true }, { type = "truncate" }, { type = "truncate", bytes = 1 },
  { type = "truncate", bytes = 100000 }, { type = "redirect", location = "/elsewhere" },
  { type = "huge", bytes = 200000 },
  { type = "huge_header", bytes = 1000000 }, { type = "slow_body", seconds = 0.001, chunk = 100 },
  { type = "stale_list", changes = 1 }, { type = "stale_list", changes = 2, times = 4 }, { type = "short_list" },
  { type = "short_list", drop = 3, times = 3 },
  edit("disable", NEW), edit("delete", NEW), edit("disable", OLD), edit("delete", OLD), edit("enable", OLD),
  edit("disable", NEW, "after"), edit("delete", NEW, "after"), edit("disable", OLD, "after"),
  edit("delete", OLD, "after"), edit("enable", OLD, "after"),
  { type = "edit", change = "create", name = "svc~g2~aaaaaaaa" },
  { type = "edit", change = "create", name = "svc", when = "after" },
}
