#!/bin/sh
# Runs once, when the database's volume is new: the three login roles, of which only the owner migrates.
set -eu
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set=password="$PENSTOCK_PASSWORD" --set=database="$POSTGRES_DB" <<'SQL'
CREATE ROLE penstock_owner LOGIN PASSWORD :'password';
CREATE ROLE penstock_app LOGIN PASSWORD :'password';
CREATE ROLE penstock_worker LOGIN PASSWORD :'password';
GRANT penstock_app, penstock_worker TO penstock_owner WITH ADMIN TRUE, INHERIT FALSE, SET TRUE;
ALTER DATABASE :"database" OWNER TO penstock_owner;
SQL
