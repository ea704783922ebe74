# The machine's package manager: what brings which tool, and whether it may be asked.
# shellcheck shell=bash

package_manager() {
  local manager
  for manager in apt-get dnf pacman brew; do
    if have "$manager"; then
      printf '%s\n' "$manager"
      return 0
    fi
  done
  printf 'none\n'
}

# Only apt is driven; for the others the command is named, and the machine's owner runs it.
# packages_for MANAGER TOOL
packages_for() {
  case "$1:$2" in
    apt-get:compiler) echo gcc libc6-dev pkg-config ;;
    apt-get:certificates | dnf:certificates | pacman:certificates) echo ca-certificates ;;
    apt-get:git | dnf:git | pacman:git | brew:git) echo git ;;
    apt-get:curl | dnf:curl | pacman:curl | brew:curl) echo curl ;;
    apt-get:shellcheck) echo shellcheck ;;
    apt-get:jq) echo jq ;;
    apt-get:postgres) echo postgresql ;;
    apt-get:node) echo nodejs npm ;;
    apt-get:chromium) echo chromium ;;
    dnf:compiler) echo gcc pkgconf-pkg-config ;;
    dnf:postgres) echo postgresql-server postgresql-contrib ;;
    dnf:node) echo nodejs npm ;;
    dnf:rust | pacman:rust | brew:rust) echo rustup ;;
        pacman:compiler) echo gcc pkgconf ;;
    pacman:postgres) echo postgresql ;;
    pacman:node) echo nodejs npm ;;
    brew:postgres) echo postgresql@17 ;;
    brew:node) echo node ;;
  esac
}

# install_command MANAGER PACKAGE...: the line that a person would type.
install_command() {
  local manager="$1" prefix=''
  shift
  [ "$(id -u)" -eq 0 ] || prefix='sudo '
  case "$manager" in
    apt-get) echo "${prefix}apt-get install --no-install-recommends $*" ;;
    dnf) echo "${prefix}dnf install $*" ;;
    pacman) echo "${prefix}pacman -S --needed $*" ;;
    brew) echo "brew install $*" ;;
  esac
}

# May this script act as root? It asks for a password only on a terminal, and at most once.
can_be_root() {
  [ "$(id -u)" -eq 0 ] && return 0
  have sudo || return 1
  sudo -n true 2>/dev/null && return 0
  if [ -t 0 ] && [ -t 1 ] && [ -z "${CI:-}" ]; then
    say "Packages of the system are missing; sudo may ask for your password."
    sudo -v
  else
    return 1
  fi
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

# The version that apt would install; nothing when it knows no such package.
apt_candidate() {
  apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: \([0-9].*\)/\1/p' | sed 's/^[0-9]*://'
}

apt_offers() {
  local candidate
  candidate="$(apt_candidate "$1")"
  [ -n "$candidate" ] && { [ -z "${2:-}" ] || at_least "$candidate" "$2"; }
}
