# Messages to whoever runs a script.
# shellcheck shell=bash

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  BOLD=$'\033[1m' DIM=$'\033[2m' RED=$'\033[31m' GREEN=$'\033[32m' YELLOW=$'\033[33m' PLAIN=$'\033[0m'
else
  BOLD='' DIM='' RED='' GREEN='' YELLOW='' PLAIN=''
fi

say() { printf '%s\n' "$*"; }
title() { printf '%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
remark() { printf '%s%s%s\n' "$DIM" "$*" "$PLAIN"; }
good() { printf '%s%s%s\n' "$GREEN" "$*" "$PLAIN"; }
warn() { printf '%s%s%s\n' "$YELLOW" "$*" "$PLAIN" >&2; }
complain() { printf '%s%s%s\n' "$RED" "$*" "$PLAIN" >&2; }
die() {
  complain "$*"
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# 75 -> 1:15
clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }
