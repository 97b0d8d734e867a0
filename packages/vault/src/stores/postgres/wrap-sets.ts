/**
 * Wrap sets, each kept once under a number. A new one is written in a transaction of its own and stays, also if the
 * write that needed it does not: nobody waits for anybody's records because of it, and there is only a handful.
 */
import { wrapSetDigest, wrapSetForm } from "../wrap-set.ts";
import type { WrapSet } from "../wrap-set.ts";
import { statement } from "./connection.ts";
import type { Statement } from "./connection.ts";
import type { SchemaName } from "./schema-name.ts";

/** Writes sets that are not there. Twice is the same as once. */
export const internStatement = (schema: SchemaName): Statement =>
  statement(`
    insert into ${schema}.wrap_sets (digest, form, stored, target)
    select u.digest, u.form, u.stored, u.target
    from unnest($1::text[], $2::text[], $3::integer[], $4::integer[]) u(digest, form, stored, target)
    where not exists (select from ${schema}.wrap_sets w where w.digest = u.digest)
    order by u.digest collate "C"
    on conflict do nothing`);

/** Its arguments. */
export function internArguments(sets: readonly WrapSet[]): unknown[] {
  const forms = sets.map(wrapSetForm);
  return [forms.map(wrapSetDigest), forms, sets.map(({ wraps }) => wraps.length), sets.map(({ target }) => target)];
}
