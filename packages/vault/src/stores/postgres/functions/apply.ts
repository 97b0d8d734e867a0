/**
 * Makes units, any number of them.
 */
import type { SchemaName } from "../schema-name.ts";
import { storeFunction } from "./function.ts";
import type { StoreFunction } from "./function.ts";
import { holdPeople, notePeople, PEOPLE_VARIABLES } from "./people.ts";
import { BEYOND, ENTER, GATE_VARIABLES, holdGate, lockHeads, prune, settleInSnapshot } from "./statements.ts";
import {
  ENTRY_ARGUMENTS,
  forgetStreams,
  heldEntries,
  holdStreams,
  IS_MOVED,
  STREAM_VARIABLES,
  writeEntries,
} from "./streams.ts";
import { claimTags, dropTags, releaseTags, sortTags, TAG_VARIABLES, takenIndex, writeTags } from "./tags.ts";

/** Further columns of an insert: their names, what they are, and the arrays that they come from. */
interface MoreColumns {
  readonly names: string;
  readonly values: string;
  readonly arrays: string;
}

/** What a function has beyond the first of its name: each a piece of its text, empty in the first. */
interface More {
  readonly takes: string;
  readonly returns: string;
  readonly variables: string;
  /** The further columns of a refusal, and of an answer. */
  readonly empty: string;
  readonly answer: (schema: SchemaName) => string;
  readonly heads: MoreColumns & { readonly set: string };
  readonly versions: MoreColumns;
  /** After the gate, before the records. */
  readonly hold: (schema: SchemaName) => string;
  /** Of a unit `u` and its head `h`, further cases of a conflict; and where `u` has what they compare. */
  readonly compare: { readonly cases: string; readonly arrays: string; readonly names: string };
  /** When it is known which units the records allow. */
  readonly refuse: (schema: SchemaName) => string;
  readonly remove: (schema: SchemaName) => string;
  readonly note: (schema: SchemaName) => string;
}

/**
 * Makes units. Each has one element in the first arrays; each version one in the second, with its message as a part of
 * `p_messages`. `base`: `none`, `live`, `removed`, `damaged`, or `never`. A removal has no epoch.
 *
 * `first` is its lowest new number, or the tombstone: numbers go up, past the head and past every row.
 *
 * Answers for each unit in its place: `made`, `conflict`, `gate-moved`, `not-made`; or with one row for all: `no-gate`,
 * `replaced`, `newer`, `set-unknown`.
 */
const applyFunction = (name: string, more: More): StoreFunction =>
  storeFunction(
    name,
    {
      takes: `p_vault text, p_writer integer, p_lock_ms integer, p_atomic boolean,
    p_write_ids text[], p_collections text[], p_ids text[], p_bases text[], p_base_versions bigint[], p_epochs bigint[],
    p_firsts bigint[], p_head_versions bigint[], p_times bigint[], p_buckets integer[],
    p_units integer[], p_versions bigint[], p_subjects text[], p_created bigint[], p_digests text[],
    p_starts integer[], p_sizes integer[], p_messages bytea${more.takes}`,
      returns: `TABLE(result text, epoch bigint${more.returns})`,
    },
    (schema) => `
#variable_conflict use_column
declare${GATE_VARIABLES}
  v_wraps constant boolean := array_length(p_units, 1) > 0;
  v_fresh bigint[];
  v_keys bigint[];
  v_results text[];
  v_ready boolean[];
  v_gone bigint[];${more.variables}
begin${ENTER}
  ${holdGate(schema, "v_wraps", (refusal) => `return query select '${refusal}'::text, 0::bigint${more.empty}; return;`)}
  if v_wraps and exists (
    select from unnest(p_digests) d(digest)
    where not exists (select from ${schema}.wrap_sets w where w.digest = d.digest collate "C")
  ) then
    return query select 'set-unknown'::text, 0::bigint${more.empty}; return;
  end if;
${more.hold(schema)}
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
          then 'conflict' else 'made' end${more.compare.cases}
      when newest.version > u.first or u.epoch is not null and newest.version = u.first then 'conflict'
      when u.base = 'none' and h.record is null then 'made'
      when u.base = h.state and u.base_version = h.version
        and (u.first > h.version or u.epoch is null and u.first = h.version) then 'made'
      else 'conflict' end order by u.n)
    into v_results
    from unnest(p_write_ids, v_keys, p_bases, p_base_versions, p_epochs, p_firsts${more.compare.arrays}) with ordinality
      u(write_id, key, base, base_version, epoch, first${more.compare.names}, n)
    left join ${schema}.heads h on h.record = u.key
    left join ${schema}.settled s on s.write_id = u.write_id collate "C"
    left join lateral (select max(v.version) as version from ${schema}.versions v where v.record = u.key) newest on true;
${more.refuse(schema)}
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
    delete from ${schema}.versions v where v.record = any(v_gone);${more.remove(schema)}${prune(schema).replaceAll("\n", "\n  ")}
  end if;
  -- Of a tombstone that is written over, only its own row told who made it.
  if 'removed' = any(p_bases) or 'damaged' = any(p_bases) then
    insert into ${schema}.settled (write_id, outcome, at)
      select h.write_id, 'made', v_now from unnest(v_keys, v_ready) u(key, ready)
      join ${schema}.heads h on h.record = u.key
      where u.ready and h.state = 'removed'
      on conflict do nothing;
  end if;
  insert into ${schema}.heads as h (record, version, state, updated_at, write_id${more.heads.names})
    select u.key, u.version, case when u.epoch is null then 'removed' else 'live' end, u.at, u.write_id${more.heads.values}
    from unnest(v_keys, v_ready, p_head_versions, p_epochs, p_times, p_write_ids${more.heads.arrays})
      u(key, ready, version, epoch, at, write_id${more.heads.names})
    where u.ready
    on conflict (record) do update set version = excluded.version, state = excluded.state,
      updated_at = excluded.updated_at, write_id = excluded.write_id${more.heads.set};
  if v_wraps then
    insert into ${schema}.versions
      (record, version, created_at, since, revision, wrap_set, bucket, subject, write_id, message${more.versions.names})
      select v_keys[w.unit], w.version, w.created, w.created, 0, s.id, p_buckets[w.unit], w.subject, p_write_ids[w.unit],
        substr(p_messages, w.start, w.size)${more.versions.values}
      from unnest(p_units, p_versions, p_subjects, p_created, p_digests, p_starts, p_sizes${more.versions.arrays})
        w(unit, version, subject, created, digest, start, size${more.versions.names})
      join ${schema}.wrap_sets s on s.digest = w.digest collate "C"
      where v_ready[w.unit];
  end if;
  ${settleInSnapshot(
    schema,
    "select u.write_id from unnest(p_write_ids, v_ready) u(write_id, ready) where u.ready",
  ).trim()}${more.note(schema)}
  if v_fresh is not null and not (true = all(v_ready)) then
    delete from ${schema}.records r where r.key = any(v_fresh) and not exists (
      select from unnest(v_keys, v_ready) u(key, ready) where u.key = r.key and u.ready);
  end if;
  return query select t.result, v_gate.epoch${more.answer(schema)} from unnest(v_results) with ordinality t(result, n) order by t.n;
end`,
  );

const NO_COLUMNS: MoreColumns = { names: "", values: "", arrays: "" };
const NO_CASES = { cases: "", arrays: "", names: "" };
const nothing = (): string => "";

/** Of programs that knew of no people. */
export const APPLY_1: StoreFunction = applyFunction("apply_v1", {
  takes: "",
  returns: "",
  variables: "",
  empty: "",
  answer: nothing,
  heads: { ...NO_COLUMNS, set: "" },
  versions: NO_COLUMNS,
  hold: nothing,
  compare: NO_CASES,
  refuse: nothing,
  remove: nothing,
  note: nothing,
});

/**
 * What is against a unit because of its people, where nothing else is: the first who is closed, or else the first whose
 * key was set back.
 */
const REFUSE = `
  if exists (select from unnest(v_problems) p(problem) where p.problem is not null) then
    select array_agg(b.id order by u.n), array_agg(b.problem order by u.n) into v_who, v_why
      from generate_series(1, cardinality(p_write_ids)) u(n)
      left join (
        select distinct on (q.unit) q.unit, q.id, q.problem
        from unnest(p_person_units, p_people, v_problems) with ordinality q(unit, id, problem, n)
        where q.problem is not null
        order by q.unit, q.problem = 'set-back', q.n) b on b.unit = u.n;
    select array_agg(case when t.result <> 'made' or v_why[t.n] is null then t.result
        when v_why[t.n] = 'set-back' then 'key-set-back' when v_why[t.n] = 'absent' then 'conflict'
        else 'subject-closed' end order by t.n)
      into v_results
      from unnest(v_results) with ordinality t(result, n);
  end if;
`;

const UNITS = "p_person_units";

/** What the second function has beyond the first. */
const SECOND: More = {
  takes: `, p_schemes integer[], p_abouts text[], p_sealed_ids bytea[],
    p_person_units integer[], p_people text[], p_scopes text[], p_ordinals bigint[]`,
  returns: ", person text, state text",
  variables: `${PEOPLE_VARIABLES}
  v_who text[];
  v_why text[];`,
  empty: ", null::text, null::text",
  answer: () => `, case when t.result in ('subject-closed', 'key-set-back') then v_who[t.n] end,
    case when t.result = 'subject-closed' then v_why[t.n] end`,
  heads: {
    names: ", sealed_id",
    values: ", u.sealed_id",
    arrays: ", p_sealed_ids",
    set: ", sealed_id = excluded.sealed_id",
  },
  versions: { names: ", scheme, about", values: ", w.scheme, w.about", arrays: ", p_schemes, p_abouts" },
  hold: (schema) => holdPeople(schema, { of: UNITS, makeRows: "p_epochs[u.unit] = v_gate.epoch" }),
  compare: NO_CASES,
  refuse: () => REFUSE,
  remove: (schema) => `
    delete from ${schema}.links l where l.record = any(v_gone);`,
  note: (schema) => `${notePeople(schema, { of: UNITS, record: "v_keys[u.unit]", isMade: "v_ready[u.unit]" })}
  if v_fresh_people is not null and not (true = all(v_ready)) then
    delete from ${schema}.subjects s where s.key = any(v_fresh_people) and not exists (
      select from unnest(v_people, p_person_units) u(key, unit) where u.key = s.key and v_ready[u.unit]);
  end if;`,
};

/**
 * Locks the people of units as well, and links them to records. `p_person_units`: the unit, from 1, of each person.
 * Answers also `subject-closed` with who and their state, and `key-set-back` with who.
 */
export const APPLY_2: StoreFunction = applyFunction("apply_v2", SECOND);

const ENTRY_UNITS = { arrays: ", p_entry_units", names: ", unit" };

/** Which units' entries are not the next of their streams: told before anything else that is against a unit. */
const refuseMoved = (schema: SchemaName): string => `
  if array_length(p_entry_ids, 1) > 0 then${holdStreams(schema)}
    select array_agg(u.unit) into v_moved
      from ${heldEntries(schema, ENTRY_UNITS)}
      where ${IS_MOVED};
    if v_moved is not null then
      select array_agg(case when t.n = any(v_moved) then 'stream-moved' when p_atomic then 'not-made' else t.result end
          order by t.n)
        into v_results
        from unnest(v_results) with ordinality t(result, n);
    end if;
  end if;
`;

/** What the third function has beyond the first. */
const THIRD: More = {
  ...SECOND,
  takes: `${SECOND.takes},
    p_previous text[], p_head_entries uuid[], p_entry_units integer[], ${ENTRY_ARGUMENTS}`,
  variables: `${SECOND.variables}${STREAM_VARIABLES}
  v_moved integer[];`,
  heads: {
    names: `${SECOND.heads.names}, entry`,
    values: `${SECOND.heads.values}, u.entry`,
    arrays: `${SECOND.heads.arrays}, p_head_entries`,
    set: `${SECOND.heads.set}, entry = excluded.entry`,
  },
  compare: {
    cases: `
      when u.previous <> coalesce(h.entry::text, 'none'::text) then 'conflict'`,
    arrays: ", p_previous",
    names: ", previous",
  },
  refuse: (schema) => `${REFUSE}${refuseMoved(schema)}`,
  note: (schema) => `${SECOND.note(schema)}
  if array_length(p_entry_ids, 1) > 0 then
${writeEntries(schema, { ...ENTRY_UNITS, where: "v_ready[u.unit]" })}${forgetStreams(schema)}
  end if;`,
};

/**
 * Writes the entries of units as well: `p_entry_units` is the unit, from 1, of each. `p_previous`: the entry that the
 * head must have, or `none`; null: it is not compared. `p_head_entries`: that which it gets. Answers also
 * `stream-moved`.
 */
export const APPLY_3: StoreFunction = applyFunction("apply_v3", THIRD);

/** What the fourth function has beyond the first. */
const FOURTH: More = {
  ...THIRD,
  remove: (schema) => `${SECOND.remove(schema)}
    delete from ${schema}.kept k where k.record = any(v_gone);`,
};

/** With a record, what is kept of it goes: after its versions, so that what was kept meanwhile is seen. */
export const APPLY_4: StoreFunction = applyFunction("apply_v4", FOURTH);

const SHORT_TAG = "return query select 'short-tag'::text, 0::bigint, null::text, null::text, null::text; return;";

/** What the fifth function has beyond the first. */
const FIFTH: More = {
  ...FOURTH,
  takes: `${FOURTH.takes},
    p_tagged integer[], p_index_ids text[], p_index_collections text[],
    p_tag_units integer[], p_tag_indexes integer[], p_tags bytea[]`,
  returns: `${FOURTH.returns}, taken text`,
  variables: `${FOURTH.variables}${TAG_VARIABLES}`,
  empty: `${FOURTH.empty}, null::text`,
  answer: (schema) => `${FOURTH.answer(schema)}, case when t.result = 'taken' then ${takenIndex(schema, "t.n")} end`,
  hold: (schema) => `
  if array_length(p_tags, 1) > 0 then${sortTags(
    `unnest(p_tag_units, p_tag_indexes, p_tags) with ordinality u(unit, nth, tag, n)
      join ${schema}.indexes i on i.id = p_index_ids[u.nth] and i.collection = p_index_collections[u.nth]`,
    SHORT_TAG,
  )}
  end if;
${FOURTH.hold(schema)}`,
  refuse: (schema) => `${REFUSE}${claimTags(schema)}
${refuseMoved(schema)}`,
  remove: (schema) => `${FOURTH.remove(schema)}${dropTags(schema, "v_gone")}`,
  note: (schema) => `${FOURTH.note(schema)}
  if array_length(p_tagged, 1) > 0 then
    v_open := v_ready;
    if v_claimed_tags is not null and not (true = all(v_ready)) then${releaseTags(schema)}
    end if;${writeTags(schema, "p_tagged")}
  end if;`,
};

/**
 * Writes the tags of units as well: of the units `p_tagged`, which lose those that they had. `p_tag_units`: the unit,
 * from 1, of each tag, the tags in the order in which units have one that several want; `p_tag_indexes`: which of the
 * pairs of `p_index_ids` and `p_index_collections` it is of. Answers also `taken` with the index; or with one row for
 * all, `short-tag`.
 */
export const APPLY_5: StoreFunction = applyFunction("apply_v5", FIFTH);
