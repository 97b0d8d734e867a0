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
  assert.deepEqual(rest, {
    collection: "people",
    id: "42",
    subject: "42",
    version: 1,
    outcome: "created",
    wraps: { stored: 3, target: 3, missing: [] },
  });
  assert.equal(new Date(createdAt).toISOString(), createdAt);
  assert.equal(created.headers.etag, '"1"');

  const replaced = await call(origin, path, {
    token: token.write,
    body: { name: "Ada King" },
    headers: { "strongroom-subject": encodeURIComponent("søren") },
  });
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
  assert.equal(got.headers["strongroom-created-at"], replaced.json.createdAt);
  assert.equal(got.headers["last-modified"], new Date(String(replaced.json.createdAt)).toUTCString());

  const first = await call(origin, `${path}/versions/1`, { token: token.read });
  assert.deepEqual(first.json, { name: "Ada Lovelace", born: 1815, languages: ["en", "fr"] });
  const versions = await call(origin, `${path}/versions`, { token: token.read });
  assert.deepEqual(
    (versions.json.versions as { version: number; subject: string }[]).map((info) => [info.version, info.subject]),
    [
      [2, "søren"],
      [1, "42"],
    ],
  );

  const list = await call(origin, "/v1/records/people", { token: token.read });
  assert.deepEqual(
    (list.json.items as { id: string; version: number }[]).map(({ id, version }) => ({ id, version })),
    [{ id: "42", version: 2 }],
  );
  assert.equal(list.json.next, null);
  assert.deepEqual((await call(origin, "/v1/collections", { token: token.read })).json, {
    collections: [{ collection: "people", records: 1 }],
  });

  const removed = await call(origin, path, { method: "DELETE", token: token.write });
  assert.equal(removed.status, 200);
  assert.equal(removed.json.lastVersion, 2);
  assert.equal((await call(origin, path, { token: token.read })).json.code, "record-absent");
  assert.equal((await call(origin, path, { token: token.admin, body: ADA })).json.version, 3);
});

test("regions are reported as they are", async (t) => {
  const { origin, token } = await installation(t);
  const { json } = await call(origin, "/v1/regions", { token: token.read });
  assert.deepEqual(
    (json.regions as { region: string; state: string }[]).map(({ region, state }) => [region, state]),
    REGIONS.map((region) => [region, "up"]),
  );
});

test("a reader who has the version is told so without the document", async (t) => {
  const { origin, token } = await installation(t);
  await call(origin, path, { token: token.write, body: ADA });
  for (const tag of ['"1"', 'W/"1"', '"7", "1"', "*"]) {
    const answer = await call(origin, path, { token: token.read, headers: { "if-none-match": tag } });
    assert.deepEqual([answer.status, answer.text, answer.headers.etag], [304, "", '"1"'], tag);
  }
  assert.equal((await call(origin, path, { token: token.read, headers: { "if-none-match": '"2"' } })).status, 200);
  const head = await call(origin, path, { method: "HEAD", token: token.read });
  assert.deepEqual([head.status, head.text, head.headers.etag], [200, "", '"1"']);
});

test("of writers on one version exactly one is answered 200, the others 412 with the version there is", async (t) => {
  const { origin, token } = await installation(t);
  await call(origin, path, { token: token.write, body: { n: 0 } });
  for (let version = 1; version <= 3; version++) {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        call(origin, path, { token: token.write, body: { n }, headers: { "if-match": `"${version}"` } }),
      ),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 7 }, () => 412)]);
    for (const { json } of answers.filter(({ status }) => status === 412))
      assert.equal(json.currentVersion, version + 1);
  }
  const created = await Promise.all(
    Array.from({ length: 4 }, () =>
      call(origin, "/v1/records/people/new", { token: token.write, body: {}, headers: { "if-none-match": "*" } }),
    ),
  );
  assert.deepEqual(created.map(({ status }) => status).sort(), [201, 412, 412, 412]);
  assert.equal(
    (await call(origin, path, { token: token.write, body: {}, headers: { "if-match": "*" } })).json.version,
    5,
  );
  assert.equal(
    (await call(origin, path, { method: "DELETE", token: token.write, headers: { "if-match": '"5"' } })).status,
    200,
  );
});

test("a batch sent twice is stored once; each record has its own outcome", async (t) => {
  const { origin, token } = await installation(t);
  const body = {
    records: [
      { id: "a", document: { n: 1 } },
      { id: "b/c", document: {} },
      { id: "d", document: { n: 1 }, subject: "s" },
    ],
  };
  const outcomes = async (more: object): Promise<readonly string[]> => {
    const { json } = await call(origin, "/v1/records/people", {
      method: "POST",
      token: token.admin,
      body: { ...body, ...more },
    });
    return (json.results as { outcome: string; code?: string }[]).map(({ outcome, code }) => code ?? outcome);
  };
  assert.deepEqual(await outcomes({}), ["created", "id-invalid", "created"]);
  assert.deepEqual(await outcomes({}), ["unchanged", "id-invalid", "unchanged"]);
  assert.deepEqual(await outcomes({ onExisting: "keep" }), ["kept", "id-invalid", "kept"]);
  assert.deepEqual(await outcomes({ onExisting: "replace" }), ["replaced", "id-invalid", "replaced"]);
  assert.equal((await call(origin, "/v1/records/people/d", { token: token.read })).headers["strongroom-subject"], "s");
});

test("a list is read page by page to its end", async (t) => {
  const { origin, token } = await installation(t);
  const records = Array.from({ length: 25 }, (_, n) => ({ id: `id ${String(n).padStart(2, "0")} é`, document: { n } }));
  await call(origin, "/v1/records/people", { method: "POST", token: token.admin, body: { records } });
  const seen: string[] = [];
  let query = "?limit=10";
  for (;;) {
    const { json } = await call(origin, `/v1/records/people${query}`, { token: token.read });
    seen.push(...(json.items as { id: string }[]).map(({ id }) => id));
    if (json.next === null) break;
    query = `?limit=10&cursor=${encodeURIComponent(String(json.next))}`;
  }
  assert.deepEqual(
    seen,
    records.map(({ id }) => id),
  );
});
