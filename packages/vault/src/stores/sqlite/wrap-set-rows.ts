/**
 * Wrap sets in SQLite: each distinct one is a row, found by the digest of its form, and a version names its number.
 */
import { sql } from "kysely";
import type { AliasedRawBuilder } from "kysely";
import type { KnownWrapSet } from "../inventory.ts";
import type { WrapCount } from "../rows.ts";
import { parseWrapSet, wrapSetDigest, wrapSetForm } from "../wrap-set.ts";
import type { WrapSet, WrapSetId } from "../wrap-set.ts";
import type { ItemTable } from "./read-inventory.ts";
import { statement } from "./statements.ts";
import type { Connection, Statement } from "./statements.ts";

/** A wrap set as it is kept. */
export interface WrapSetRow {
  readonly digest: string;
  readonly form: string;
}

/** Most of a form that is looked at: it is a few wraps, and a hand may have put anything there. */
const LONGEST_FORM = 65_536;

/** Forms that were parsed, so that it is done once: a store has a handful. */
const KEPT_FORMS = 256;
const parsed = new Map<string, { readonly form: string; readonly set: WrapSet | null }>();

/** The set as it is kept. */
export function wrapSetRow(set: WrapSet): WrapSetRow {
  const form = wrapSetForm(set);
  return { form, digest: wrapSetDigest(form) };
}

/** The set that a row holds; null when it is none, or another one than its digest says. */
export function wrapSetOf({ digest, form }: { readonly [Column in keyof WrapSetRow]: string | null }): WrapSet | null {
  if (digest === null || form === null || form.length > LONGEST_FORM) return null;
  const known = parsed.get(digest);
  if (known?.form === form) return known.set;
  const set = wrapSetDigest(form) === digest ? parseWrapSet(form) : null;
  if (parsed.size >= KEPT_FORMS) parsed.clear();
  parsed.set(digest, { form, set });
  return set;
}

/** How many wraps a set has, and how many it should have. */
export const countWraps = ({ wraps, target }: WrapSet): WrapCount => ({ stored: wraps.length, target });

/** What is selected of a set's row: a form that is longer than one is would only be carried about. */
export const FORM_COLUMNS: readonly [
  AliasedRawBuilder<string | null, "digest">,
  AliasedRawBuilder<string | null, "form">,
] = [
  sql<string | null>`iif(length(wrap_sets.digest) <= 64, wrap_sets.digest, null)`.as("digest"),
  sql<string | null>`iif(octet_length(wrap_sets.form) <= ${sql.lit(LONGEST_FORM)}, wrap_sets.form, null)`.as("form"),
];

/** A number that a vault gave. */
const IS_NUMBERED = sql<boolean>`wrap_sets.id between 0 and ${sql.lit(Number.MAX_SAFE_INTEGER)}`;
/** Behind those that a vault gave: SQLite's own choice goes on behind what a hand put there. */
const NEXT = sql<number>`(select ifnull(max(id), 0) + 1 from wrap_sets where ${IS_NUMBERED})`;

const FOUND = statement((db, { digest, form }: WrapSetRow) =>
  db
    .selectFrom("wrap_sets")
    .select("id")
    .where("digest", "=", digest)
    .where("form", "=", form)
    .where(IS_NUMBERED)
    .compile(),
);

/** A row whose form or number is not a vault's was changed by a hand: what is written now must be readable. */
const ADD = statement((db, { digest, form }: WrapSetRow) =>
  db
    .insertInto("wrap_sets")
    .values({ id: NEXT, digest, form })
    .onConflict((conflict) =>
      conflict.column("digest").doUpdateSet({ form, id: sql<number>`iif(${IS_NUMBERED}, wrap_sets.id, ${NEXT})` }),
    )
    .returning("id")
    .compile(),
);

const LEAST = sql.lit(Number.MIN_SAFE_INTEGER);
const MOST = sql.lit(Number.MAX_SAFE_INTEGER);
/** Whose rows name a set. */
type NumberedTable = ItemTable | "kept";

/** A hand can give every version a number of its own. */
const MOST_WITHOUT_ROW = 1000;

const ALL = statement((db, _values: object) =>
  db.selectFrom("wrap_sets").select("id").select(FORM_COLUMNS).where(IS_NUMBERED).orderBy("id").compile(),
);

/** The number of a set, which is kept from now on if it was not; within the caller's transaction. */
export function internWrapSet(connection: Connection, row: WrapSetRow): WrapSetId {
  const { id } = connection.first(FOUND, row) ?? connection.one(ADD, row);
  return id as WrapSetId;
}

/**
 * Numbers that items have and no row: what they say of their wraps is not known, and must not pass for nothing. From
 * one number's first index entry to the next one's: SQLite's own `distinct` would read all items.
 */
const withoutRow = (name: NumberedTable): Statement<object, { readonly id: number }> => {
  const table = sql.table(name);
  return statement((db) =>
    sql<{ readonly id: number }>`
      with recursive used(id) as (
        select min(wrap_set) from ${table} where wrap_set between ${LEAST} and ${MOST}
        union all
        select (
          select min(wrap_set) from ${table}
          where wrap_set > used.id and wrap_set <= ${MOST}
        ) from used where used.id is not null
      )
      select id from used where id is not null and not exists (select 1 from wrap_sets where wrap_sets.id = used.id)
      limit ${sql.lit(MOST_WITHOUT_ROW)}`.compile(db),
  );
};

const WITHOUT_ROW: Readonly<Record<NumberedTable, Statement<object, { readonly id: number }>>> = {
  versions: withoutRow("versions"),
  kept: withoutRow("kept"),
  keys: withoutRow("keys"),
};

/** Those that there are, and those that rows of the tables have. */
export function readWrapSets(connection: Connection, ...tables: readonly NumberedTable[]): readonly KnownWrapSet[] {
  const known = connection.all(ALL, {}).map(({ id, ...row }) => ({ id: id as WrapSetId, set: wrapSetOf(row) }));
  const others = tables.flatMap((table) => connection.all(WITHOUT_ROW[table], {}).map(({ id }) => id as WrapSetId));
  return [...known, ...[...new Set(others)].map((id) => ({ id, set: null }))];
}
