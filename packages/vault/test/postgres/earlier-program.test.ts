/**
 * A database of an earlier version of the program: it is migrated while that program writes, which may not write any
 * more from then on; what it wrote reads as it did.
 */
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { test } from "node:test";
import { migratePostgres, migratePostgresKeys, postgresKeyStore, postgresStore } from "@strongroom/vault/postgres";
import { parseAddress } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { migrateWith } from "../../src/stores/postgres/migrate.ts";
import { MIGRATIONS, RECORD_SCHEMA } from "../../src/stores/postgres/schema.ts";
import { parseSchema } from "../../src/stores/postgres/schema-name.ts";
import { rejectsWith } from "../support/errors.ts";
import { fileServer, newSchema } from "./support/storage.ts";
import { get, person, put } from "./support/units.ts";

const { pool } = await fileServer();

/** What the functions of a release are, by their names: a program that runs on calls these. */
const RELEASED: Readonly<Record<string, string>> = {
  apply_v1: "0a25766b73fc269cec0b72a27e611fdc35bba239eb2f59ac9ae6402a28af6253",
  put_v1: "6b8d6eb3010296184540134ee36f42bb9b7d7436d8aad79982529b9180f679ff",
  outcome_v1: "85f6f1ae861766b2e0866d67f1e19c9d5a22590f15af10ba47c03eac57f0a6de",
  rewrap_v1: "d3c004033cbddd2e7865df5baae33b81d49ea2df48017257e0c1a734df128b38",
};

test("a function that was released is not changed any more", () => {
  const made = new Map(RECORD_SCHEMA.functions.map(({ name, create }) => [name, create(parseSchema("strongroom"))]));
  for (const [name, digest] of Object.entries(RELEASED))
    assert.equal(
      createHash("sha256")
        .update(made.get(name) ?? "")
        .digest("hex"),
      digest,
      name,
    );
});

const SET = "a".repeat(64);

/** A write as the earlier program makes it. */
async function earlierPut(schema: string, vault: string, id: string): Promise<unknown> {
  const { rows } = await pool.query(
    `select result from ${schema}.put_v1($1, 1, 5000, $2, 'people', $3, 'none', null, 0, 7, 1, 'ada', 0, $4, $5)`,
    [vault, randomUUID(), id, SET, Buffer.from(`message of ${id}`)],
  );
  return (rows[0] as { result: unknown }).result;
}

test("an earlier program writes until the database is migrated, and nothing after", async (t) => {
  const schema = "earlier";
  await migrateWith(MIGRATIONS.slice(0, 1), pool, { schema });
  defer(t, () => pool.query(`drop schema ${schema} cascade`));
  await rejectsWith("store-failed", () => postgresStore(pool, { schema }));
  const { rows } = await pool.query(`select id from ${schema}.vault`);
  const { id: vault } = rows[0] as { id: string };
  await pool.query(`insert into ${schema}.wrap_sets (digest, form, stored, target) values ($1, '{}', 1, 1)`, [SET]);
  const results: unknown[] = [];
  const writers = Array.from({ length: 6 }, async (_, writer) => {
    for (let number = 0; ; number++) {
      const result = await earlierPut(schema, vault, `${writer}-${number}`);
      results.push(result);
      if (result !== "made") return;
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(await migratePostgres(pool, { schema }), ["0002-people"]);
  const { rows: counted } = await pool.query(`select count(*)::int as n from ${schema}.versions`);
  await Promise.all(writers);
  const made = results.filter((result) => result === "made").length;
  assert.ok(made > 0);
  assert.deepEqual(new Set(results), new Set(["made", "newer"]));
  assert.deepEqual(counted, [{ n: made }]);

  const store = await postgresStore(pool, { schema });
  defer(t, () => store.close());
  const { stored, subjects } = await store.records.read(parseAddress({ collection: "people", id: "0-0" }), null);
  assert.deepEqual([stored?.scheme, stored?.subject, stored?.about, subjects], [1, "ada", [], []]);
  assert.equal(await get(store, "0-0"), "message of 0-0");
  await put(store, "0-0", 1, 2, { subjects: [person()] });
  const { vault: still, peer, minReader, minWriter } = await store.gate.current();
  assert.deepEqual([still, peer, minReader, minWriter], [vault, null, 2, 2]);
});

test("records and keys do not go into each other's schema, nor over one pool", async (t) => {
  const { schema, open } = await newSchema(t, pool);
  for (const refused of [
    () => migratePostgresKeys(pool, { schema }),
    () => postgresKeyStore(pool, { schema, migrate: true }),
  ])
    assert.match((await rejectsWith("store-failed", refused)).message, /another kind/);
  const store = await open();
  const { message } = await rejectsWith("vault-option-invalid", () =>
    postgresKeyStore(pool, { schema: "keys_here", migrate: true }),
  );
  assert.match(message, /pool/);
  assert.equal((await pool.query("select to_regnamespace('keys_here') as made")).rows[0]?.made, null);
  await store.close();
  const keys = await postgresKeyStore(pool, { schema: "keys_here", migrate: true });
  defer(t, async () => {
    await keys.close();
    await pool.query("drop schema keys_here cascade");
  });
  assert.equal((await keys.keys.counts()).subject, 0);
  await rejectsWith("vault-option-invalid", () => open());
});
