/**
 * What the functions have in common. Every statement of a function sees what was committed before it began (READ
 * COMMITTED); the order of them is the point:
 *
 * 1. the gate: a shared lock that names the epoch, and only *then*, in a later statement, whether it is still in force;
 * 2. the people (people.ts): their rows are locked, and only *then*, in a later statement, their states are read;
 * 3. the records' rows, locked in the order of their names, so that two of these never wait for each other in a circle;
 * 4. only *then*, in later statements, what the rows hold and whether the write was given up;
 * 5. the writes, when nothing is against them. No conflict is an error: none ends a caller's transaction.
 */
import type { SchemaName } from "../schema-name.ts";

/** The key of the lock that writers of an epoch share, and that a flip takes alone. */
export const gateKey = (vault: string, epoch: string): string =>
  `hashtextextended(('strongroom/gate/' || ${vault} || '/'::text || (${epoch})::text) collate "C", 0::bigint)`;

/**
 * The database's clock, in milliseconds since the epoch. Here as everywhere each operator and function is given exactly
 * the types that one of the server's own takes: only where none fits so, one that lies in another schema can be nearer.
 */
export const NOW = "(extract(epoch from clock_timestamp())::numeric * 1000::numeric)::bigint";

/** What no vault counts to: a number from here on is damage, and holds nobody back from removing it. */
export const BEYOND = "9007199254740992";

/**
 * Time-outs and durability of this transaction alone. A role or a database may have `synchronous_commit` off; what is
 * answered as made is on the disk.
 */
export const ENTER = `
  if p_lock_ms > 0 then perform set_config('lock_timeout', p_lock_ms::text, true); end if;
  if current_setting('synchronous_commit') = 'off' then perform set_config('synchronous_commit', 'on', true); end if;`;

/** Sets `v_gate`, and holds its epoch until the transaction ends. `answer`: how a refusal is returned. */
export const holdGate = (schema: SchemaName, wraps: string, answer: (refusal: string) => string): string => `
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

/** Two days: whoever lost an answer asks at once, and a day is promised, also by a clock that was set ahead. */
const KEPT_MS = 2 * 24 * 60 * 60 * 1000;

/**
 * Takes away what was settled long ago, more than one call adds. What somebody else takes is left to him: in a snapshot
 * also what somebody took since, which is an error of the isolation there, and of nobody's work.
 */
export const prune = (schema: SchemaName): string => `
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
export const settleInSnapshot = (schema: SchemaName, made: string): string => `
  if v_is_snapshot then
    insert into ${schema}.settled (write_id, outcome, at)
      select m.write_id, 'made', v_now from (${made}) m order by m.write_id collate "C"
      on conflict do nothing;${prune(schema).replaceAll("\n", "\n  ")}
  end if;`;

export const GATE_VARIABLES: string = `
  v_is_snapshot constant boolean := current_setting('transaction_isolation') in ('repeatable read', 'serializable');
  v_now constant bigint := ${NOW};
  v_gate record;
  v_held bigint;`;

export const ONE_VERSION = `
  v_set integer;
  v_key bigint;`;

/**
 * Holds the gate at `p_epoch`, and sets `v_set` to the wrap set: what a message that was just sealed needs.
 *
 * @param rest further columns of an answer, which a refusal leaves empty
 * @param before what is done before it is answered that the gate has moved
 */
export const holdEpoch = (schema: SchemaName, rest: string = "", before: string = ""): string => `
  ${holdGate(schema, "true", (refusal) => `return query select '${refusal}'::text, 0::bigint${rest}; return;`)}
  if v_gate.epoch <> p_epoch then ${before}return query select 'gate-moved'::text, v_gate.epoch${rest}; return; end if;
  select s.id into v_set from ${schema}.wrap_sets s where s.digest = p_digest collate "C";
  if v_set is null then return query select 'set-unknown'::text, v_gate.epoch${rest}; return; end if;`;

/** Locks the heads of records, in the order of their names. */
export const lockHeads = (schema: SchemaName): string => `
  perform from unnest(p_collections, p_ids) u(collection, id)
    join ${schema}.records r on r.collection = u.collection and r.id = u.id
    join ${schema}.heads h on h.record = r.key
    order by r.collection, r.id
    for no key update of h;`;

/**
 * Holds a lease: who takes it over waits for this to end.
 *
 * @param rest further columns of the answer that it is overtaken
 */
export const holdLease = (schema: SchemaName, rest: string = ", v_gate.epoch"): string => `
  if p_job is not null then
    perform from ${schema}.job_partitions j
      where j.job = p_job and j.partition = p_partition and j.fence = p_fence and j.held
      for share;
    if not found then return query select 'overtaken'::text${rest}; return; end if;
  end if;`;
