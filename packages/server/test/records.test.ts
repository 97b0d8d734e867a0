import assert from "node:assert/strict";
import { test } from "node:test";
import { call } from "./support/http.ts";
import { installation, REGIONS } from "./support/installation.ts";

const ADA = { name: "Ada Lovelace", born: 1815, languages: ["en", "fr"] };
const path = "/v1/records/people/42";

test("a record is written, read, listed, read as it was, and removed", async (t) => {
  const { origin, token } = await installation(t);
  const created = await call(origin, path, { token: token.write, body: ADA });
  assert.equal(created.status, 201, created.text);
  const { createdAt, ...rest } = created.json;
  assert.deepEqual(rest, { collection: "people", id: "42", subject: "42", version: 1, outcome: "created", wraps: { stored: 3, target: 3, missing: [] } });
  assert.equal(new Date(createdAt).toISOString(), createdAt);
  assert.equal(created.headers.etag, '"1"');

  const replaced = await call(origin, path, { token: token.write, body: { name: "Ada King" }, headers: { "strongroom-subject": encodeURIComponent("søren") } });
  assert.equal(replaced.status, 200);
  assert.equal(replaced.json.outcome, "replaced");
  assert.equal(replaced.json.subject, "søren");

  const got = await call(origin, path, { token: token.read });
  assert.equal(got.status, 200);
  assert.deepEqual(got.json, { name: "Ada King" });
  assert.equal(got.headers.etag, '"2"');
  assert.equal(got.headers["strongroom-version"], "2");
  assert.equal(decodeURIComponent(String(got.headers["strongroom-subject"])), "søren");
  assert.equal(got.headers["cache-control"], "no-store");
  assert.equal(got.headers["x-content-type-options"], "nosniff");
  assert.ok(!Number.isNaN(Date.parse(String(got.headers["last-modified"]))));

  const first = await call(origin, `${path}/versions/1`, { token: token.read });
  assert.deepEqual(first.json, { name: "Ada Lovelace", born: 1815, languages: ["en", "fr"] });
  const versions = await call(origin, `${path}/versions`, { token: token.read });
  assert.deepEqual(versions.json.versions.map((one: { version: number; subject: string }) => [one.version, one.subject]), [[2, "søren"], [1, "42"]]);

  const list = await call(origin, "/v1/records/people", { token: token.read });
  assert.deepEqual(list.json.items.map(({ id, version }: { id: string; version: number }) => ({ id, version })), [{ id: "42", version: 2 }]);
  assert.equal(list.json.next, null);
  assert.deepEqual((await call(origin, "/v1/collections", { token: token.read })).json, { collections: [{ collection: "people", records: 1 }] });

  const removed = await call(origin, path, { method: "DELETE", token: token.write });
  assert.equal(removed.status, 200);
  assert.equal(removed.json.lastVersion, 2);
  assert.equal((await call(origin, path, { token: token.read })).json.code, "record-absent");
  assert.equal((await call(origin, path, { token: token.admin, body: ADA })).json.version, 3);
});

test("regions are reported as they are", async (t) => {
  const { origin, token } = await installation(t);
  const { json } = await call(origin, "/v1/regions", { token: token.read });
  assert.deepEqual(json.regions.map(({ region, state }: { region: string; state: string }) => [region, state]), REGIONS.map((region) => [region, "up"]));
});
