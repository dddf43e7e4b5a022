#!/bin/sh
# Run by the image of PostgreSQL when its data folder is empty: the roles of Privity with the passwords of the secrets.
set -eu

secret() { cat "/run/secrets/$1_password"; }

psql --no-psqlrc --set=ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set=owner="$(secret owner)" --set=writer="$(secret writer)" --set=reader="$(secret reader)" --set=sealer="$(secret sealer)" \
  >/dev/null <<'SQL'
select set_config('privity.owner_password', :'owner', false), set_config('privity.writer_password', :'writer', false),
       set_config('privity.reader_password', :'reader', false), set_config('privity.sealer_password', :'sealer', false);
\i /usr/local/share/privity/roles.sql
SQL
