// Somebody takes entries out of an outbox before they are carried to the log: which numbers of which stream are gone is
// told in the log, and by an alarm. And what a transaction of a caller's reads stays in the audit when it is rolled back.
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import type { TestContext } from "node:test";
import pg from "pg";
import type { AuditLog } from "@strongroom/vault";
import { defer } from "../support/defer.ts";
import { entriesOf } from "../support/faults/audited-log.ts";
import { openAuditedVault, openLogPlace, prepareAuditedPlace } from "../support/faults/audited-place.ts";
import type { AuditedPlace, OpenedAs } from "../support/faults/audited-place.ts";
import { temporaryFolder } from "../support/faults/folder.ts";
import { newTestKey } from "../support/faults/keys.ts";
import { poolOf } from "../support/faults/place.ts";
import { PostgresServer } from "../support/postgres/server.ts";

let server: PostgresServer;
before(async () => {
  server = await PostgresServer.start();
});
after(() => server[Symbol.asyncDispose]());

const KEY = newTestKey("one");
const ADA = { collection: "people", id: "ada" };
const READS = 6;

/** Where the outbox of the records is, and a hand in it. */
interface Tampered {
  readonly place: AuditedPlace;
  /** Rows of the outbox in their order, as what is asked of them. */
  readonly rows: (columns: string) => Promise<readonly Record<string, unknown>[]>;
  readonly run: (sql: string) => Promise<unknown>;
}

const PLACES: Readonly<Record<string, (t: TestContext) => Promise<Tampered>>> = {
  SQLite: async (t) => {
    const folder = await temporaryFolder(t);
    const at = (name: string) => ({ kind: "sqlite", path: join(folder, `${name}.sqlite`) }) as const;
    const database = (): DatabaseSync => {
      const opened = new DatabaseSync(at("records").path);
      opened.exec("pragma busy_timeout = 5000");
      return opened;
    };
    return {
      place: { records: at("records"), keys: at("keys"), log: at("audit") },
      rows: async (columns) => {
        using opened = database();
        return opened.prepare(`select ${columns} from outbox order by position`).all();
      },
      run: async (sql) => {
        using opened = database();
        opened.exec(sql);
      },
    };
  },
  PostgreSQL: async (t) => {
    const url = await server.createDatabase();
    const place = { kind: "postgres", url, connections: 2 } as const;
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    defer(t, () => client.end());
    await client.query("set search_path = strongroom");
    return {
      place: { records: place, keys: place, log: place },
      rows: async (columns) =>
        (await client.query<Record<string, unknown>>(`select ${columns} from strongroom.outbox order by position`))
          .rows,
      run: async (sql) => client.query(sql),
    };
  },
};

/** A vault whose entries nobody carries: six reads of one stream wait. */
async function waiting(t: TestContext, { place }: Tampered): Promise<AuditLog> {
  await prepareAuditedPlace(place, KEY);
  const writer = await openAuditedVault(place, KEY);
  await writer.put(ADA, { name: "Ada" }, { subject: "ada" });
  await writer.close();
  const reader = await openAuditedVault(place, KEY, { sequences: false });
  defer(t, () => reader.close());
  for (let n = 1; n <= READS; n++) await reader.as({ principal: `reader:${n}` }).get(ADA);
  const log = await openLogPlace(place.log);
  defer(t, () => log.close());
  return log;
}

/** Carries what is left, and says what was told of it. */
async function carried(tampered: Tampered, log: AuditLog) {
  const alarms: string[] = [];
  const said: OpenedAs = { onAlarm: ({ code }) => alarms.push(code) };
  await using vault = await openAuditedVault(tampered.place, KEY, said);
  await vault.audit!.sequence();
  assert.deepEqual((await vault.audit!.verify()).problems, [], "the log is whole all the same");
  const entries = await entriesOf(log);
  const gaps = entries.filter(({ action }) => action === "gap").map(({ details }) => details);
  const readers = entries.filter(({ principal }) => principal.startsWith("reader:")).map(({ principal }) => principal);
  return { alarms, gaps, readers, entries };
}

/** Names -> which of the six reads are taken away. */
const TAKEN: Readonly<Record<string, readonly number[]>> = {
  "one in the middle": [3],
  "the last one": [6],
  "the first two": [1, 2],
  "all of them": [1, 2, 3, 4, 5, 6],
};

for (const [kind, open] of Object.entries(PLACES)) {
  for (const [name, taken] of Object.entries(TAKEN))
    test(`${kind}: ${name} of six entries of a stream, taken away before they are carried`, async (t) => {
      const tampered = await open(t);
      const log = await waiting(t, tampered);
      const rows = (await tampered.rows("position, number, text")).map(({ position, number, text }) => ({
        position: Number(position),
        number: Number(number),
        entry: JSON.parse(Buffer.from(text as Uint8Array).toString()) as { principal: string; stream: string },
      }));
      const reads = rows.filter(({ entry }) => entry.principal.startsWith("reader:"));
      const gone = reads.filter((_, index) => taken.includes(index + 1));
      const { stream } = reads[0]!.entry;
      for (const { position } of gone) await tampered.run(`delete from outbox where position = ${position}`);
      const { alarms, gaps, readers } = await carried(tampered, log);
      const [from, to] = [gone[0]!.number, gone.at(-1)!.number];
      assert.deepEqual(gaps, [{ outbox: "records", stream, from, to }]);
      assert.deepEqual(alarms, ["gap"]);
      assert.deepEqual(
        readers,
        reads.filter((row) => !gone.includes(row)).map(({ entry }) => entry.principal),
        "the others are in the log",
      );
    });

  test(`${kind}: the entry of a write taken away: its record is not given out`, async (t) => {
    const tampered = await open(t);
    const log = await waiting(t, tampered);
    const writer = await openAuditedVault(tampered.place, KEY, { sequences: false });
    defer(t, () => writer.close());
    await writer.put(ADA, { name: "Ada of another name" }, { subject: "ada" });
    const position = (await tampered.rows("position, tag")).find(({ tag }) => tag !== null)!["position"];
    await tampered.run(`delete from outbox where position = ${String(position)}`);
    await assert.rejects(writer.get(ADA), { code: "record-tampered" });
    const { gaps, alarms } = await carried(tampered, log);
    assert.equal(gaps.length, 1);
    assert.equal(alarms[0], "gap");
    await assert.rejects(writer.get(ADA), { code: "record-tampered" });
  });
}

test("what is read while a caller's transaction is open stays in the audit when that is rolled back", async (t) => {
  const tampered = await PLACES["PostgreSQL"]!(t);
  const { place } = tampered;
  await prepareAuditedPlace(place, KEY);
  const vault = await openAuditedVault(place, KEY);
  defer(t, () => vault.close());
  await vault.put(ADA, { name: "Ada" }, { subject: "ada" });
  if (place.records.kind !== "postgres") throw new TypeError("it is not PostgreSQL");
  const pool = poolOf(place.records);
  defer(t, () => pool.end());
  const clerk = vault.as({ principal: "clerk" });
  const client = await pool.connect();
  await client.query("begin");
  const prepared = await clerk.prepare(ADA, { name: "Ada of another name" }, { subject: "ada" });
  await clerk.withTransaction(client, [prepared]);
  assert.deepEqual((await clerk.get(ADA)).document, { name: "Ada" }, "the caller's own write is not seen yet");
  await client.query("rollback");
  client.release();
  await vault.audit!.sequence();
  const log = await openLogPlace(place.log);
  const told = (await entriesOf(log).finally(() => log.close())).filter(({ principal }) => principal === "clerk");
  assert.deepEqual(
    told.map(({ action, result }) => `${action} ${result}`),
    ["read done"],
  );
  assert.deepEqual((await vault.audit!.status()).alarms, []);
});
