#!/bin/sh
# Makes every secret that compose.yaml needs, once, below the folder given (deploy/compose/secrets): passwords, the URLs with them, and
# the keys that certify writers and sign checkpoints. What is there already stays.
set -eu
umask 077

folder=${1:-"$(dirname "$0")/secrets"}
host=${2:-postgres}
mkdir -p "$folder"
chmod 700 "$folder"

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# Compose hands files over as they are, and the accounts of the containers have to read them; on this machine the folder keeps others out.
keep() {
  if [ ! -e "$folder/$1" ]; then cat >"$folder/$1.new" && chmod 444 "$folder/$1.new" && mv "$folder/$1.new" "$folder/$1"; fi
}

random | keep postgres_password
for role in owner writer reader sealer; do
  random | keep "${role}_password"
  printf 'postgres://privity_%s:%s@%s:5432/privity' "$role" "$(cat "$folder/${role}_password")" "$host" | keep "${role}_url"
done
for key in writer_key checkpoint_key; do
  if [ ! -e "$folder/$key" ]; then
    openssl genpkey -algorithm ed25519 -out "$folder/$key.new"
    # Privity refuses a key that everybody may read: it belongs to the account of the container.
    chown 10001:10001 "$folder/$key.new" || echo "as root: chown 10001:10001 $folder/$key" >&2
    mv "$folder/$key.new" "$folder/$key"
  fi
done
