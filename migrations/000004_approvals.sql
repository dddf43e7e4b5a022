-- The second person's approvals, and their use: one approval, one evaluation, settled by the primary key.

create table public.approvals (
  id            uuid        not null primary key,  -- also the id of the record that says who approved and how that was proven
  approver      text        not null,
  roles         text[]      not null,              -- of the approver, after policy data
  requester     text        not null,
  action        text        not null,
  resource_type text        not null,
  resource_id   text        not null,
  matter_id     text,
  client_id     text,
  expires_at    timestamptz not null,
  at            timestamptz not null
);
create trigger guard before update or delete or truncate on public.approvals
  for each statement execute function public.refuse_change();

create table public.approval_uses (
  approval_id   uuid        not null primary key references public.approvals,
  evaluation_id uuid        not null,
  at            timestamptz not null
);
create trigger guard before update or delete or truncate on public.approval_uses
  for each statement execute function public.refuse_change();

grant insert, select on public.approvals to privity_writer;
grant insert, select (approval_id) on public.approval_uses to privity_writer;
grant select on public.approvals, public.approval_uses to privity_reader;
