// One of a million people: what it takes to find them by their e-mail with everything that a caller waits for, the audit
// among it, beside a column in clear with an index; and to hand out all of their data, which depends on their records
// alone.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { openVault } from "@strongroom/vault";
import type { CollectionOptions, Vault } from "@strongroom/vault";
import { email } from "@strongroom/vault/normalisers";
import { temporaryFolder } from "../support/faults/folder.ts";
import { inFiles, onServer, openLogPlace, prepareAuditedTables } from "../support/faults/audited-place.ts";
import type { AuditedPlace } from "../support/faults/audited-place.ts";
import { openStores } from "../support/faults/keyed-place.ts";
import { keySetOf, newTestKey } from "../support/faults/keys.ts";
import type { TestKey } from "../support/faults/keys.ts";
import { poolOf } from "../support/faults/place.ts";

const PEOPLE = Number(process.env["STRONGROOM_PEOPLE_COUNT"] ?? 1_000_000);
const FEW = 1_000;
const AT_ONCE = 500;
const ROUNDS = 15;
const LOOKUPS = 40;
const EXPORTS = 2;
/** Records of each of those whose data are handed out. */
const OWN_RECORDS = 20;

const COLLECTIONS: Readonly<Record<string, CollectionOptions>> = {
  people: { fields: { email: { find: email(), unique: true } } },
  orders: {},
};

const emailOf = (n: number): string => `person-${n}@example.org`;
const idOf = (n: number): string => `p${n}`;
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

async function open(place: AuditedPlace, key: TestKey, audited: boolean): Promise<Vault> {
  const { store, keyStore } = await openStores(place);
  return openVault({
    ...{ store, ...keySetOf(key), collections: COLLECTIONS, keys: { store: keyStore, scope: "tenant" } },
    ...(audited ? { audit: { log: await openLogPlace(place.log) } } : {}),
  });
}

/** Each has a record; the first has more of them. Without an audit: a million entries more tell nothing here. */
async function fill(place: AuditedPlace, key: TestKey, people: number): Promise<void> {
  await using vault = await open(place, key, false);
  for (let from = 0; from < people; from += AT_ONCE) {
    const items = Array.from({ length: Math.min(AT_ONCE, people - from) }, (_, index) => {
      const n = from + index;
      return { id: idOf(n), document: { email: emailOf(n), name: `Person ${n}` }, subject: idOf(n) };
    });
    await vault.putMany("people", items, { onExisting: "compare" });
  }
  const orders = Array.from({ length: OWN_RECORDS }, (_, n) => ({ id: `o${n}`, document: { n }, subject: idOf(0) }));
  await vault.putMany("orders", orders, { onExisting: "compare" });
}

/** A column in clear with an index, in a database of the same kind. */
async function inClear(t: TestContext, place: AuditedPlace): Promise<(n: number) => Promise<string>> {
  if (place.records.kind === "sqlite") {
    const database = new DatabaseSync(join(await temporaryFolder(t), "plain.sqlite"));
    database.exec("create table plain (id text not null, email text not null); begin");
    const insert = database.prepare("insert into plain (id, email) values (?, ?)");
    for (let n = 0; n < PEOPLE; n++) insert.run(idOf(n), emailOf(n));
    database.exec("commit; create index plain_email on plain (email)");
    const statement = database.prepare("select id from plain where email = ?");
    t.after(() => {
      database.close();
    });
    return (n) => Promise.resolve(String(statement.get(emailOf(n))?.["id"]));
  }
  const pool = poolOf(place.records);
  t.after(() => pool.end());
  await pool.query(`create table public.plain as select 'p' || n as id, 'person-' || n || '@example.org' as email
    from generate_series(0, ${PEOPLE - 1}) n`);
  await pool.query("create index plain_email on public.plain (email)");
  return async (n) => {
    const query = { name: "plain", text: "select id from public.plain where email = $1", values: [emailOf(n)] };
    return String((await pool.query<{ id: string }>(query)).rows[0]?.id);
  };
}

async function found(vault: Vault, n: number): Promise<string> {
  const { items } = await vault.find("people", { email: emailOf(n) });
  assert.equal(items.length, 1);
  return items[0]!.id;
}

/** Milliseconds of one, in rounds that take turns. */
async function compare(
  count: number,
  ways: Readonly<Record<string, (n: number) => Promise<unknown>>>,
): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, way] of Object.entries(ways)) {
      const asked = Array.from({ length: count }, () => randomInt(1, PEOPLE));
      const start = performance.now();
      for (const n of asked) await way(n);
      times.set(name, [...(times.get(name) ?? []), (performance.now() - start) / count]);
    }
  return new Map([...times].map(([name, all]) => [name, median(all)]));
}

async function handOut(vault: Vault): Promise<number> {
  let records = 0;
  for await (const item of vault.rights!.export(idOf(0), { recipient: "them" })) if (item.kind === "record") records++;
  assert.equal(records, OWN_RECORDS + 1);
  return records;
}

for (const [kind, placeOf] of Object.entries({ SQLite: inFiles, PostgreSQL: onServer }))
  test(`of ${PEOPLE} people in ${kind} one is found, and their data are handed out as among ${FEW}`, async (t) => {
    const key = newTestKey("many");
    const [place, small] = [await placeOf(t), await placeOf(t)];
    const start = performance.now();
    for (const [where, people] of [
      [small, FEW],
      [place, PEOPLE],
    ] as const) {
      await prepareAuditedTables(where);
      await fill(where, key, people);
    }
    t.diagnostic(`filled in ${((performance.now() - start) / 1000).toFixed(0)} s`);
    const lookUp = await inClear(t, place);
    await using vault = await open(place, key, true);
    await using few = await open(small, key, true);
    for (const n of [1, PEOPLE - 1]) assert.deepEqual([await found(vault, n), await lookUp(n)], [idOf(n), idOf(n)]);
    const lookUps = await compare(LOOKUPS, {
      "a column in clear": lookUp,
      "the whole find with its audit": (n) => found(vault, n),
      "a get by id with its audit": (n) => vault.get({ collection: "people", id: idOf(n) }),
    });
    const clear = lookUps.get("a column in clear") ?? NaN;
    for (const [name, ms] of lookUps) t.diagnostic(`${name}: ${ms.toFixed(3)} ms, ${(ms / clear).toFixed(1)} times`);
    const exports = await compare(EXPORTS, { few: () => handOut(few), many: () => handOut(vault) });
    const ratio = (exports.get("many") ?? NaN) / (exports.get("few") ?? NaN);
    const shown = [...exports].map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`).join(", ");
    t.diagnostic(`an export of ${OWN_RECORDS + 1} records: ${shown}, ${ratio.toFixed(2)} times`);
    assert.ok(ratio < 3, `an export takes ${ratio.toFixed(2)} times as long among a million`);
  });
