/**
 * The outbox of a store: entries are appended, taken in their order, and dropped. They are functions also where nothing
 * but a statement is in them, as its plan must not read a table: an outbox that was empty when the plan was made is
 * full when the sequencer was away.
 */
import type { SchemaName } from "../schema-name.ts";
import { changeFunction } from "./change.ts";
import { readFunction, storeFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";
import { ENTER, GATE_VARIABLES, holdGate } from "./statements.ts";
import {
  ENTRY_ARGUMENTS,
  forgetStreams,
  heldEntries,
  holdStreams,
  IS_MOVED,
  STREAM_VARIABLES,
  writeEntries,
} from "./streams.ts";

const EMPTY = ", null::uuid, null::bigint, null::text, null::text";

/** Answers who of `p_people` is not active, if anybody is. */
const refusePeople = (schema: SchemaName): string => `
    return query select 'closed'::text, null::uuid, null::bigint, u.id, s.state
      from unnest(p_people) with ordinality u(id, n) left join ${schema}.subjects s on s.id = u.id
      where s.state is distinct from 'active' order by u.n;
    if found then return; end if;`;

/**
 * The people of reads, as those of writes (people.ts): looked at, locked, and looked at again. A change of state is
 * seen here, or waits until the entries are there.
 */
const holdReaders = (schema: SchemaName): string => `
  if array_length(p_people, 1) > 0 then${refusePeople(schema)}
    if v_is_snapshot then
      perform from unnest(p_people) u(id) join ${schema}.subjects s on s.id = u.id order by s.id for share of s;
    else
      perform from unnest(p_people) u(id) join ${schema}.subjects s on s.id = u.id order by s.id for key share of s;
    end if;${refusePeople(schema)}
  end if;`;

/**
 * Writes entries. Answers one row: `made`; `moved`, with a stream and how far it is; or `no-gate`, `replaced`, `newer`;
 * or one row for each of the people who are not active: `closed`, with their state.
 */
const appendFunction = (hold: (schema: SchemaName) => string): StoreFunction =>
  storeFunction(
    "append_v1",
    {
      takes: `p_vault text, p_writer integer, p_lock_ms integer, p_people text[], ${ENTRY_ARGUMENTS}`,
      returns: "TABLE(result text, stream uuid, last bigint, person text, state text)",
    },
    (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}${STREAM_VARIABLES}
  v_moved record;
begin${ENTER}
  ${holdGate(schema, "false", (refusal) => `return query select '${refusal}'::text${EMPTY}; return;`)}
${hold(schema)}
  if array_length(p_entry_ids, 1) > 0 then${holdStreams(schema)}
    select u.stream, coalesce(s.last, 0::bigint) as last into v_moved
      from ${heldEntries(schema, { arrays: "", names: "" })}
      where ${IS_MOVED} order by u.n limit 1;
    if found then${forgetStreams(schema)}
      return query select 'moved'::text, v_moved.stream, v_moved.last, null::text, null::text; return;
    end if;${writeEntries(schema, { arrays: "", names: "", where: "true" })}
  end if;
  return query select 'made'::text${EMPTY};
end`,
  );

/** Of records. */
export const APPEND: StoreFunction = appendFunction(holdReaders);

/** Of keys, where nobody is read about: `p_people` is empty. */
export const APPEND_TO_KEYS: StoreFunction = appendFunction(() => "");

const WAITING = "id uuid, stream uuid, number bigint, ends boolean, tag text, mac bytea, text bytea";

/** Entries as they are told; a text that is longer than any entry's is null. */
const waitingColumns = (of: string): string => `${of}.position, ${of}.id, ${of}.stream, ${of}.number, ${of}.ends,
        left(${of}.tag, 64), substring(${of}.mac from 1 for 64),
        case when octet_length(${of}.text) <= p_most then ${of}.text end`;

/**
 * The first that wait, up to `p_limit` of them and `p_bytes` of texts, but one at least. `p_most`: no entry's text is
 * longer.
 */
const TAKE: StoreFunction = readFunction(
  "take_v1",
  "p_limit bigint, p_bytes bigint, p_most integer",
  `"position" bigint, ${WAITING}`,
  (schema) => `return query
    select ${waitingColumns("w")}
    from (
      select o.*, sum(octet_length(o.text)) over (order by o.position) - octet_length(o.text) as before
      from (select * from ${schema}.outbox o order by o.position limit p_limit) o) w
    where w.before < p_bytes
    order by w.position;`,
);

/** Those that wait and change addresses. */
const PENDING: StoreFunction = readFunction(
  "pending_v1",
  "p_tags text[], p_most integer",
  `"position" bigint, ${WAITING}`,
  (schema) => `return query
    select ${waitingColumns("o")}
    from (select distinct u.tag collate "C" as tag from unnest(p_tags) u(tag)) t join ${schema}.outbox o on o.tag = t.tag
    order by o.position;`,
);

/** Takes entries away. */
const DROP: StoreFunction = changeFunction("drop_v1", "p_positions bigint[]", {
  body: (schema) => `delete from ${schema}.outbox o using unnest(p_positions) u(at) where o.position = u.at;
  get diagnostics changed = row_count;`,
});

/** The rows of streams, in their order. */
const STREAMS: StoreFunction = readFunction(
  "streams_v1",
  "p_streams uuid[]",
  "stream uuid, last bigint, at bigint",
  (schema) => `return query
    select s.stream, s.last, s.at from unnest(p_streams) with ordinality u(stream, n)
    left join ${schema}.streams s on s.stream = u.stream
    order by u.n;`,
);

/** Takes rows of streams away that are where they are said to be, and have nothing waiting. */
const CLOSE_STREAMS: StoreFunction = changeFunction("close_streams_v1", "p_streams uuid[], p_lasts bigint[]", {
  body: (schema) => `delete from ${schema}.streams s using unnest(p_streams, p_lasts) u(stream, last)
    where s.stream = u.stream and s.last = u.last and not exists (
      select from ${schema}.outbox o where o.stream = u.stream);
  get diagnostics changed = row_count;`,
});

/** How many wait, counted up to `p_most`, and since when the first does. */
const WAIT: StoreFunction = readFunction(
  "waiting_v1",
  "p_most bigint",
  "entries bigint, since bigint",
  (schema) => `return query
    select (select count(*) from (select from ${schema}.outbox o order by o.position limit p_most) c),
      (select o.at from ${schema}.outbox o order by o.position limit 1);`,
);

/** What both kinds of stores have alike. */
export const OUTBOX_FUNCTIONS: readonly StoreFunction[] = [TAKE, PENDING, DROP, STREAMS, CLOSE_STREAMS, WAIT];
