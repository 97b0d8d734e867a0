/**
 * What is done inside the database, in one round trip each: functions in PL/pgSQL whose every statement sees what was
 * committed before it began (READ COMMITTED). The order of their statements is the point of them:
 *
 * 1. the gate: a shared lock that names the epoch, and only *then*, in a later statement, whether it is still in force;
 * 2. the records' rows, locked in the order of their names, so that two of these never wait for each other in a circle;
 * 3. only *then*, in later statements, what the rows hold and whether the write was given up;
 * 4. the writes, when nothing is against them. No conflict is an error: none ends a caller's transaction.
 *
 * Every name is written with its schema, and `search_path` is set for the function: nothing of the caller's is run.
 * A function is never changed once it is released: a program that needs another makes one with the next number, and
 * those that run on use theirs.
 */
import type { SchemaName } from "./schema-name.ts";

/** A function as the migrations make it. */
export interface StoreFunction {
  readonly name: string;
  /** As the catalog tells its arguments and what it returns. */
  readonly takes: string;
  readonly returns: string;
  readonly body: (schema: SchemaName) => string;
  readonly create: (schema: SchemaName) => string;
}

/**
 * What is set while a function runs. Statements are planned once a session: for arrays of one element the planner would
 * do it anew with each call, which takes longer than the work. A plan that was made when the tables were small must not
 * read whole tables when they have grown.
 */
const SETTINGS = [
  ["search_path", "pg_catalog, pg_temp"],
  ["plan_cache_mode", "force_generic_plan"],
  ["enable_seqscan", "off"],
  ["enable_hashjoin", "off"],
  ["enable_mergejoin", "off"],
] as const;

/** The same, as the catalog tells it. */
export const FUNCTION_SETTINGS: string = SETTINGS.map(([setting, value]) => `${setting}=${value}`).join(" ");

function storeFunction(
  name: string,
  signature: { readonly takes: string; readonly returns: string },
  body: (schema: SchemaName) => string,
): StoreFunction {
  const takes = signature.takes.replace(/\s+/g, " ");
  return {
    name,
    takes,
    returns: signature.returns,
    body,
    create: (schema) =>
      `create function ${schema}.${name}(${takes}) returns ${signature.returns} language plpgsql volatile ` +
      `${SETTINGS.map(([setting, value]) => `set ${setting} to ${value}`).join(" ")} as $body$${body(schema)}$body$`,
  };
}

/** The key of the lock that writers of an epoch share, and that a flip takes alone. */
export const gateKey = (vault: string, epoch: string): string =>
  `hashtextextended(('strongroom/gate/' || ${vault} || '/'::text || (${epoch})::text) collate "C", 0::bigint)`;

/**
 * The database's clock, in milliseconds since the epoch. Here as everywhere each operator and function is given exactly
 * the types that one of the server's own takes: only where none fits so, one that lies in another schema can be nearer.
 */
export const NOW = "(extract(epoch from clock_timestamp())::numeric * 1000::numeric)::bigint";

/** What no vault counts to: a number from here on is damage, and holds nobody back from removing it. */
const BEYOND = "9007199254740992";

/**
 * Time-outs and durability of this transaction alone. A role or a database may have `synchronous_commit` off; what is
 * answered as made is on the disk.
 */
const ENTER = `
  if p_lock_ms > 0 then perform set_config('lock_timeout', p_lock_ms::text, true); end if;
  if current_setting('synchronous_commit') = 'off' then perform set_config('synchronous_commit', 'on', true); end if;`;

/** Sets `v_gate`, and holds its epoch until the transaction ends. `answer`: how a refusal is returned. */
const holdGate = (schema: SchemaName, wraps: string, answer: (refusal: string) => string): string => `
  if ${wraps} and v_is_snapshot then
    -- A snapshot older than a flip must not pass: the row that was changed since is an error of the isolation.
    select * into v_gate from ${schema}.vault for share;
  else
    select * into v_gate from ${schema}.vault;
  end if;
  if v_gate.id is null then ${answer("no-gate")} end if;
  if v_gate.id <> p_vault then ${answer("replaced")} end if;
  if v_gate.min_writer > p_writer then ${answer("newer")} end if;
  if ${wraps} and not v_is_snapshot then
    loop
      v_held := v_gate.epoch;
      perform pg_advisory_xact_lock_shared(${gateKey("p_vault", "v_held")});
      select * into v_gate from ${schema}.vault;
      exit when v_gate.epoch = v_held;
    end loop;
  end if;`;

/** Locks the heads of records, in the order of their names. */
const lockHeads = (schema: SchemaName): string => `
  perform from unnest(p_collections, p_ids) u(collection, id)
    join ${schema}.records r on r.collection = u.collection and r.id = u.id
    join ${schema}.heads h on h.record = r.key
    order by r.collection, r.id
    for no key update of h;`;

/** Two days: whoever lost an answer asks at once, and a day is promised, also by a clock that was set ahead. */
const KEPT_MS = 2 * 24 * 60 * 60 * 1000;

/**
 * Takes away what was settled long ago, more than one call adds. What somebody else takes is left to him: in a snapshot
 * also what somebody took since, which is an error of the isolation there, and of nobody's work.
 */
const prune = (schema: SchemaName): string => `
  begin
    delete from ${schema}.settled s where s.write_id in (
      select o.write_id from ${schema}.settled o where o.at < v_now - ${KEPT_MS}
      order by o.at limit 2000 for update skip locked);
  exception when serialization_failure then null;
  end;`;

/**
 * In a snapshot it is not seen that a write was given up since: to settle it as well is an error of the isolation then.
 *
 * @param made selects the ids of the writes that are being made, as `write_id`
 */
const settleInSnapshot = (schema: SchemaName, made: string): string => `
  if v_is_snapshot then
    insert into ${schema}.settled (write_id, outcome, at)
      select m.write_id, 'made', v_now from (${made}) m order by m.write_id collate "C"
      on conflict do nothing;${prune(schema).replaceAll("\n", "\n  ")}
  end if;`;

const GATE_VARIABLES = `
  v_is_snapshot constant boolean := current_setting('transaction_isolation') in ('repeatable read', 'serializable');
  v_now constant bigint := ${NOW};
  v_gate record;
  v_held bigint;`;

/**
 * Makes units. Each has one element in the first arrays; each version one in the second, with its message as a part of
 * `p_messages`. `base`: `none`, `live`, `removed`, `damaged`, or `never`. A removal has no epoch.
 *
 * `first` is its lowest new number, or the tombstone: numbers go up, past the head and past every row.
 *
 * Answers for each unit in its place: `made`, `conflict`, `gate-moved`, `not-made`; or with one row for all: `no-gate`,
 * `replaced`, `newer`, `set-unknown`.
 */
const APPLY = storeFunction(
  "apply_v1",
  {
    takes: `p_vault text, p_writer integer, p_lock_ms integer, p_atomic boolean,
    p_write_ids text[], p_collections text[], p_ids text[], p_bases text[], p_base_versions bigint[], p_epochs bigint[],
    p_firsts bigint[], p_head_versions bigint[], p_times bigint[], p_buckets integer[],
    p_units integer[], p_versions bigint[], p_subjects text[], p_created bigint[], p_digests text[],
    p_starts integer[], p_sizes integer[], p_messages bytea`,
    returns: "TABLE(result text, epoch bigint)",
  },
  (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}
  v_wraps constant boolean := array_length(p_units, 1) > 0;
  v_fresh bigint[];
  v_keys bigint[];
  v_results text[];
  v_ready boolean[];
  v_gone bigint[];
begin${ENTER}
  ${holdGate(schema, "v_wraps", (refusal) => `return query select '${refusal}'::text, 0::bigint; return;`)}
  if v_wraps and exists (
    select from unnest(p_digests) d(digest)
    where not exists (select from ${schema}.wrap_sets w where w.digest = d.digest collate "C")
  ) then
    return query select 'set-unknown'::text, 0::bigint; return;
  end if;

  -- Names of records that nobody wrote before. Whoever makes the same one now waits here.
  if 'none' = any(p_bases) or 'damaged' = any(p_bases) then
    with made as (
      insert into ${schema}.records (collection, id)
      select u.collection, u.id from unnest(p_collections, p_ids, p_bases, p_epochs) u(collection, id, base, epoch)
      where u.base in ('none', 'damaged') and (u.epoch is null or u.epoch = v_gate.epoch) and not exists (
        select from ${schema}.records r where r.collection = u.collection and r.id = u.id)
      order by u.collection collate "C", u.id collate "C"
      on conflict do nothing
      returning key)
    select array_agg(made.key) into v_fresh from made;
    -- A name without a head has no other row to be locked.
    perform from unnest(p_collections, p_ids, p_bases) u(collection, id, base)
      join ${schema}.records r on r.collection = u.collection and r.id = u.id
      where u.base in ('none', 'damaged') and not exists (select from ${schema}.heads h where h.record = r.key)
      order by r.collection, r.id
      for update of r;
  end if;
${lockHeads(schema)}

  select array_agg(r.key order by u.n) into v_keys
    from unnest(p_collections, p_ids) with ordinality u(collection, id, n)
    left join ${schema}.records r on r.collection = u.collection and r.id = u.id;
  select array_agg(case
      when s.write_id is not null or h.write_id = u.write_id then 'conflict'
      when u.epoch <> v_gate.epoch then 'gate-moved'
      when u.key is null then 'conflict'
      when u.base = 'damaged' then case
        when u.first < h.version and h.version < ${BEYOND} or u.first < newest.version and newest.version < ${BEYOND}
          then 'conflict' else 'made' end
      when newest.version > u.first or u.epoch is not null and newest.version = u.first then 'conflict'
      when u.base = 'none' and h.record is null then 'made'
      when u.base = h.state and u.base_version = h.version
        and (u.first > h.version or u.epoch is null and u.first = h.version) then 'made'
      else 'conflict' end order by u.n)
    into v_results
    from unnest(p_write_ids, v_keys, p_bases, p_base_versions, p_epochs, p_firsts) with ordinality
      u(write_id, key, base, base_version, epoch, first, n)
    left join ${schema}.heads h on h.record = u.key
    left join ${schema}.settled s on s.write_id = u.write_id collate "C"
    left join lateral (select max(v.version) as version from ${schema}.versions v where v.record = u.key) newest on true;

  if p_atomic and exists (select from unnest(v_results) t(result) where t.result <> 'made') then
    select array_agg(case t.result when 'made' then 'not-made' else t.result end order by t.n) into v_results
      from unnest(v_results) with ordinality t(result, n);
  end if;
  select array_agg(t.result = 'made' order by t.n),
      array_agg(v_keys[t.n]) filter (where t.result = 'made' and p_epochs[t.n] is null)
    into v_ready, v_gone
    from unnest(v_results) with ordinality t(result, n);

  if v_gone is not null then
    insert into ${schema}.settled (write_id, outcome, at)
      select v.write_id, 'made', v_now from ${schema}.versions v where v.record = any(v_gone)
      on conflict do nothing;
    delete from ${schema}.failures f where f.record = any(v_gone);
    delete from ${schema}.versions v where v.record = any(v_gone);${prune(schema).replaceAll("\n", "\n  ")}
  end if;
  -- Of a tombstone that is written over, only its own row told who made it.
  if 'removed' = any(p_bases) or 'damaged' = any(p_bases) then
    insert into ${schema}.settled (write_id, outcome, at)
      select h.write_id, 'made', v_now from unnest(v_keys, v_ready) u(key, ready)
      join ${schema}.heads h on h.record = u.key
      where u.ready and h.state = 'removed'
      on conflict do nothing;
  end if;
  insert into ${schema}.heads as h (record, version, state, updated_at, write_id)
    select u.key, u.version, case when u.epoch is null then 'removed' else 'live' end, u.at, u.write_id
    from unnest(v_keys, v_ready, p_head_versions, p_epochs, p_times, p_write_ids)
      u(key, ready, version, epoch, at, write_id)
    where u.ready
    on conflict (record) do update set version = excluded.version, state = excluded.state,
      updated_at = excluded.updated_at, write_id = excluded.write_id;
  if v_wraps then
    insert into ${schema}.versions
      (record, version, created_at, since, revision, wrap_set, bucket, subject, write_id, message)
      select v_keys[w.unit], w.version, w.created, w.created, 0, s.id, p_buckets[w.unit], w.subject, p_write_ids[w.unit],
        substr(p_messages, w.start, w.size)
      from unnest(p_units, p_versions, p_subjects, p_created, p_digests, p_starts, p_sizes)
        w(unit, version, subject, created, digest, start, size)
      join ${schema}.wrap_sets s on s.digest = w.digest collate "C"
      where v_ready[w.unit];
  end if;
  ${settleInSnapshot(
    schema,
    "select u.write_id from unnest(p_write_ids, v_ready) u(write_id, ready) where u.ready",
  ).trim()}
  if v_fresh is not null and not (true = all(v_ready)) then
    delete from ${schema}.records r where r.key = any(v_fresh) and not exists (
      select from unnest(v_keys, v_ready) u(key, ready) where u.key = r.key and u.ready);
  end if;
  return query select t.result, v_gate.epoch from unnest(v_results) with ordinality t(result, n) order by t.n;
end`,
);

const ONE_VERSION = `
  v_set integer;
  v_key bigint;`;

/** Holds the gate at `p_epoch`, and sets `v_set` to the wrap set: what a message that was just sealed needs. */
const holdEpoch = (schema: SchemaName): string => `
  ${holdGate(schema, "true", (refusal) => `return query select '${refusal}'::text, 0::bigint; return;`)}
  if v_gate.epoch <> p_epoch then return query select 'gate-moved'::text, v_gate.epoch; return; end if;
  select s.id into v_set from ${schema}.wrap_sets s where s.digest = p_digest collate "C";
  if v_set is null then return query select 'set-unknown'::text, v_gate.epoch; return; end if;`;

/**
 * Makes one unit of one new version: what most writes are, and the same in fewer statements than {@link APPLY} takes.
 * Answers as that does.
 */
const PUT = storeFunction(
  "put_v1",
  {
    takes: `p_vault text, p_writer integer, p_lock_ms integer, p_write_id text, p_collection text, p_id text,
    p_base text, p_base_version bigint, p_epoch bigint, p_bucket integer, p_version bigint, p_subject text,
    p_created bigint, p_digest text, p_message bytea`,
    returns: "TABLE(result text, epoch bigint)",
  },
  (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}${ONE_VERSION}
  v_is_fresh boolean := false;
  v_head record;
  v_newest bigint;
  v_is_settled boolean;
begin${ENTER}
  ${holdEpoch(schema)}

  select r.key into v_key from ${schema}.records r where r.collection = p_collection and r.id = p_id;
  if v_key is null and p_base = 'none' then
    insert into ${schema}.records (collection, id) values (p_collection, p_id)
      on conflict do nothing returning key into v_key;
    v_is_fresh := v_key is not null;
    if not v_is_fresh then
      select r.key into v_key from ${schema}.records r where r.collection = p_collection and r.id = p_id;
    end if;
  end if;
  if v_key is null then return query select 'conflict'::text, v_gate.epoch; return; end if;
  if not v_is_fresh then
    select h.version, h.state, h.write_id into v_head from ${schema}.heads h where h.record = v_key for no key update;
    if v_head.version is null then
      -- A name without a head has no other row to be locked; a head may have come while it was waited for.
      perform from ${schema}.records r where r.key = v_key for update;
      if not found then return query select 'conflict'::text, v_gate.epoch; return; end if;
      select h.version, h.state, h.write_id into v_head from ${schema}.heads h where h.record = v_key for no key update;
    end if;
  else
    select null::bigint as version, null::text as state, null::text as write_id into v_head;
  end if;

  select (select max(v.version) from ${schema}.versions v where v.record = v_key),
      exists (select from ${schema}.settled s where s.write_id = p_write_id collate "C")
    into v_newest, v_is_settled;
  if v_is_settled or v_head.write_id = p_write_id or v_newest >= p_version or v_head.version >= p_version
    or not (p_base = 'none' and v_head.version is null
      or coalesce(p_base = v_head.state and p_base_version = v_head.version, false))
  then
    if v_is_fresh then delete from ${schema}.records r where r.key = v_key; end if;
    return query select 'conflict'::text, v_gate.epoch; return;
  end if;

  if v_head.state = 'removed' then
    insert into ${schema}.settled (write_id, outcome, at) values (v_head.write_id, 'made', v_now)
      on conflict do nothing;
  end if;
  if v_head.version is null then
    insert into ${schema}.heads (record, version, state, updated_at, write_id)
      values (v_key, p_version, 'live', p_created, p_write_id);
  else
    update ${schema}.heads h set version = p_version, state = 'live', updated_at = p_created, write_id = p_write_id
      where h.record = v_key;
  end if;
  insert into ${schema}.versions
    (record, version, created_at, since, revision, wrap_set, bucket, subject, write_id, message)
    values (v_key, p_version, p_created, p_created, 0, v_set, p_bucket, p_subject, p_write_id, p_message);
${settleInSnapshot(schema, "select p_write_id as write_id")}
  return query select 'made'::text, v_gate.epoch;
end`,
);

/**
 * What became of writes, written down for good: `made`, or `void`, and then they never will be. The locks are those
 * that a write takes before it looks: one that is under way is waited for, and one that comes later finds it settled.
 */
const OUTCOME = storeFunction(
  "outcome_v1",
  {
    takes: "p_vault text, p_writer integer, p_lock_ms integer, p_write_ids text[], p_collections text[], p_ids text[]",
    returns: "TABLE(result text)",
  },
  (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}
  v_fresh bigint[];
  v_results text[];
begin${ENTER}
  ${holdGate(schema, "false", (refusal) => `return query select '${refusal}'::text; return;`)}
  with made as (
    insert into ${schema}.records (collection, id)
    select distinct u.collection collate "C", u.id collate "C" from unnest(p_collections, p_ids) u(collection, id)
    where not exists (select from ${schema}.records r where r.collection = u.collection and r.id = u.id)
    order by 1, 2
    on conflict do nothing
    returning key)
  select array_agg(made.key) into v_fresh from made;
  perform from unnest(p_collections, p_ids) u(collection, id)
    join ${schema}.records r on r.collection = u.collection and r.id = u.id
    where not exists (select from ${schema}.heads h where h.record = r.key)
    order by r.collection, r.id
    for update of r;
${lockHeads(schema)}
  select array_agg(case
      when s.outcome is not null then s.outcome
      when h.write_id = u.write_id then 'made'
      when exists (
        select from ${schema}.versions v where v.record = r.key and v.write_id = u.write_id collate "C") then 'made'
      else 'void' end order by u.n)
    into v_results
    from unnest(p_write_ids, p_collections, p_ids) with ordinality u(write_id, collection, id, n)
    left join ${schema}.records r on r.collection = u.collection and r.id = u.id
    left join ${schema}.heads h on h.record = r.key
    left join ${schema}.settled s on s.write_id = u.write_id collate "C";
  insert into ${schema}.settled (write_id, outcome, at)
    select u.write_id, u.result, v_now from unnest(p_write_ids, v_results) u(write_id, result)
    order by u.write_id collate "C"
    on conflict do nothing;
  delete from ${schema}.records r where r.key = any(v_fresh);${prune(schema)}
  return query select t.result from unnest(v_results) with ordinality t(result, n) order by t.n;
end`,
);

/**
 * Puts a version's new message in the place of the old one: `made`, `overtaken`, `gate-moved`; or `no-gate`,
 * `replaced`, `newer`, `set-unknown`. The row of the lease is locked first: who takes it over waits for this to end.
 */
const REWRAP = storeFunction(
  "rewrap_v1",
  {
    takes: `p_vault text, p_writer integer, p_lock_ms integer, p_epoch bigint,
    p_collection text, p_id text, p_version bigint, p_seen_set integer, p_seen_revision bigint,
    p_digest text, p_at bigint, p_message bytea, p_job text, p_partition text, p_fence bigint`,
    returns: "TABLE(result text, epoch bigint)",
  },
  (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}${ONE_VERSION}
begin${ENTER}
  ${holdEpoch(schema)}
  if p_job is not null then
    perform from ${schema}.job_partitions j
      where j.job = p_job and j.partition = p_partition and j.fence = p_fence and j.held
      for share;
    if not found then return query select 'overtaken'::text, v_gate.epoch; return; end if;
  end if;
  update ${schema}.versions v
    set wrap_set = v_set, since = p_at, message = coalesce(p_message, v.message),
      revision = v.revision + case when p_message is null then 0 else 1 end
    from ${schema}.records r
    where r.collection = p_collection and r.id = p_id and v.record = r.key and v.version = p_version
      and v.wrap_set = p_seen_set and v.revision = p_seen_revision
    returning v.record into v_key;
  if v_key is null then return query select 'overtaken'::text, v_gate.epoch; return; end if;
  delete from ${schema}.failures f where f.record = v_key and f.version = p_version;
  return query select 'made'::text, v_gate.epoch;
end`,
);

/** All of them, in the order in which they are made. */
export const STORE_FUNCTIONS: readonly StoreFunction[] = [APPLY, PUT, OUTCOME, REWRAP];
