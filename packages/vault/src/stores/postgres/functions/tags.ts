/**
 * The tags of a write, in the functions that write any: `p_tag_units` and its like are one element a tag.
 *
 * A tag of a unique index is *claimed* before anything else is written: its row is made where there is none, and only
 * *then*, in a later statement, it is looked whose it is. Whoever makes the same one at that moment is waited for; that
 * somebody has it is never an error. All claims of a statement are in the order of their rows, so that two of these
 * never wait for each other in a circle, and what a record had before goes last, when nothing is waited for any more.
 * What is not made gives its claims back.
 *
 * All other tags are written by whoever holds the head of their record: nobody waits for them.
 */
import type { SchemaName } from "../schema-name.ts";

/** Units are the elements of `v_keys`, their records, and of `v_results`. */
export const TAG_VARIABLES = `
  v_tag_units integer[];
  v_tag_indexes integer[];
  v_tags bytea[];
  v_claim_units integer[];
  v_claim_indexes integer[];
  v_claims bytea[];
  v_claimed_indexes integer[];
  v_claimed_tags bytea[];
  v_claimed_records bigint[];
  v_open boolean[];
  v_wanting integer[];
  v_wanted_indexes integer[];
  v_wanted_tags bytea[];
  v_holders bigint[];
  v_holding integer[];
  v_is_freed boolean := false;
  v_taken integer[];`;

/** Bytes of a tag of a unique index. */
const UNIQUE_BYTES = 32;

/**
 * Sorts tags by whether their index is unique, and keeps their order; those of an index that is not written are none.
 *
 * @param from tags, `u` (unit, tag, n), joined with the indexes `i` that are theirs
 * @param answer how it is returned that one of a unique index is too short
 */
export const sortTags = (from: string, answer: string): string => `
    select array_agg(u.unit order by u.n) filter (where not i.is_unique),
        array_agg(i.key order by u.n) filter (where not i.is_unique),
        array_agg(u.tag order by u.n) filter (where not i.is_unique),
        array_agg(u.unit order by u.n) filter (where i.is_unique),
        array_agg(i.key order by u.n) filter (where i.is_unique),
        array_agg(u.tag order by u.n) filter (where i.is_unique)
      into v_tag_units, v_tag_indexes, v_tags, v_claim_units, v_claim_indexes, v_claims
      from ${from}
      where i.state <> 'dropped';
    if exists (select from unnest(v_claims) c(tag) where octet_length(c.tag) <> ${UNIQUE_BYTES}) then ${answer} end if;`;

const CLAIMS = "unnest(v_claim_units, v_claim_indexes, v_claims) u(unit, index, tag)";

/** Gives back what units have claimed that are not made. */
export const releaseTags = (schema: SchemaName): string => `
      delete from ${schema}.unique_tags t
        using unnest(v_claimed_indexes, v_claimed_tags, v_claimed_records) c(index, tag, record)
        where t.index = c.index and t.tag = c.tag and t.record = c.record and (c.record, c.index, c.tag) not in (
          select v_keys[u.unit], u.index, u.tag from ${CLAIMS} where v_open[u.unit]);`;

/** Sets `v_open`: which units are made, as far as is known. */
export const OPEN_UNITS = `
      select array_agg(t.result = 'made' order by t.n) into v_open from unnest(v_results) with ordinality t(result, n);`;

/**
 * Claims the unique tags of the units that are made, as far as is known; the others are `taken` in `v_results`, and
 * `v_taken` has an index of each.
 *
 * Where units of one call want the same, the first that is made, in the order of the tags, has it. Whoever wants what
 * one has that itself wants something waits what becomes of that one. A row of no live record is nobody's: it goes
 * when it is met.
 */
export const claimTags = (schema: SchemaName): string => `
  if v_claims is not null then
    loop${OPEN_UNITS}
      if v_claimed_tags is not null then${releaseTags(schema)}
      end if;
      with claimed as (
        insert into ${schema}.unique_tags (index, tag, record)
        select u.index, u.tag, v_keys[u.unit]
        from unnest(v_claim_units, v_claim_indexes, v_claims) with ordinality u(unit, index, tag, n)
        where v_open[u.unit]
        order by u.index, u.tag, u.n
        on conflict do nothing
        returning index, tag, record)
      select v_claimed_indexes || array_agg(c.index), v_claimed_tags || array_agg(c.tag),
          v_claimed_records || array_agg(c.record)
        into v_claimed_indexes, v_claimed_tags, v_claimed_records
        from claimed c;
      select array_agg(u.unit), array_agg(u.index), array_agg(u.tag), array_agg(t.record), array_agg((
          select h.unit from unnest(v_claim_units, v_claim_indexes, v_claims) h(unit, index, tag)
          where h.index = u.index and h.tag = u.tag and v_keys[h.unit] = t.record limit 1))
        into v_wanting, v_wanted_indexes, v_wanted_tags, v_holders, v_holding
        from ${CLAIMS}
        join ${schema}.unique_tags t on t.index = u.index and t.tag = u.tag
        where v_open[u.unit] and t.record <> v_keys[u.unit];
      exit when v_wanting is null;
      if not v_is_freed then
        v_is_freed := true;
        delete from ${schema}.unique_tags t
          using unnest(v_wanted_indexes, v_wanted_tags, v_holders) w(index, tag, record)
          where t.index = w.index and t.tag = w.tag and t.record = w.record
            and not exists (select from unnest(v_keys) k(key) where k.key = w.record)
            and not exists (select from ${schema}.heads h where h.record = w.record and h.state = 'live');
        if found then continue; end if;
      end if;
      select array_agg(case when r.unit is null then t.result else 'taken' end order by t.n),
          array_agg(coalesce(v_taken[t.n::integer], r.index) order by t.n)
        into v_results, v_taken
        from unnest(v_results) with ordinality t(result, n)
        left join (
          select w.unit, min(w.index) as index
          from unnest(v_wanting, v_wanted_indexes, v_wanted_tags, v_holders, v_holding) w(unit, index, tag, record, holding)
          where w.holding is null or w.holding <> all(v_wanting) or (w.index, w.tag, w.record) not in (
            select c.index, c.tag, c.record
            from unnest(v_claimed_indexes, v_claimed_tags, v_claimed_records) c(index, tag, record))
          group by w.unit) r on r.unit = t.n;
    end loop;
  end if;`;

/** The id of the index whose tag a unit `n` wanted. */
export const takenIndex = (schema: SchemaName, unit: string): string =>
  `(select i.id from ${schema}.indexes i where i.key = v_taken[${unit}])`;

/** Puts tags in the place of those that the records `v_gone` and those of `v_open` units of `tagged` had. */
export const writeTags = (schema: SchemaName, tagged: string): string => {
  const deleted = (table: string, units: string): string => `
    delete from ${schema}.${table} t
      using (select v_keys[g.unit] as key from unnest(${tagged}) g(unit) where v_open[g.unit]) g
      where t.record = g.key and (t.record, t.index, t.tag) not in (
        select v_keys[u.unit], u.index, u.tag from ${units} where v_open[u.unit]);`;
  return `${deleted("tags", TAGS)}${deleted("unique_tags", CLAIMS)}${insertTags(schema)}`;
};

const TAGS = "unnest(v_tag_units, v_tag_indexes, v_tags) u(unit, index, tag)";

/** Adds the tags of `v_open` units that are of no unique index. */
export const insertTags = (schema: SchemaName): string => `
    if v_tags is not null then
      insert into ${schema}.tags (index, tag, record)
        select u.index, u.tag, v_keys[u.unit] from ${TAGS} where v_open[u.unit]
        order by u.index, u.tag, v_keys[u.unit]
        on conflict do nothing;
    end if;`;

/** Takes all tags of the records `keys` away. */
export const dropTags = (schema: SchemaName, keys: string): string => `
    delete from ${schema}.tags t where t.record = any(${keys});
    delete from ${schema}.unique_tags t where t.record = any(${keys});`;
