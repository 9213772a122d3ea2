-- SPDX-License-Identifier: Apache-2.0
-- Plugin managers of Neovim, as their documentation says that they work: each clones what is not there, runs the build
-- command in the clone, and puts it on the runtimepath. Run inside of Neovim, before the reader's lines. A stand-in:
-- Debian has none of them.
-- luacheck: globals vim MiniDeps

local managers = {}

local data = vim.fn.stdpath "data"

local function sh(line, ...)
  local arguments = { ... }
  for i, argument in ipairs(arguments) do
    arguments[i] = vim.fn.shellescape(argument)
  end
  local said = vim.fn.system(line:format(unpack(arguments))) -- luacheck: std luajit
  assert(vim.v.shell_error == 0, said)
end

-- Whether it had to be cloned.
local function clone(url, path)
  if vim.fn.isdirectory(path) == 1 then
    return false
  end
  sh("git clone --quiet %s %s", url, path)
  return true
end

---lazy.nvim: a list of plugins. `build` is run by the shell, in the plugin's folder.
function managers.lazy(list)
  for _, plugin in ipairs(list) do
    plugin.dir = data .. "/lazy/" .. plugin.name
    if clone(plugin.url, plugin.dir) then
      sh("cd %s && sh -c %s", plugin.dir, plugin.build)
    end
    vim.opt.rtp:prepend(plugin.dir)
    plugin.config(plugin)
  end
end

-- mini.deps: hooks are called with path, source and name; plugins are optional packages.
local function add(spec)
  local name = spec.source:match "[^/]+$"
  local path = data .. "/site/pack/deps/opt/" .. name
  if clone(spec.source, path) then
    spec.hooks.post_install { path = path, source = spec.source, name = name }
  end
  vim.cmd("packadd " .. name)
end

function managers.mini()
  MiniDeps = { add = add }
end

---vim.pack, where Neovim lacks it: PackChanged has the event's data; plugins are optional packages.
function managers.pack()
  if vim.pack then
    return
  end
  local changed
  vim.api.nvim_create_autocmd = function(event, options)
    assert(event == "PackChanged")
    changed = options.callback
  end
  vim.system = function(words, options)
    local ok, problem = pcall(sh, "cd %s && " .. table.concat(words, " "), options.cwd)
    return { wait = function() return { code = ok and 0 or 1, stderr = problem } end }
  end
  vim.pack = { add = function(sources)
    for _, source in ipairs(sources) do
      local name = source:match "[^/]+$"
      local path = data .. "/site/pack/core/opt/" .. name
      if clone(source, path) then
        changed { data = { kind = "install", path = path, spec = { name = name, src = source } } }
      end
      vim.cmd("packadd " .. name)
    end
  end }
end

---vim-plug: Plug lines between plug#begin and plug#end; :PlugInstall clones, and runs `do` in the plugin's folder.
managers.plug = [[
let g:plugs = {}
function! plug#begin(...)
  command! -nargs=+ Plug call plug#add(<args>)
endfunction
function! plug#add(url, options)
  let name = fnamemodify(a:url, ':t')
  let g:plugs[name] = { 'uri': a:url, 'dir': stdpath('data') . '/plugged/' . name . '/', 'do': a:options.do }
endfunction
function! plug#end()
  for plug in values(g:plugs)
    let &runtimepath = plug.dir . ',' . &runtimepath
  endfor
  command! PlugInstall call plug#install()
endfunction
function! plug#install()
  for plug in values(g:plugs)
    let said = system('git clone --quiet ' . plug.uri . ' ' . plug.dir . ' && cd ' . plug.dir . ' && ' . plug.do)
    if v:shell_error | echoerr said | endif
  endfor
endfunction
]]

return managers
