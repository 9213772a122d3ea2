-- SPDX-License-Identifier: Apache-2.0
-- Where the service is: a base URL given outright, else one of the service's regions.

local core = require "confidentai.core"
local environment = require "confidentai.environment"

local base_url = {}

-- The service's own addresses, as published.
local regions = {
  US = "https://api.confident-ai.com",
  EU = "https://eu.api.confident-ai.com",
  AU = "https://au.api.confident-ai.com",
}

---The base URL of a region.
---@param region string in any case
---@return string? url nil: the service has no such region
function base_url.of_region(region)
  return regions[region:upper()]
end

---Chooses the base URL: the option, $CONFIDENT_BASE_URL, the region by option, by $CONFIDENT_REGION, by the key's
---prefix, and at last US (docs/platform.md, "choice of base URL").
---@param options table checked options, with api_key
---@return string? url
---@return string? problem
function base_url.choose(options)
  local region = options.region or environment.get "CONFIDENT_REGION" or core.region_of(options.api_key) or "US"
  local regional = base_url.of_region(region)
  if not regional then
    return nil, "region must be US, EU or AU"
  end
  return options.base_url or environment.get "CONFIDENT_BASE_URL" or regional
end

---The region whose own address a base URL is; nil for others, such as one that a customer hosts.
---@param url string
---@return "US"|"EU"|"AU"|nil
function base_url.region(url)
  local address = url:lower():gsub("/+$", "")
  for region, regional in pairs(regions) do
    if address == regional then
      return region
    end
  end
end

return base_url
