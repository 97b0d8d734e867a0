/**
 * A database of an earlier version of the program: it is migrated while that program writes, which may not write any
 * more from then on; what it wrote reads as it did.
 */
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { test } from "node:test";
import {
  migratePostgres,
  migratePostgresAudit,
  migratePostgresKeys,
  postgresAuditLog,
  postgresKeyStore,
  postgresStore,
} from "@strongroom/vault/postgres";
import { parseAddress } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { migrateWith } from "../../src/stores/postgres/migrate.ts";
import { KEY_SCHEMA } from "../../src/stores/postgres/keys/schema.ts";
import { MIGRATIONS, RECORD_SCHEMA } from "../../src/stores/postgres/schema.ts";
import { parseSchema } from "../../src/stores/postgres/schema-name.ts";
import { rejectsWith } from "../support/errors.ts";
import { fileServer, newSchema } from "./support/storage.ts";
import type { KeyVersion } from "../../src/stores/key-store.ts";
import { entry, get, person, withEntry, writeUnit } from "./support/units.ts";

const { pool } = await fileServer();

/** What the functions of a release are, by their names: a program that runs on calls these. */
const RELEASED: Readonly<Record<string, string>> = {
  apply_v1: "0a25766b73fc269cec0b72a27e611fdc35bba239eb2f59ac9ae6402a28af6253",
  put_v1: "6b8d6eb3010296184540134ee36f42bb9b7d7436d8aad79982529b9180f679ff",
  outcome_v1: "85f6f1ae861766b2e0866d67f1e19c9d5a22590f15af10ba47c03eac57f0a6de",
  rewrap_v1: "d3c004033cbddd2e7865df5baae33b81d49ea2df48017257e0c1a734df128b38",
  apply_v2: "58d670059669a655f1734b9a428ab885de62980bb7a242fa11d6cf31629f72c1",
  put_v2: "65f58ada9ea7c746a3c92b617b0046e16b318310e3728cd7d4dc3603eb567914",
  ahead_v1: "1e78cdf44305508e52a0f72f5628cfd4d37fcdbc2792b9a822279ebdf9ecf8b1",
  create_v1: "fa160a517af0f173c0e5d804cc3358bda91f253f21c4b5f66f3de2cf3d7728fa",
  erase_v1: "abc77928880ffb207bfd552421d997d02cc04039325001090efa04cb3b2e0c2b",
  rewrap_key_v1: "569af4ea35858a511da45b9c25cca6900739f6d29870c4925e9adc92bdf93a01",
};

test("a function that was released is not changed any more", () => {
  const functions = [...RECORD_SCHEMA.functions, ...KEY_SCHEMA.functions];
  const made = new Map(functions.map(({ name, create }) => [name, create(parseSchema("strongroom"))]));
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

/** How many migrations an earlier program knew -> a write as it makes it. */
const EARLIER: Readonly<Record<number, { readonly put: string }>> = {
  1: { put: "put_v1($1, 1, 5000, $2, 'people', $3, 'none', null, 0, 7, 1, 'ada', 0, $4, $5)" },
  2: {
    put: `put_v2($1, 2, 5000, $2, 'people', $3, 'none', null, 0, 7, 1, 'ada', 0, $4, $5,
      1, null, null, array[]::text[], array[]::text[], array[]::bigint[])`,
  },
};

for (const [known, { put: earlierPut }] of Object.entries(EARLIER))
  test(`a program of ${known} migrations writes until the database is migrated, and nothing after`, async (t) => {
    const schema = `earlier_${known}`;
    const before = MIGRATIONS.slice(0, Number(known));
    await migrateWith(before, pool, { schema });
    defer(t, () => pool.query(`drop schema ${schema} cascade`));
    await rejectsWith("store-failed", () => postgresStore(pool, { schema }));
    const { rows } = await pool.query(`select id from ${schema}.vault`);
    const { id: vault } = rows[0] as { id: string };
    await pool.query(`insert into ${schema}.wrap_sets (digest, form, stored, target) values ($1, '{}', 1, 1)`, [SET]);
    const results: unknown[] = [];
    const writers = Array.from({ length: 6 }, async (_, writer) => {
      for (let number = 0; ; number++) {
        const id = `${writer}-${number}`;
        const { rows: answer } = await pool.query(`select result from ${schema}.${earlierPut}`, [
          vault,
          randomUUID(),
          id,
          SET,
          Buffer.from(`message of ${id}`),
        ]);
        const { result } = answer[0] as { result: unknown };
        results.push(result);
        if (result !== "made") return;
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const lacked = MIGRATIONS.slice(before.length).map(({ name }) => name);
    assert.deepEqual(await migratePostgres(pool, { schema }), lacked);
    const { rows: counted } = await pool.query(`select count(*)::int as n from ${schema}.versions`);
    await Promise.all(writers);
    const made = results.filter((result) => result === "made").length;
    assert.ok(made > 0);
    assert.deepEqual(new Set(results), new Set(["made", "newer"]));
    assert.deepEqual(counted, [{ n: made }]);

    const store = await postgresStore(pool, { schema });
    defer(t, () => store.close());
    const read = await store.records.read(parseAddress({ collection: "people", id: "0-0" }), null);
    assert.deepEqual(
      [read.stored?.scheme, read.stored?.subject, read.stored?.about, read.subjects, read.entry, read.damage],
      [1, "ada", [], [], undefined, undefined],
    );
    assert.equal(await get(store, "0-0"), "message of 0-0");
    const next = withEntry(writeUnit("0-0", 1, 2, { subjects: [person()] }), { number: 1, previous: randomUUID() });
    assert.deepEqual(await store.records.apply([next], { atomic: true }), [{ kind: "conflict" }], "it had no entry");
    const first = withEntry(writeUnit("0-0", 1, 2, { subjects: [person()] }), { number: 1, previous: null });
    assert.deepEqual(await store.records.apply([first], { atomic: true }), [{ kind: "made" }]);
    const [head] = await store.records.heads([first.address]);
    assert.equal(head?.entry, first.writeId);
    const { vault: still, peer, minReader, minWriter } = await store.gate.current();
    assert.deepEqual([still, peer, minReader, minWriter], [vault, null, 3, 5]);
  });

test("a key store of before has an outbox when it is migrated, and its keys are found by their versions", async (t) => {
  const schema = "earlier_keys";
  await migrateWith(KEY_SCHEMA.migrations.slice(0, 1), pool, { schema });
  defer(t, () => pool.query(`drop schema ${schema} cascade`));
  const [owner, version] = [randomUUID(), randomUUID()];
  await pool.query(`insert into ${schema}.owners (name) values ($1)`, [owner]);
  await pool.query(
    `insert into ${schema}.keys (owner, ordinal, created_at, since, generation, revision, wrap_set, bucket, kind, version,
      key_check, wraps) select o.key, 1, 0, 0, 0, 0, 1, 0, 'subject', $1, '', '' from ${schema}.owners o`,
    [version],
  );
  assert.deepEqual(await migratePostgresKeys(pool, { schema }), ["0002-audit", "0003-moves"]);
  const store = await postgresKeyStore(pool, { schema });
  defer(t, () => store.close());
  const found = await store.keys.owners([randomUUID() as KeyVersion, version as KeyVersion]);
  assert.deepEqual(found, [null, { kind: "subject", owner }]);
  assert.equal(await store.checkpoint.read(), null);
  assert.deepEqual(await store.outbox.append([entry({ number: 1 })], []), { kind: "made" });
  assert.equal((await store.outbox.take(10)).length, 1);
});

test("records, keys and the log do not go into each other's schema, nor over one pool", async (t) => {
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
  await rejectsWith("vault-option-invalid", () => postgresAuditLog(pool, { schema: "log_here", migrate: true }));
  assert.equal((await pool.query("select to_regnamespace('log_here') as made")).rows[0]?.made, null);
  assert.match(
    (await rejectsWith("store-failed", () => migratePostgresAudit(pool, { schema }))).message,
    /another kind/,
  );
});
