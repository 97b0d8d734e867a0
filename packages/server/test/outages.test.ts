/**
 * Regions that go and come back, damaged rows, a full store: as a client of the HTTP API sees them.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { call } from "./support/http.ts";
import { installation, REGIONS } from "./support/installation.ts";

const path = "/v1/records/people/42";

interface RegionLine {
  readonly region: string;
  readonly state: string;
  readonly reason: string;
}

const states = (lines: unknown): readonly string[] =>
  (lines as readonly RegionLine[]).map(({ region, state }) => `${region} ${state}`);
const reasons = (lines: unknown): readonly string[] =>
  (lines as readonly RegionLine[]).map(({ region, reason }) => `${region} ${reason}`);

test("one region away: read, written with the missing wrap told, ready", async (t) => {
  const { origin, token, kms } = await installation(t);
  await call(origin, path, { token: token.write, body: { n: 1 } });
  await kms.stopRegion("eu-west-1");
  assert.deepEqual((await call(origin, path, { token: token.read })).json, { n: 1 });
  assert.deepEqual((await call(origin, path, { token: token.write, body: { n: 2 } })).json.wraps, {
    stored: 2,
    target: 3,
    missing: ["eu-west-1"],
  });
  const { json } = await call(origin, "/v1/regions", { token: token.read });
  assert.deepEqual(states(json.regions), ["eu-west-1 down", "eu-west-2 up", "eu-central-1 up"]);
  assert.equal(json.regions[0].lastFailure.kind, "refused");
  assert.equal(json.wrapDebt.items, 1);
  assert.deepEqual((await call(origin, "/readyz")).json.status, "ready");
});

test("two of three away with a minimum of two: reads go on, writes are 503 with the reasons, nothing is stored", async (t) => {
  const { origin, token, kms } = await installation(t);
  await call(origin, path, { token: token.write, body: { n: 1 } });
  await kms.stopRegion("eu-west-1");
  await kms.stopRegion("eu-west-2");
  assert.deepEqual((await call(origin, path, { token: token.read })).json, { n: 1 });
  const refused = await call(origin, path, { token: token.write, body: { n: 2 } });
  assert.deepEqual([refused.status, refused.json.code], [503, "wraps-below-minimum"]);
  assert.deepEqual(reasons(refused.json.regions), ["eu-west-1 refused", "eu-west-2 refused"]);
  assert.match(refused.headers["retry-after"] ?? "", /^\d+$/);
  const batch = await call(origin, "/v1/records/people", {
    method: "POST",
    token: token.admin,
    body: { records: [{ id: "a", document: {} }] },
  });
  assert.deepEqual([batch.status, batch.json.code], [503, "wraps-below-minimum"]);
  assert.equal((await call(origin, path, { token: token.read })).headers.etag, '"1"');
  const ready = await call(origin, "/readyz");
  assert.equal(ready.status, 503);
  assert.deepEqual(
    [ready.json.status, ready.json.store.ok, ready.json.regions.ok, ready.json.regions.notDown],
    ["not-ready", true, false, 1],
  );
  assert.equal((await call(origin, "/healthz")).status, 200);
});

test("all away: 503 for reads and writes; back again, no restart and no request is needed to be ready", async (t) => {
  const { origin, token, kms } = await installation(t);
  await call(origin, path, { token: token.write, body: { n: 1 } });
  for (const region of REGIONS) await kms.stopRegion(region);
  const read = await call(origin, path, { token: token.read });
  assert.deepEqual([read.status, read.json.code, read.json.regions.length], [503, "regions-unavailable", 3]);
  assert.equal((await call(origin, path, { token: token.write, body: { n: 2 } })).json.code, "wraps-below-minimum");
  assert.equal((await call(origin, "/readyz")).status, 503);
  for (const region of REGIONS) await kms.startRegion(region);
  // Readiness itself asks the regions again, so that a service nobody sends requests to finds them back.
  while ((await call(origin, "/readyz")).status !== 200) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual((await call(origin, path, { token: token.read })).json, { n: 1 });
  assert.equal((await call(origin, path, { token: token.write, body: { n: 2 } })).status, 200);
});

/** The rows of a record. */
const at = (collection: string, id: string): string =>
  `where record = (select record from records where collection = '${collection}' and id = '${id}')`;
const messageOf = (rows: string): string => `(select message from versions ${rows})`;

const DAMAGES: readonly (readonly [sql: string, code: string])[] = [
  [`update versions set message = ${messageOf(at("people", "43"))} ${at("people", "42")}`, "record-moved"],
  [`update versions set message = ${messageOf(at("pets", "42"))} ${at("people", "42")}`, "record-moved-collection"],
  [`update versions set subject = 'x' ${at("people", "42")}`, "record-moved-subject"],
  [
    `update versions set message = ${messageOf(`${at("people", "42")} and version = 1`)} ${at("people", "42")}`,
    "record-rolled-back",
  ],
  [`update heads set version = 1 ${at("people", "42")}`, "record-rolled-back"],
  [`update versions set message = substr(message, 1, 300) ${at("people", "42")}`, "record-tampered"],
];

test("damaged rows are refused, each with its own code, and no byte of a document is released", async (t) => {
  for (const [sql, code] of DAMAGES) {
    await t.test(`${code}: ${sql}`, async (t) => {
      const { origin, token, database } = await installation(t);
      for (const [address, step] of [
        ["people/42", 1],
        ["people/42", 2],
        ["people/43", 1],
        ["pets/42", 1],
      ] as const) {
        await call(origin, `/v1/records/${address}`, {
          token: token.write,
          body: { secret: `Lovelace ${address} ${step}` },
        });
      }
      const db = new DatabaseSync(database);
      db.exec(sql);
      db.close();
      const answer = await call(origin, path, { token: token.read });
      assert.deepEqual([answer.status, answer.json.code], [500, code]);
      assert.doesNotMatch(answer.text, /Lovelace/);
    });
  }
});

test("a store that is full answers 507, keeps what it acknowledged, and goes on when there is room", async (t) => {
  const { origin, token } = await installation(t, { store: { maxBytes: 60 * 4096 } });
  let acknowledged = 0;
  for (;;) {
    const answer = await call(origin, `/v1/records/people/${acknowledged}`, {
      token: token.write,
      body: { text: "x".repeat(20_000) },
    });
    if (answer.status === 201) {
      acknowledged++;
      continue;
    }
    assert.deepEqual([answer.status, answer.json.code], [507, "store-full"]);
    assert.match(answer.headers["retry-after"] ?? "", /^\d+$/);
    break;
  }
  assert.ok(acknowledged > 2);
  const list = await call(origin, "/v1/records/people", { token: token.read });
  assert.equal(list.json.items.length, acknowledged);
  assert.equal((await call(origin, `/v1/records/people/${acknowledged - 1}`, { token: token.read })).status, 200);
  assert.equal((await call(origin, "/v1/records/people/0", { method: "DELETE", token: token.write })).status, 200);
  assert.equal(
    (await call(origin, "/v1/records/people/again", { token: token.write, body: { text: "x".repeat(10_000) } })).status,
    201,
  );
});

test("a store that is gone answers 503, and readiness says which part it is", async (t) => {
  const { origin, token, vault } = await installation(t);
  await vault.close();
  const closed = await call(origin, path, { token: token.write, body: {} });
  assert.deepEqual([closed.status, closed.json.code], [503, "store-closed"]);
  const ready = await call(origin, "/readyz");
  assert.deepEqual([ready.status, ready.json.store.ok, ready.json.regions.ok], [503, false, true]);
});
