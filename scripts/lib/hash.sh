# Fingerprints of files.
# shellcheck shell=bash

# A program and not a function, so that xargs can call it.
if have sha256sum; then
  SHA256=(sha256sum)
else
  SHA256=(shasum -a 256)
fi

sha256() { "${SHA256[@]}" "$@"; }

# One fingerprint for all the files named; those that are missing count as missing.
hash_of() { { sha256 "$@" 2>/dev/null || true; } | sha256 | cut -d ' ' -f 1; }
