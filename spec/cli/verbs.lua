-- SPDX-License-Identifier: Apache-2.0
-- Every verb of the command, with a command line that does its work on a fresh sandbox. secrets_spec.lua runs them all,
-- in every format, with and without faults; a verb that is missing here fails it.
--
-- An entry: words(place) gives the arguments; `place` has the sandbox (`service`), a folder that is empty but for its
-- own state folder (`folder`), and the id of a project (`project`). `shell`: as of command.start. `asked`: where its
-- secret goes is standard output or error, so that one new secret may be there.

return {
  { verb = "keys list", words = function() return { "keys", "list", "--all-projects" } end },
  { verb = "keys list", words = function() return { "keys", "list" } end },
  { verb = "keys find", words = function() return { "keys", "find", "manager" } end },
  { verb = "keys get", words = function(place) return { "keys", "get", "1", "--project", place.project } end },
  { verb = "keys create", asked = true, words = function() return { "keys", "create", "ci", "--print-secret" } end },
  { verb = "keys create", words = function() return { "keys", "create", "ci" } end },
  { verb = "keys create", shell = "$command 3>/dev/null",
    words = function() return { "keys", "create", "ci", "--secret-fd", "3" } end },
  { verb = "keys create",
    words = function(place) return { "keys", "create", "ci", "--secret-file", place.folder .. "/key" } end },
  { verb = "keys create", words = function(place)
    return { "keys", "create", "ci", "--project", place.project, "--store", "exec:sh -c 'cat >&2; exit 1'" }
  end },
  { verb = "keys enable", words = function(place) return { "keys", "enable", "1", "--project", place.project } end },
  { verb = "keys disable", words = function(place) return { "keys", "disable", "1", "--project", place.project } end },
  { verb = "keys disable", words = function() return { "keys", "disable", "1", "--yes", "--force" } end },
  { verb = "keys delete",
    words = function(place) return { "keys", "delete", "1", "--project", place.project, "--yes" } end },
  { verb = "projects list", words = function() return { "projects", "list" } end },
  { verb = "whoami", words = function() return { "whoami" } end },
}
