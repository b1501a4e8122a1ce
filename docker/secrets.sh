#!/bin/sh
# Makes the secrets that compose.yaml mounts, in the folder `secrets` beside this file. What is
# there already stays as it is: without the same vault key, stored credentials cannot be read.
set -eu
cd "$(dirname "$0")"

# Only whoever owns the folder comes to the files; within a container each is mounted by itself,
# for a user of another number, who has to be able to read it.
umask 077
mkdir -p secrets
cd secrets
umask 022

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

keep() { # keep NAME: writes standard input there, unless the file exists
  if [ -e "$1" ]; then
    cat >/dev/null
  else
    cat >"$1.new"
    mv "$1.new" "$1"
    echo "made secrets/$1"
  fi
}

head -c 32 /dev/urandom | base64 | keep vault-key
random | keep directory-password
printf 'postgresql://gateway:%s@postgres:5432/credit_gateway\n' "$(cat directory-password)" |
  keep directory-url
random | keep redis-password
# Lines of a redis.conf; a replica in a cluster logs in with the same password.
printf 'requirepass %s\nmasterauth %s\n' "$(cat redis-password)" "$(cat redis-password)" |
  keep redis-login
printf 'redis://:%s@redis:6379/0\n' "$(cat redis-password)" | keep cache-url
printf 'redis+cluster://:%s@redis:6379,redis-2:6379,redis-3:6379\n' "$(cat redis-password)" |
  keep cluster-url
random | keep grafana-password

if [ ! -e carecloud-password ]; then
  : >carecloud-password
  echo "Write CareCloud's password into secrets/carecloud-password."
fi
