// Whether the rows of a database are those that were committed last. Every row that is not is named; which rows are
// missing can only be counted, because nothing is left that says their names.

import { hash } from "node:crypto";
import { shown } from "@strongroom/base/shown";
import { sql } from "kysely";
import type { Kysely } from "kysely";
import type { Head } from "../audit/log.ts";
import { KmsError } from "../errors.ts";
import { META, VOLATILE_META, readMeta } from "../store/meta.ts";
import type { Schema } from "../store/schema.ts";
import { ROW_TABLES, ROW_TABLE_NAMES, carries, placeOf, rowIdentity, rowName } from "./row-mac.ts";
import type { Row, RowKeys, RowTable } from "./row-mac.ts";
import { RowSet, openDigest } from "./row-set.ts";
import type { GroupSum, RowDigest } from "./row-set.ts";

/** All rows of a database, with the MACs that they carry. */
export type StoredRows = { readonly [Table in RowTable]: readonly (Row<Table> & { readonly mac?: unknown })[] };

/** What a database holds, and what is wrong with it. */
export interface CheckedRows {
  readonly rows: StoredRows;
  /** The rows that carry their MAC. */
  readonly set: RowSet;
  /** One line for each row, or group of rows, that is not as it was committed. */
  readonly findings: readonly string[];
  /** Where the audit ended at the last commit; null if there is no digest that opens. */
  readonly audit: Head | null;
  /** What the table `meta` held then. */
  readonly meta: RowDigest["meta"];
}

/** Most lines that an error shows. */
const SHOWN = 50;
/** What a person can do about rows that do not hold. */
export const ROWS_REMEDY: string =
  "Somebody or something other than the KMS wrote to the database. Keep a copy, find out who, and restore a backup; " +
  "or, once each row is as you want it, take the rows over as they are: strongroom-kms rows accept.";

/** Reads all rows. Integers too large for a number come as text, which no row of ours holds there. */
export async function readRows(db: Kysely<Schema>): Promise<StoredRows> {
  const [{ authenticated }] = (
    await sql<{
      authenticated: number;
    }>`select count(*) as authenticated from pragma_table_info('keys') where name = 'mac'`.execute(db)
  ).rows as [{ authenticated: number }];
  const read = async (table: RowTable): Promise<unknown> => {
    const columns = [...ROW_TABLES[table].columns, ...(authenticated > 0 ? ["mac"] : [])].map((name) => {
      const column = sql.ref(name);
      return sql`case when typeof(${column}) = 'integer' and ${column} not between -9007199254740991 and 9007199254740991
        then cast(${column} as text) else ${column} end as ${column}`;
    });
    return (await sql`select ${sql.join(columns)} from ${sql.table(table)}`.execute(db)).rows;
  };
  const tables: [RowTable, unknown][] = [];
  for (const table of ROW_TABLE_NAMES) tables.push([table, await read(table)]);
  return Object.fromEntries(tables) as unknown as StoredRows;
}

/** SHA-256 of each row of `meta` that does not change from commit to commit. */
export function metaPrints(meta: ReadonlyMap<string, Uint8Array>): Readonly<Record<string, string>> {
  const lasting = [...meta].filter(([name]) => !VOLATILE_META.has(name));
  return Object.fromEntries(lasting.map(([name, value]) => [name, hash("sha256", value, "base64")]));
}

/** Compares the rows with their MACs and with the digest of the last commit. */
export async function checkRows(db: Kysely<Schema>, keys: RowKeys): Promise<CheckedRows> {
  const rows = await readRows(db);
  const set = new RowSet(keys);
  const findings: string[] = [];
  const refused = new Map<string, number>();
  for (const table of ROW_TABLE_NAMES) {
    for (const row of rows[table]) {
      const mac = keys.rowMac(table, row);
      const known = set.size;
      const holds = carries(row.mac, mac);
      if (holds) set.put(table, row, mac);
      if (set.size > known) continue;
      const fault = holds ? "is there twice" : faultOf(row.mac);
      const identity = rowIdentity(table, row);
      findings.push(`${rowName(table, identity)} ${fault}`);
      const group = groupName(table, identity[0] ?? "");
      refused.set(group, (refused.get(group) ?? 0) + 1);
    }
  }
  const meta = await readMeta(db);
  const stored = meta.get(META.rowDigest);
  const digest = stored === undefined ? null : openDigest(keys, stored);
  if (digest === null) findings.push(`meta ${META.rowDigest} ${stored === undefined ? "is missing" : "does not open"}`);
  const more = digest === null ? [] : [metaFindings(digest, metaPrints(meta)), setFindings(digest, set, refused)];
  return { rows, set, findings: findings.concat(more.flat()), audit: digest?.audit ?? null, meta: digest?.meta ?? {} };
}

const faultOf = (mac: unknown): string =>
  mac === null ? "has no MAC" : "does not fit its MAC: it was edited, or copied from elsewhere";

function metaFindings(digest: RowDigest, found: Readonly<Record<string, string>>): readonly string[] {
  const names = new Set([...Object.keys(digest.meta), ...Object.keys(found)]);
  return [...names].flatMap((name) => {
    const [wanted, present] = [digest.meta[name], found[name]];
    if (wanted === present) return [];
    return [
      `meta ${shown(name)} ${present === undefined ? "is missing" : wanted === undefined ? "is not known" : "was changed"}`,
    ];
  });
}

/** What the sums say of each table and region, beyond the rows that were refused already. */
function setFindings(digest: RowDigest, set: RowSet, refused: ReadonlyMap<string, number>): readonly string[] {
  const wanted = new Map(digest.groups.map((group) => [groupName(group.table, group.region), group]));
  const found = new Map(set.groups.map((group) => [groupName(group.table, group.region), group]));
  return [...new Set([...wanted.keys(), ...found.keys()])].flatMap((name) => {
    const [was, is] = [wanted.get(name), found.get(name)];
    if (was?.sum === is?.sum && was?.count === is?.count) return [];
    const missing = (was?.count ?? 0) - (is?.count ?? 0);
    const bad = refused.get(name) ?? 0;
    // An edited row is missing from the sums as it was: it has been named, and nothing more is known.
    if (bad > 0 && missing >= 0 && missing <= bad) return [];
    const row = oddRow(was, is, set);
    if (missing === 1)
      return [row === null ? `${name}: one row of ${was?.count ?? 0} is missing` : `${row} is missing`];
    if (missing > 1) return [`${name}: ${missing} rows of ${was?.count ?? 0} are missing`];
    if (row !== null) return [`${row} is an older one, put back${missing < 0 ? " after it was removed" : ""}`];
    return [`${name}: ${missing < 0 ? "removed rows were put back" : "rows are older ones, put back"}`];
  });
}

/**
 * The name of the one row that makes the difference, or null if it is not one, or one that is nowhere mentioned. If it
 * is, both differences come from the same term, once as it is and once times the row's place.
 */
function oddRow(was: GroupSum | undefined, is: GroupSum | undefined, set: RowSet): string | null {
  const group = was ?? is;
  if (group === undefined) return null;
  const { table, region } = group;
  const term = (was?.sum ?? 0n) - (is?.sum ?? 0n);
  const placed = (was?.placed ?? 0n) - (is?.placed ?? 0n);
  for (const member of set.members) {
    // A key whose own row is gone is still named by its backing keys.
    const identity =
      member.table === table ? member.identity : member.identity.slice(0, ROW_TABLES[table].identity.length);
    if (identity[0] !== region || identity.length !== ROW_TABLES[table].identity.length) continue;
    if (BigInt.asUintN(256, term * placeOf(table, identity) - placed) === 0n) return rowName(table, identity);
  }
  return null;
}

const groupName = (table: RowTable, region: string): string => `${table} of ${shown(region)}`;

/** How the audit does not go with the rows; null if it does. */
export function auditFault(rows: Head | null, audit: Head): string | null {
  if (rows === null) return null;
  const written = `the rows were last written with entry ${rows.size}`;
  if (rows.size < audit.size)
    return `${written}, and the audit ends at entry ${audit.size}: all of them were set back.`;
  if (rows.size > audit.size) return `the audit ends at entry ${audit.size}, and ${written}: the end was cut off.`;
  return Buffer.from(rows.root).equals(audit.root)
    ? null
    : `entry ${audit.size} of the audit is another one than when the rows were last written.`;
}

/**
 * Refuses rows that are not those of the last commit, and a last commit that is not the audit's.
 * @throws KmsError `store-corrupt`, naming every row; `audit-broken` if it is the audit that lacks entries.
 */
export function requireSound({ findings, audit }: CheckedRows, position: Head): void {
  if (findings.length > 0) {
    const more = findings.length > SHOWN ? [`and ${findings.length - SHOWN} more`] : [];
    const lines = [...findings.slice(0, SHOWN), ...more].map((line) => `\n  ${line}`);
    throw new KmsError("store-corrupt", `it is not as the KMS left it:${lines.join("")}`, { remedy: ROWS_REMEDY });
  }
  const fault = auditFault(audit, position);
  if (fault === null) return;
  const setBack = (audit?.size ?? 0) < position.size;
  throw new KmsError(setBack ? "store-corrupt" : "audit-broken", fault, { remedy: ROWS_REMEDY });
}
