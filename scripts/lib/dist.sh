# The built program and its site, copied out of the target directory: that one is shared by all clones, and the next
# build there must not swap the program that runs here.
# shellcheck shell=bash

# use_dist FOLDER: tells the server and Leptos where the site lies.
use_dist() {
  export TIDEWATCH_SITE="$1/site"
  export LEPTOS_OUTPUT_NAME=tidewatch
  export LEPTOS_SITE_ROOT="$1/site"
  export LEPTOS_SITE_PKG_DIR=pkg
  export LEPTOS_HASH_FILES=true
  export LEPTOS_HASH_FILE_NAME=hash.txt # beside the program
}

# All that the build reads, and what it is built with.
sources_fingerprint() (
  cd "$TIDEWATCH_ROOT" || exit 1
  {
    rustc --version --verbose
    printf '%s\n' "$CARGO_LEPTOS_VERSION" "${RUSTFLAGS:-}" "$@"
    source_files | tr '\n' '\0' | xargs -0 "${SHA256[@]}" 2>/dev/null || true
  } | sha256 | cut -d ' ' -f 1
)

# Everything but what belongs to tests, scripts and prose, and programs of one's own. The example stands in the program, which
# writes others like it.
source_files() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git -c core.quotePath=false ls-files --cached --others --exclude-standard
  else
    find . -name target -prune -o -name node_modules -prune -o -name .data -prune -o -type f -print | sed 's|^\./||'
  fi | grep -Ev '^(end2end|bench|chaos|deploy|docs|scripts|\.github|\.ci)/' |
    awk '!/^examples\// || /^examples\/parcels\//' | LC_ALL=C sort
}
