-- SPDX-License-Identifier: Apache-2.0
-- What contributing_spec.lua runs by plain busted.

it("finds the modules and the build of this checkout", function()
  assert.is_string(require("confidentai.core")._VERSION)
end)
