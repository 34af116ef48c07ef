#!/bin/sh
# Installs the real servers that the tests (and the demo) start by themselves.
#
#     install-servers.sh [dovecot] [postgresql] [sftp] [chromium] [oidc]      all without arguments
#
# May be run again at any time; does nothing where they are there. Needs Debian or Ubuntu, and root or
# a sudo that asks for no password. Where that is missing it says what to do and ends well, because
# tests without their server are skipped; with CI=true it fails, as they would.
set -eu

cannot() {
    echo "install-servers: $1" >&2
    [ "${CI:-}" != true ] || exit 1
    exit 0
}

missing=""
provider="" # the folder of a package that Node.js runs and its own package manager fetches
for server in "${@:-dovecot postgresql sftp chromium oidc}"; do
    # shellcheck disable=SC2086 # the default is several words
    for name in $server; do
        case "$name" in
        dovecot)
            [ -x /usr/sbin/dovecot ] && [ -e /usr/lib/dovecot/imap ] ||
                missing="$missing dovecot-imapd"
            command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
            ;;
        postgresql)
            ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
            ;;
        sftp)
            [ -x /usr/sbin/sshd ] || missing="$missing openssh-server"
            command -v ssh-keygen >/dev/null 2>&1 || missing="$missing openssh-client"
            ;;
        chromium)
            command -v chromium >/dev/null 2>&1 || missing="$missing chromium fonts-dejavu-core"
            ;;
        oidc)
            command -v node >/dev/null 2>&1 || missing="$missing nodejs"
            command -v npm >/dev/null 2>&1 || missing="$missing npm"
            provider="$(dirname "$0")/support/provider"
            ;;
        *)
            echo "install-servers: unknown server '$name'; use dovecot, postgresql, sftp, chromium or oidc" >&2
            exit 2
            ;;
        esac
    done
done
fetch_provider() {
    [ -n "$provider" ] && [ ! -d "$provider/node_modules/oidc-provider" ] || return 0
    echo "install-servers: fetching the OpenID provider"
    (cd "$provider" && npm ci --no-audit --no-fund --loglevel=error) ||
        cannot "npm could not fetch the OpenID provider; see above"
}

if [ -z "$missing" ]; then
    fetch_provider
    echo "install-servers: all there, nothing to do"
    exit 0
fi

command -v apt-get >/dev/null 2>&1 ||
    cannot "no apt-get here; install by hand what tests and demo should use:$missing"
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null ||
        cannot "needs root: sudo apt-get install --no-install-recommends$missing"
    as_root="sudo -n"
fi

# The packages start their services when they are installed. Only the programs are needed, so that
# is forbidden for as long as this takes, unless the machine has a rule of its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
    # shellcheck disable=SC2064 # the values of now
    trap "$as_root rm -f $policy" EXIT
fi

echo "install-servers: installing$missing"
$as_root apt-get update -q || cannot "the package lists cannot be read; see above"
# shellcheck disable=SC2086 # a list of packages
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing ||
    cannot "could not install$missing; see above"
fetch_provider
echo "install-servers: done"
