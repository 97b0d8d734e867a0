/**
 * Adds to the audit's log.
 */
import { storeFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";
import { ENTER, GATE_VARIABLES, holdGate, holdLease } from "./statements.ts";

/**
 * Adds entries behind `p_size` entries of `p_history` (null: none yet), and what follows from them, under a lease.
 * Leaves and texts are one value of bytes each, as the messages of units are. Answers `integrated`, `overtaken`; or
 * `no-gate`, `replaced`, `newer`. An entry that is in the log already is an error: nothing is added then.
 *
 * The row of the log is locked before anything is looked at: whoever adds comes one after the other, and so do their
 * rows, of which none is in an order that another could wait for.
 */
export const INTEGRATE: StoreFunction = storeFunction(
  "integrate_v1",
  {
    takes: `p_vault text, p_writer integer, p_lock_ms integer, p_job text, p_partition text, p_fence bigint,
    p_history uuid, p_size bigint, p_begins boolean,
    p_new_history uuid, p_new_size bigint, p_new_subtrees bytea, p_checkpoint text, p_published bigint,
    p_adopted boolean, p_forgotten bigint,
    p_ids uuid[], p_times bigint[], p_principals text[], p_actions text[], p_collections text[], p_leaves bytea,
    p_starts integer[], p_sizes integer[], p_texts bytea, p_people_entries integer[], p_people text[],
    p_heights integer[], p_indexes bigint[], p_hashes bytea,
    p_head_tags text[], p_head_versions bigint[], p_head_states text[], p_head_entries uuid[], p_removed text[],
    p_message_tags text[], p_message_versions bigint[], p_digests bytea,
    p_outboxes text[], p_streams uuid[], p_numbers bigint[], p_ended boolean[], p_closed_outboxes text[], p_closed uuid[]`,
    returns: "TABLE(result text)",
  },
  (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}
  v_log record;
  v_latest bigint;
begin${ENTER}
  ${holdGate(schema, "false", (refusal) => `return query select '${refusal}'::text; return;`)}${holdLease(schema, "")}
  select l.history, l.size into v_log from ${schema}.log l for no key update;
  if not found or v_log.size <> p_size or v_log.history is distinct from p_history then
    return query select 'overtaken'::text; return;
  end if;
  if p_begins then
    delete from ${schema}.heads;
    delete from ${schema}.messages;
    delete from ${schema}.streams;
  end if;

  select e.latest into v_latest from ${schema}.entries e where e.position = p_size - 1;
  insert into ${schema}.entries (position, id, at, latest, leaf, principal, action, collection)
    select p_size + u.n - 1, u.id, u.at, greatest(v_latest, max(u.at) over (order by u.n)),
      substr(p_leaves, 32 * u.n::integer - 31, 32), u.principal, u.action, u.collection
    from unnest(p_ids, p_times, p_principals, p_actions, p_collections) with ordinality
      u(id, at, principal, action, collection, n)
    order by u.n;
  insert into ${schema}.texts (position, text)
    select p_size + u.n - 1, substr(p_texts, u.start, u.size)
    from unnest(p_starts, p_sizes) with ordinality u(start, size, n) order by u.n;
  insert into ${schema}.people (position, key)
    select p_size + u.entry - 1, u.key from unnest(p_people_entries, p_people) u(entry, key)
    order by u.key collate "C", u.entry;
  if array_length(p_heights, 1) > 0 then
    insert into ${schema}.subtrees as s (height, index, hash)
      select u.height, u.index, substr(p_hashes, 32 * u.n::integer - 31, 32)
      from unnest(p_heights, p_indexes) with ordinality u(height, index, n)
      on conflict (height, index) do update set hash = excluded.hash;
  end if;

  if array_length(p_head_tags, 1) > 0 then
    insert into ${schema}.heads as h (tag, version, state, entry)
      select u.tag, u.version, u.state, u.entry
      from unnest(p_head_tags, p_head_versions, p_head_states, p_head_entries) u(tag, version, state, entry)
      order by u.tag collate "C"
      on conflict (tag) do update set version = excluded.version, state = excluded.state, entry = excluded.entry;
  end if;
  if array_length(p_removed, 1) > 0 then
    delete from ${schema}.messages m using (select distinct r.tag collate "C" as tag from unnest(p_removed) r(tag)) u
      where m.tag = u.tag;
  end if;
  if array_length(p_message_tags, 1) > 0 then
    insert into ${schema}.messages (tag, version, sha256)
      select u.tag, u.version, substr(p_digests, 32 * u.n::integer - 31, 32)
      from unnest(p_message_tags, p_message_versions) with ordinality u(tag, version, n)
      order by u.tag collate "C", u.version
      on conflict do nothing;
  end if;
  if array_length(p_streams, 1) > 0 then
    insert into ${schema}.streams as s (outbox, stream, number, ended)
      select u.outbox, u.stream, u.number, u.ended
      from unnest(p_outboxes, p_streams, p_numbers, p_ended) u(outbox, stream, number, ended)
      order by u.outbox collate "C", u.stream
      on conflict (outbox, stream) do update set number = excluded.number, ended = excluded.ended;
  end if;
  if array_length(p_closed, 1) > 0 then
    delete from ${schema}.streams s using unnest(p_closed_outboxes, p_closed) u(outbox, stream)
      where s.outbox = u.outbox and s.stream = u.stream;
  end if;
  update ${schema}.log l set history = p_new_history, size = p_new_size, subtrees = p_new_subtrees,
    checkpoint = p_checkpoint, published = greatest(l.published, p_published), adopted = p_adopted,
    forgotten = greatest(l.forgotten, p_forgotten);
  return query select 'integrated'::text;
end`,
);
