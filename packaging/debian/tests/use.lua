-- SPDX-License-Identifier: Apache-2.0

-- What a package puts in place, used in this interpreter against the service that the environment names.
local confidentai = require "confidentai"
local check = confidentai.check

local keys = check(confidentai.new()):organization().api_keys
local key = check(keys:create("installed"))
assert(key.value and check(keys:get(key)).valid)
check(keys:disable(key))
assert(not check(keys:get(key)).valid)
check(keys:delete(key))
assert(#check(keys:list()) > 0)
print((jit and jit.version or _VERSION) .. " uses confidentai " .. confidentai._VERSION)
