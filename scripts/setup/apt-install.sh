#!/usr/bin/env bash
# apt-install.sh PACKAGE...
# PostgreSQL's packages would leave a cluster running on port 5432; here they bring programs only.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/packages.sh
. "$here/lib/packages.sh"

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 -o Acquire::http::Timeout=30 "$@"
}

no_default_cluster=/etc/postgresql-common/createcluster.d/tidewatch.conf

forbid_default_cluster() {
  as_root mkdir -p "${no_default_cluster%/*}"
  echo 'create_main_cluster = false' | as_root tee "$no_default_cluster" >/dev/null
}

# Whoever installs another PostgreSQL later gets the usual behaviour.
allow_default_cluster() {
  as_root rm -f "$no_default_cluster"
  as_root rmdir "${no_default_cluster%/*}" 2>/dev/null || true
}

case " $* " in
  *' postgresql '*)
    apt_install postgresql-common
    trap allow_default_cluster EXIT
    forbid_default_cluster
    ;;
esac
apt_install "$@"
