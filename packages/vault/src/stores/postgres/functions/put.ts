/**
 * Makes one unit of one new version: what most writes are.
 */
import type { SchemaName } from "../schema-name.ts";
import { storeFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";
import { holdPeople, notePeople, PEOPLE_VARIABLES } from "./people.ts";
import { claimTags, insertTags, releaseTags, sortTags, TAG_VARIABLES, takenIndex, writeTags } from "./tags.ts";
import { ENTER, GATE_VARIABLES, holdEpoch, ONE_VERSION, settleInSnapshot } from "./statements.ts";

/** Further columns that are written: their names, and what they are. */
interface MoreColumns {
  readonly names: string;
  readonly values: string;
}

/** What a function has beyond the first of its name: each a piece of its text, empty in the first. */
interface More {
  readonly takes: string;
  readonly returns: string;
  readonly variables: string;
  /** The further columns of an answer that has nothing in them. */
  readonly empty: string;
  /** What is read of a head besides, as a column of `h`, and the same where there is none. */
  readonly head: { readonly column: string; readonly none: string };
  /** Further cases of a conflict. */
  readonly compare: string;
  /** Before it is answered that the gate has moved. */
  readonly moved: (schema: SchemaName) => string;
  readonly heads: MoreColumns & { readonly set: string };
  readonly versions: MoreColumns;
  /** After the gate, before the record. */
  readonly hold: (schema: SchemaName) => string;
  /** Before a conflict is answered. */
  readonly conflict: (schema: SchemaName) => string;
  /** When the record allows it. */
  readonly refuse: (schema: SchemaName) => string;
  readonly note: (schema: SchemaName) => string;
}

/**
 * Makes one unit of one new version: what most writes are, and the same in fewer statements than {@link APPLY} takes.
 * Answers as that does.
 */
const putFunction = (name: string, more: More): StoreFunction =>
  storeFunction(
    name,
    {
      takes: `p_vault text, p_writer integer, p_lock_ms integer, p_write_id text, p_collection text, p_id text,
    p_base text, p_base_version bigint, p_epoch bigint, p_bucket integer, p_version bigint, p_subject text,
    p_created bigint, p_digest text, p_message bytea${more.takes}`,
      returns: `TABLE(result text, epoch bigint${more.returns})`,
    },
    (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}${ONE_VERSION}
  v_is_fresh boolean := false;
  v_head record;
  v_newest bigint;
  v_is_settled boolean;${more.variables}
begin${ENTER}
  ${holdEpoch(schema, more.empty, more.moved(schema))}
${more.hold(schema)}
  select r.key into v_key from ${schema}.records r where r.collection = p_collection and r.id = p_id;
  if v_key is null and p_base = 'none' then
    insert into ${schema}.records (collection, id) values (p_collection, p_id)
      on conflict do nothing returning key into v_key;
    v_is_fresh := v_key is not null;
    if not v_is_fresh then
      select r.key into v_key from ${schema}.records r where r.collection = p_collection and r.id = p_id;
    end if;
  end if;
  if v_key is null then ${more.conflict(schema)}return query select 'conflict'::text, v_gate.epoch${more.empty}; return; end if;
  if not v_is_fresh then
    select h.version, h.state, h.write_id${more.head.column} into v_head from ${schema}.heads h where h.record = v_key for no key update;
    if v_head.version is null then
      -- A name without a head has no other row to be locked; a head may have come while it was waited for.
      perform from ${schema}.records r where r.key = v_key for update;
      if not found then ${more.conflict(schema)}return query select 'conflict'::text, v_gate.epoch${more.empty}; return; end if;
      select h.version, h.state, h.write_id${more.head.column} into v_head from ${schema}.heads h where h.record = v_key for no key update;
    end if;
  else
    select null::bigint as version, null::text as state, null::text as write_id${more.head.none} into v_head;
  end if;

  select (select max(v.version) from ${schema}.versions v where v.record = v_key),
      exists (select from ${schema}.settled s where s.write_id = p_write_id collate "C")
    into v_newest, v_is_settled;
  if v_is_settled or v_head.write_id = p_write_id or v_newest >= p_version or v_head.version >= p_version
    or not (p_base = 'none' and v_head.version is null
      or coalesce(p_base = v_head.state and p_base_version = v_head.version, false))${more.compare}
  then
    if v_is_fresh then delete from ${schema}.records r where r.key = v_key; end if;
    ${more.conflict(schema)}return query select 'conflict'::text, v_gate.epoch${more.empty}; return;
  end if;
${more.refuse(schema)}
  if v_head.state = 'removed' then
    insert into ${schema}.settled (write_id, outcome, at) values (v_head.write_id, 'made', v_now)
      on conflict do nothing;
  end if;
  if v_head.version is null then
    insert into ${schema}.heads (record, version, state, updated_at, write_id${more.heads.names})
      values (v_key, p_version, 'live', p_created, p_write_id${more.heads.values});
  else
    update ${schema}.heads h set version = p_version, state = 'live', updated_at = p_created, write_id = p_write_id${more.heads.set}
      where h.record = v_key;
  end if;
  insert into ${schema}.versions
    (record, version, created_at, since, revision, wrap_set, bucket, subject, write_id, message${more.versions.names})
    values (v_key, p_version, p_created, p_created, 0, v_set, p_bucket, p_subject, p_write_id, p_message${more.versions.values});
${settleInSnapshot(schema, "select p_write_id as write_id")}${more.note(schema)}
  return query select 'made'::text, v_gate.epoch${more.empty};
end`,
  );

const NO_COLUMNS: MoreColumns = { names: "", values: "" };
const nothing = (): string => "";

/** Of programs that knew of no people. */
export const PUT_1: StoreFunction = putFunction("put_v1", {
  takes: "",
  returns: "",
  variables: "",
  empty: "",
  head: { column: "", none: "" },
  compare: "",
  moved: nothing,
  heads: { ...NO_COLUMNS, set: "" },
  versions: NO_COLUMNS,
  hold: nothing,
  conflict: nothing,
  refuse: nothing,
  note: nothing,
});

/** Of what is not made, no row of a new person stays. */
const forgetPeople = (schema: SchemaName): string =>
  `if v_fresh_people is not null then delete from ${schema}.subjects s where s.key = any(v_fresh_people); end if;
    `;

const UNITS = "array_fill(1, array[cardinality(p_people)])";

/**
 * @param before what is done before it is answered
 * @param rest further columns of the answer
 */
const refusePeople = (schema: SchemaName, before: string, rest: string = ""): string => `
  for v_refused in select q.id, q.problem from unnest(p_people, v_problems) with ordinality q(id, problem, n)
    where q.problem is not null order by q.problem = 'set-back', q.n limit 1
  loop
    if v_is_fresh then delete from ${schema}.records r where r.key = v_key; end if;
    ${before}return query select
      case v_refused.problem when 'set-back' then 'key-set-back' when 'absent' then 'conflict' else 'subject-closed' end,
      v_gate.epoch, v_refused.id, v_refused.problem${rest};
    return;
  end loop;
`;

/** What the second function has beyond the first. */
const SECOND: More = {
  takes: ", p_scheme integer, p_about text, p_sealed_id bytea, p_people text[], p_scopes text[], p_ordinals bigint[]",
  returns: ", person text, state text",
  variables: `${PEOPLE_VARIABLES}
  v_refused record;`,
  empty: ", null::text, null::text",
  head: { column: "", none: "" },
  compare: "",
  moved: nothing,
  heads: { names: ", sealed_id", values: ", p_sealed_id", set: ", sealed_id = p_sealed_id" },
  versions: { names: ", scheme, about", values: ", p_scheme, p_about" },
  hold: (schema) => holdPeople(schema, { of: UNITS, makeRows: "true" }),
  conflict: forgetPeople,
  refuse: (schema) => refusePeople(schema, forgetPeople(schema)),
  note: (schema) => notePeople(schema, { of: UNITS, record: "v_key", isMade: "true" }),
};

/** Locks the people as well, and links them to the record. Answers as `apply_v2` does. */
export const PUT_2: StoreFunction = putFunction("put_v2", SECOND);

const moved = (empty: string): string => `return query select 'stream-moved'::text, v_gate.epoch${empty}; return;`;

/** Where something is against the unit: that its entry is not the next of its stream is told before it. */
const tellMoved = (schema: SchemaName, empty: string): string =>
  `if p_number <> coalesce((select s.last from ${schema}.streams s where s.stream = p_stream), 0::bigint) + 1 then
      ${moved(empty)}
    end if;
    `;

/** Holds the stream of the entry, and says how far it is. `forget`: what is done where it is further. */
const holdStream = (schema: SchemaName, empty: string, forget: string): string => `
  if p_stream is not null then
    if p_number = 1 then
      insert into ${schema}.streams (stream, last, at) values (p_stream, 1, v_now) on conflict do nothing;
    else
      update ${schema}.streams s set last = p_number, at = v_now where s.stream = p_stream and s.last = p_number - 1;
    end if;
    if not found then
      if v_is_fresh then delete from ${schema}.records r where r.key = v_key; end if;
      ${forget}${moved(empty)}
    end if;
  end if;
`;

const forgetAndTell = (schema: SchemaName, empty: string): string =>
  `${forgetPeople(schema)}${tellMoved(schema, empty)}`;

/** What the third function has beyond the first. */
const THIRD: More = {
  ...SECOND,
  takes: `${SECOND.takes}, p_previous text, p_entry uuid,
    p_stream uuid, p_number bigint, p_ends boolean, p_tag text, p_mac bytea, p_text bytea`,
  head: { column: ", h.entry", none: ", null::uuid as entry" },
  compare: `
    or p_previous <> coalesce(v_head.entry::text, 'none'::text)`,
  moved: (schema) => tellMoved(schema, SECOND.empty),
  heads: {
    names: `${SECOND.heads.names}, entry`,
    values: `${SECOND.heads.values}, p_entry`,
    set: `${SECOND.heads.set}, entry = p_entry`,
  },
  conflict: (schema) => forgetAndTell(schema, SECOND.empty),
  refuse: (schema) =>
    `${refusePeople(schema, forgetAndTell(schema, SECOND.empty))}${holdStream(
      schema,
      SECOND.empty,
      forgetPeople(schema),
    )}`,
  note: (schema) => `${SECOND.note(schema)}
  if p_stream is not null then
    insert into ${schema}.outbox (id, stream, number, ends, tag, mac, text, at)
      values (p_entry, p_stream, p_number, p_ends, p_tag, p_mac, p_text, v_now);
  end if;`,
};

/**
 * Writes the entry of the unit as well, of which all is null but `p_entry` where another statement of the transaction
 * writes it. Answers as `apply_v3` does.
 */
export const PUT_3: StoreFunction = putFunction("put_v3", THIRD);

const EMPTY = `${THIRD.empty}, null::text`;
const SHORT_TAG = `return query select 'short-tag'::text, 0::bigint${EMPTY}; return;`;

/**
 * Writes the tags of the record as well, in the place of those that it had; a unit without any is made by the third.
 * Answers as `apply_v5` does.
 */
export const PUT_4: StoreFunction = putFunction("put_v4", {
  ...THIRD,
  takes: `${THIRD.takes}, p_tag_indexes text[], p_tags bytea[]`,
  returns: `${THIRD.returns}, taken text`,
  variables: `${THIRD.variables}
  v_keys bigint[];
  v_results text[] := array['made'::text];${TAG_VARIABLES}`,
  empty: EMPTY,
  moved: (schema) => tellMoved(schema, EMPTY),
  hold: (schema) => `
  if array_length(p_tags, 1) > 0 then${sortTags(
    `unnest(array_fill(1, array[cardinality(p_tags)]), p_tag_indexes, p_tags) with ordinality u(unit, id, tag, n)
      join ${schema}.indexes i on i.id = u.id and i.collection = p_collection`,
    SHORT_TAG,
  )}
  end if;
${THIRD.hold(schema)}`,
  conflict: (schema) => forgetAndTell(schema, EMPTY),
  refuse: (schema) => `${refusePeople(schema, forgetAndTell(schema, EMPTY), ", null::text")}
  v_keys := array[v_key];${claimTags(schema)}
  if v_results[1] = 'taken' then
    if v_is_fresh then delete from ${schema}.records r where r.key = v_key; end if;
    ${forgetAndTell(schema, EMPTY)}return query
      select 'taken'::text, v_gate.epoch${THIRD.empty}, ${takenIndex(schema, "1")};
    return;
  end if;
${holdStream(
  schema,
  EMPTY,
  `if v_claimed_tags is not null then
        v_open := array[false];${releaseTags(schema)}
      end if;
      ${forgetPeople(schema)}`,
)}`,
  note: (schema) => `${THIRD.note(schema)}
  v_open := array[true];
  if v_is_fresh then${insertTags(schema)}
  else${writeTags(schema, "array[1]")}
  end if;`,
});
