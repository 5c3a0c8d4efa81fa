#!/bin/sh
# Makes what is secret, where it is not there yet: one access key, the key that seals secrets in Redis, Redis's password.
set -eu
umask 077

# random CHARACTERS COUNT
random() { head -c 4096 /dev/urandom | LC_ALL=C tr -dc "$1" | head -c "$2"; }

# A file is there whole or not at all, however often this is cut off.
make() { cat >"$1.new" && mv "$1.new" "$1"; }

cd /secrets
[ -e secret.key ] || random 0-9a-f 64 | make secret.key
[ -e redis-password ] || random A-Za-z0-9 40 | make redis-password
if [ ! -e access-keys.json ]; then
  id=AKIA$(random A-Z2-7 16)
  secret=$(random A-Za-z0-9 40)
  printf 'export AWS_ACCESS_KEY_ID=%s\nexport AWS_SECRET_ACCESS_KEY=%s\n' "$id" "$secret" | make access-key.env
  printf '[{ "accessKeyId": "%s", "secretAccessKey": "%s", "name": "root" }]\n' "$id" "$secret" | make access-keys.json
fi

# The directory is seen by Redis alone, which has a user of its own.
umask 022
make /redis-conf/password <redis-password
make /redis-conf/redis.conf <<END
dir /data
# A change is on the disk before it is acknowledged.
appendonly yes
appendfsync always
save ""
requirepass $(cat redis-password)
END
