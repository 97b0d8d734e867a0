/**
 * The people of a write, in the functions that make one: `p_people`, `p_scopes` and `p_ordinals` are one element a
 * person and unit.
 *
 * A change of state is made first and waits afterwards (subject-rows.ts), as a flip of the gate does. So a write looks
 * who is closed, locks the others `for key share`, and only *then* looks again: it sees the new state, or is waited
 * for. Such a lock waits for nobody who waits himself, so no circle goes through it, and a stream of writers does
 * not hold a change of state off, as it would under `for share`. Whoever was closed before the lock is not locked, and
 * stays refused. A snapshot does not see what was committed since: there the lock is `for share`, at which a row that
 * was changed is an error of the isolation.
 *
 * Ordinals are raised at the end, in the order of ids, and only where they are higher: usually nothing is written.
 */
import type { SchemaName } from "../schema-name.ts";

export const PEOPLE_VARIABLES = `
  v_people bigint[];
  v_problems text[];
  v_fresh_people bigint[];
  v_is_raised boolean := false;`;

/** The highest ordinal of the key of a scope, of a row `s`. */
const ORDINAL = `case u.scope when 'subject' then s.subject_ordinal when 'tenant' then s.tenant_ordinal end`;

/** Sets `v_people` to their rows, and `v_problems` to what is against each; what was against one before stays so. */
const look = (schema: SchemaName): string => `
    select array_agg(s.key order by u.n),
        array_agg(case when u.problem <> 'absent' then u.problem when s.key is null then 'absent'
          when s.state <> 'active' then s.state when u.ordinal < ${ORDINAL} then 'set-back' end order by u.n),
        coalesce(bool_or(u.ordinal > ${ORDINAL}), false)
      into v_people, v_problems, v_is_raised
      from unnest(p_people, p_scopes, p_ordinals, v_problems) with ordinality u(id, scope, ordinal, problem, n)
      left join ${schema}.subjects s on s.id = u.id;`;

const lock = (schema: SchemaName, mode: string): string => `
      perform from unnest(v_people, v_problems) u(key, problem) join ${schema}.subjects s on s.key = u.key
        where u.problem is null order by s.id for ${mode} of s;`;

/** Highest of the ordinals that somebody comes with, of a scope. */
const highest = (scope: string): string => `max(case u.scope when '${scope}' then u.ordinal else 0 end)`;

/**
 * Makes the rows of people that are new, and locks the others.
 *
 * @param units the units of `p_people`, and which of them make rows: a condition on `u.unit`
 */
export const holdPeople = (schema: SchemaName, units: { readonly of: string; readonly makeRows: string }): string => `
  if array_length(p_people, 1) > 0 then${look(schema)}
    if 'absent' = any(v_problems) then
      with made as (
        insert into ${schema}.subjects (id, state, subject_ordinal, tenant_ordinal)
        select u.id, 'active', ${highest("subject")}, ${highest("tenant")}
        from unnest(p_people, p_scopes, p_ordinals, v_people, ${units.of}) u(id, scope, ordinal, key, unit)
        where u.key is null and ${units.makeRows}
        group by u.id order by u.id collate "C"
        on conflict do nothing
        returning key)
      select array_agg(made.key) into v_fresh_people from made;
      -- Somebody else has made one: it is locked as the others are.
      if (select count(distinct u.id) from unnest(p_people, v_people) u(id, key) where u.key is null)
        > coalesce(cardinality(v_fresh_people), 0) then${look(schema)}
      end if;
    end if;
    if not v_is_snapshot then${lock(schema, "key share")}
    elsif v_is_raised then${lock(schema, "no key update")}
    else${lock(schema, "share")}
    end if;${look(schema)}
  end if;`;

/** Links people to records, and raises ordinals. `record`: of `u.unit`; `isMade`: whether that unit is. */
export const notePeople = (
  schema: SchemaName,
  { of, record, isMade }: { readonly of: string; readonly record: string; readonly isMade: string },
): string => `
  if array_length(p_people, 1) > 0 then
    insert into ${schema}.links (subject, record)
      select u.key, ${record} from unnest(v_people, ${of}) u(key, unit)
      where ${isMade} and not exists (select from ${schema}.links l where l.subject = u.key and l.record = ${record})
      on conflict do nothing;
    if v_is_raised then${raisePeople(schema, { of, isMade })}
    end if;
  end if;`;

/** Raises ordinals. Those who raise somebody's wait for each other, in the order of ids. */
export const raisePeople = (
  schema: SchemaName,
  { of, isMade }: { readonly of: string; readonly isMade: string },
): string => `
      perform from unnest(v_people, p_scopes, p_ordinals, ${of}) u(key, scope, ordinal, unit)
        join ${schema}.subjects s on s.key = u.key
        where ${isMade} and u.ordinal > ${ORDINAL} order by s.id for no key update of s;
      update ${schema}.subjects s
        set subject_ordinal = greatest(s.subject_ordinal, h.subject), tenant_ordinal = greatest(s.tenant_ordinal, h.tenant)
        from (
          select u.key, ${highest("subject")} as subject, ${highest("tenant")} as tenant
          from unnest(v_people, p_scopes, p_ordinals, ${of}) u(key, scope, ordinal, unit)
          where ${isMade} group by u.key) h
        where s.key = h.key and (h.subject > s.subject_ordinal or h.tenant > s.tenant_ordinal);`;
