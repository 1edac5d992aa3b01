#!/usr/bin/env bash
# Makes sure that what the tests need beside Go is installed: PostgreSQL, Node.js with npm, Chromium and a font with
# Chinese characters. Quick and silent where it is. What is missing comes from apt where that is allowed (Debian,
# Ubuntu), else one line says what to do.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

fail() {
	echo "install-test-tools: $1" >&2
	exit 1
}

"$here/install-postgres.sh"

# The oldest Node.js that web/package.json accepts.
node_ready() {
	command -v npm >/dev/null && command -v node >/dev/null &&
		node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
}
node_ready || fail "Node.js 20.19 or newer with npm is missing: install it from https://nodejs.org (macOS: brew install node) and put it on PATH"

chromium_ready() {
	local name
	[ -n "${BOXOFFICE_CHROMIUM:-}" ] && [ -x "$BOXOFFICE_CHROMIUM" ] && return 0
	for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
		command -v "$name" >/dev/null && return 0
	done
	[ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ]
}

# Without a font for them, Chinese characters are empty boxes on the screenshots. macOS brings one.
font_ready() {
	[ "$(uname)" = Darwin ] && return 0
	command -v fc-list >/dev/null && [ -n "$(fc-list :lang=zh-cn family)" ]
}

as_root=()
if [ "$(id -u)" -eq 0 ]; then
	as_root=(env)
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
	as_root=(sudo -n env)
fi

missing=()
# The race detector needs a C compiler. The tests run without one, and say so: it is installed where we may, not asked for.
if ! command -v "${CC:-cc}" >/dev/null && ! command -v gcc >/dev/null && command -v apt-get >/dev/null && [ ${#as_root[@]} -ne 0 ]; then
	missing+=(gcc libc6-dev)
fi
chromium_ready || missing+=(chromium)
font_ready || missing+=(fontconfig fonts-noto-cjk)
if [ ${#missing[@]} -eq 0 ]; then
	exit 0
fi

if ! command -v apt-get >/dev/null; then
	fail "missing: ${missing[*]}: install Chromium or Chrome and a font with Chinese characters (macOS: brew install --cask google-chrome; Fedora: dnf install chromium google-noto-sans-cjk-fonts)"
fi
if [ ${#as_root[@]} -eq 0 ]; then
	fail "missing: ${missing[*]}, and installing takes root: sudo apt-get install ${missing[*]}"
fi
echo "install-test-tools: installing ${missing[*]} with apt-get"
"${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get update -q
"${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
chromium_ready && font_ready || fail "apt-get has not brought a working ${missing[*]}"
