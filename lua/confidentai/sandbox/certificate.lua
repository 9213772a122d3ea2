-- SPDX-License-Identifier: Apache-2.0
-- A certificate authority that lives as long as the process, and a certificate of it for loopback names.

local altname = require "openssl.x509.altname"
local bignum = require "openssl.bignum"
local context = require "openssl.ssl.context"
local extension = require "openssl.x509.extension"
local http_tls = require "http.tls"
local name = require "openssl.x509.name"
local pkey = require "openssl.pkey"
local rand = require "openssl.rand"
local x509 = require "openssl.x509"

local certificate = {}

local day = 86400

local function new_certificate(common_name, key)
  local subject = name.new()
  subject:add("O", "confidentai sandbox"):add("CN", common_name)
  local made = x509.new()
  made:setVersion(3)
  made:setSerial(bignum.fromBinary(rand.bytes(16)))
  made:setSubject(subject)
  -- From yesterday on, so that a clock that is a little off, or a faked one, does no harm.
  made:setLifetime(os.time() - day, os.time() + 365 * day)
  made:setPublicKey(key)
  return made, subject
end

local function new_key()
  return pkey.new { type = "EC", curve = "prime256v1" }
end

local function new_authority()
  local key = new_key()
  local authority, subject = new_certificate("sandbox authority", key)
  authority:setIssuer(subject)
  authority:setBasicConstraints { CA = true, pathLen = 0 }
  authority:setBasicConstraintsCritical(true)
  authority:addExtension(extension.new("keyUsage", "critical,keyCertSign,cRLSign"))
  authority:addExtension(extension.new("subjectKeyIdentifier", "hash", { subject = authority }))
  authority:sign(key, "sha256")
  return authority, key, subject
end

local function select_protocol(_, offered)
  for _, protocol in ipairs(offered) do
    if protocol == "h2" or protocol == "http/1.1" then return protocol end
  end
end

---Makes both certificates.
---@return userdata ctx for a TLS server, with HTTP/2 and HTTP/1.1 by ALPN
---@return string ca_pem the authority's certificate, which clients must trust
function certificate.new()
  local authority, authority_key, issuer = new_authority()
  local key = new_key()
  local leaf = new_certificate("localhost", key)
  leaf:setIssuer(issuer)
  leaf:setSubjectAlt(altname.new():add("DNS", "localhost"):add("IP", "127.0.0.1"):add("IP", "::1"))
  leaf:setBasicConstraints { CA = false }
  leaf:addExtension(extension.new("extendedKeyUsage", "serverAuth"))
  -- RFC 5280, 4.2.1.1, wants it, and so do strict clients, such as Python's since 3.13.
  leaf:addExtension(extension.new("authorityKeyIdentifier", "keyid:always", { issuer = authority, subject = leaf }))
  leaf:sign(authority_key, "sha256")

  local ctx = http_tls.new_server_context()
  ctx:setOptions(context.OP_NO_TLSv1 + context.OP_NO_TLSv1_1)
  if http_tls.has_alpn then ctx:setAlpnSelect(select_protocol) end
  assert(ctx:setPrivateKey(key))
  assert(ctx:setCertificate(leaf))
  return ctx, authority:toPEM()
end

return certificate
