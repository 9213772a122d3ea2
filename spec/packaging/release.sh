#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scripts/release, on a clone that can be released: it passes that, and refuses it with one thing broken at a time.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
git -C "$root" rev-parse --verify --quiet HEAD >/dev/null || { echo "skipped: no git repository" && exit 77; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' INT TERM HUP
# Whose commits these are is nobody's business; what the user's git is set to must not matter.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_AUTHOR_NAME=test GIT_COMMITTER_NAME=test
export GIT_AUTHOR_EMAIL=test@confidentai.invalid GIT_COMMITTER_EMAIL=test@confidentai.invalid

git clone --quiet --no-local "$root" "$folder/clone"
cd "$folder/clone"
git checkout --quiet -B main
git tag | xargs -r git tag --delete >/dev/null

# All tests are what is running now: here, CI is whether a program starts in a fresh clone.
cat >scripts/test <<'END'
[ "$CI" = true ] && [ ! -e build ] && scripts/version
END
version=$(scripts/version)
if grep -q "^## \[$version\] - unreleased" CHANGELOG.md; then scripts/version released; fi
sed -i -E "s/^(Measured .*on )[0-9]{4}-[0-9-]+/\1$(date --utc +%F)/" docs/figures.md
git commit --quiet --all --message "Release $version"
good=$(git rev-parse HEAD)

release() {
  scripts/release "$@" >"$folder/said" 2>&1
}
passes() {
  release "$@" || { cat "$folder/said" && echo "scripts/release $*: refused what is good" && exit 1; }
}
# refuses CHECK WORDS: the check fails, with these words. Then all is good again.
refuses() {
  [ "$(git rev-parse HEAD)" != "$good" ] || [ -n "$(git status --porcelain)" ] || [ -n "${unseen-}" ] || {
    echo "not broken, to see: $2" && exit 1
  }
  if release "$1"; then cat "$folder/said" && echo "scripts/release $1: passed; expected: $2" && exit 1; fi
  grep -q "^no: .*$2" "$folder/said" || { cat "$folder/said" && echo "scripts/release $1: expected: $2" && exit 1; }
  echo "refused: $(grep -m 1 '^no: ' "$folder/said")"
  git checkout --quiet -B main "$good"
  git reset --quiet --hard "$good"
  git clean --quiet --force
}
commit() {
  git commit --quiet --all --message "Break it"
}

unseen=yes # by git
refuses tests "all tests have not passed on this commit"
unseen=
touch forgotten
if release try; then echo "tried what is not committed" && exit 1; fi
rm forgotten
sed -i 's/scripts.version/false/' scripts/test
commit
if release try; then echo "tests that fail pass" && exit 1; fi
refuses tests "all tests have not passed on this commit"
passes try

# Everything, with what a person has to do at the end.
passes
cat "$folder/said"
grep -q "^$version can be released" "$folder/said"
grep -q "git tag --sign v$version" "$folder/said"
[ -z "$(git tag)" ] && [ "$(git rev-parse HEAD)" = "$good" ] && [ -z "$(git status --porcelain)" ]

touch forgotten
refuses tree forgotten
echo >>README.md
refuses tree README.md
unseen=yes
git checkout --quiet -b topic
refuses tree "this is topic, not main"
git tag "v$version"
refuses tag "there is a tag v$version"
unseen=
git tag --delete "v$version" >/dev/null

sed -i 's/CAI_VERSION ".*"/CAI_VERSION "9.8.7"/' src/core/version.h
refuses version "not everything is 9.8.7"
git mv confidentai-"$version"-1.rockspec confidentai-9.8.7-1.rockspec
refuses version "not everything is $version"
sed -i 's/^version = ".*"/version = "9.8.7-1"/' ./*.rockspec
refuses version "not everything is $version"
sed -i "1s/($version-/(9.8.7-/" packaging/debian/changelog
refuses version "not everything is $version"
sed -i "s/^## \[$version\]/## [9.8.7]/" CHANGELOG.md
refuses version "not everything is $version"
sed -i 's/^build = {/build = {\n  confidence = 1,/' ./*.rockspec
sed -i 's/^description = {/descriptoin = {/' ./*.rockspec
refuses version "LuaRocks does not take the rockspec"
sed -i 's/finish(version() /finish("confidentai 9.8.7" /' lua/confidentai/cli/init.lua
refuses version "the command says: confidentai 9.8.7"

sed -i "s/^## \[$version\] - .*/## [$version] - unreleased/" CHANGELOG.md
refuses dates "no day of release in CHANGELOG.md"
sed -i "s/^## \[$version\] - .*/## [$version] - 2026-02-30/" CHANGELOG.md
refuses dates "no day of release in CHANGELOG.md"
sed -i "s/^## \[$version\] - .*/## [$version] - 2999-01-01/" CHANGELOG.md
refuses dates "no day of release in CHANGELOG.md"
sed -i "/^## \[$version\]/,\$d" CHANGELOG.md
echo "## [$version] - $(date --utc +%F)" >>CHANGELOG.md
refuses dates "says nothing about $version"
sed -i '1s/ unstable;/ UNRELEASED;/' packaging/debian/changelog
refuses dates "packaging/debian/changelog is not released"

printf '\n-- TO%s: more\n' DO >>lua/confidentai/init.lua
refuses words "something is left to do"
sed -i -E 's/^Measured (.*)on [0-9]{4}-[0-9-]+/Measured \1lately/' docs/figures.md
refuses figures "does not say when"
sed -i -E 's/^(Measured .*on )[0-9]{4}-[0-9-]+/\12025-01-01/' docs/figures.md
refuses figures "over 60 days old"
sed -i -E 's/^(Measured .*on )[0-9]{4}-[0-9-]+/\12999-01-01/' docs/figures.md
refuses figures "measured on 2999-01-01?"

printf '\nOnce more.\n' >>docs/reference.md
refuses generated "what documents say is not so"
sed -i 's/^override_dh_auto_configure:/&\n\tfalse/' packaging/debian/rules
commit
refuses packages "no packages of Debian can be made"
git commit --quiet --allow-empty --message "Another commit"
refuses tests "all tests have not passed on this commit"

# The next version: nothing of it can be forgotten, and it is not released yet.
if scripts/version "$version" 2>/dev/null || scripts/version 0.0.1 2>/dev/null || scripts/version next 2>/dev/null; then
  echo "scripts/version takes what is no later version" && exit 1
fi
DEBFULLNAME="Some Body" DEBEMAIL=some@body.invalid scripts/version 9.8.7
git add --all
git diff --cached --stat
commit
passes tree version words
grep -q '^ -- Some Body <some@body.invalid>  ' packaging/debian/changelog
release dates && echo "an unreleased version can be released" && exit 1
scripts/version released
sed -i "s/^## \[9.8.7\].*/&\n\n- Something./" CHANGELOG.md
commit
passes tree dates
