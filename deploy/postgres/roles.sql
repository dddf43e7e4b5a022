-- Gives the four roles of Privity a login each, before the first `privity migrate`. Run once, by an administrator, in the database of
-- Privity, in a session that holds the passwords as settings (so that they stand in no file and no history):
--
--   select set_config('privity.owner_password', '…', false), set_config('privity.writer_password', '…', false),
--          set_config('privity.reader_password', '…', false), set_config('privity.sealer_password', '…', false);
--
-- Run again with other passwords it changes them: that is how they are rotated. What each role may do stands in the migrations.
do $$
declare
  part     text;
  role     text;
  password text;
begin
  foreach part in array array['owner', 'writer', 'reader', 'sealer'] loop
    role := 'privity_' || part;
    password := current_setting('privity.' || part || '_password', true);
    if coalesce(password, '') = '' then
      raise exception 'the setting privity.%_password is missing', part;
    end if;
    if not exists (select from pg_roles where rolname = role) then
      execute format('create role %I', role);
    end if;
    execute format('alter role %I login noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls password %L', role, password);
  end loop;
  execute format('alter database %I owner to privity_owner', current_database());
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to privity_writer, privity_reader, privity_sealer', current_database());
end
$$;
