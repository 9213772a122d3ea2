# SPDX-License-Identifier: Apache-2.0
# Short names for the programs in scripts, which install missing packages.
.PHONY: build test lint docs fuzz demo bench help

build: ## build for Lua 5.4 (LUA=luajit, or LUA=all)
	scripts/build $(or $(LUA),lua5.4) -DTESTS=ON -DWERROR=ON

test: ## run every spec on Lua 5.4 and LuaJIT, or only SPEC=spec/retry_spec.lua (on LUA)
ifdef SPEC
	scripts/build $(or $(LUA),lua5.4)
	scripts/run $(or $(LUA),lua5.4) /usr/bin/busted $(SPEC)
else
	scripts/test
endif

lint: ## run the formatters' checks and the linters, or only some: CHECK="luacheck text"
	scripts/lint $(CHECK)

docs: ## write docs/reference.md and types from the code
	scripts/build lua5.4
	scripts/reference

fuzz: ## fuzz each target for SECONDS (60), or only TARGET="url objects_luajit"
	scripts/fuzz $(or $(SECONDS),60) $(TARGET)

demo: ## take keys through their lives in a local sandbox
	scripts/demo

bench: ## measure the figures of docs/figures.md
	bench/run

help: ## list these
	@sed -n 's/^\([a-z]*\): ## /\1\t/p' Makefile | expand -t 8
