import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { call } from "./support/http.ts";
import { installation } from "./support/installation.ts";
import { logLines, requestLines } from "./support/log-lines.ts";

const DOCUMENT = {
  name: "Augusta Lovelace",
  email: "ada@lovelace.example",
  phone: "+44 20 7946 0000",
  nested: { street: "St James Square 12" },
};

test("a request leaves one line: who, which route, how it ended, how long it took", async (t) => {
  const { origin, token, tokens, log, app } = await installation(t);
  const answer = await call(origin, "/v1/records/people/C000127", { token: token.write, body: DOCUMENT });
  await call(origin, "/v1/records/people/absent", { token: token.read });
  await call(origin, "/v1/records/people/C000127?x=%zz", {});
  await call(origin, "/healthz");
  await app.close();
  const [writer, reader] = await tokens
    .list()
    .then((list) => [list.find(({ name }) => name === "test write"), list.find(({ name }) => name === "test read")]);
  const lines = requestLines(log());
  assert.deepEqual(
    lines.map(({ method, route, status, tokenId, code }) => ({ method, route, status, tokenId, code })),
    [
      { method: "PUT", route: "/v1/records/:collection/:id", status: 201, tokenId: writer!.id, code: undefined },
      { method: "GET", route: "/v1/records/:collection/:id", status: 404, tokenId: reader!.id, code: "record-absent" },
      { method: "GET", route: "/v1/records/:collection/:id", status: 401, tokenId: null, code: "token-missing" },
      { method: "GET", route: "/healthz", status: 200, tokenId: null, code: undefined },
    ],
  );
  assert.equal(lines[0]!.requestId, answer.headers["request-id"]);
  assert.ok(lines.every(({ durationMs }) => typeof durationMs === "number" && durationMs >= 0));
});

test("no line holds a byte of a document, an id, a subject, a token or a query, however a request goes wrong", async (t) => {
  const { origin, token, tokens, log, app, kms, vault, database } = await installation(t, {
    vaultLimits: { documentBytes: 300 },
  });
  const secretId = "id-that-is-personal";
  const path = `/v1/records/people/${secretId}`;
  const json = JSON.stringify(DOCUMENT);
  await call(origin, path, {
    token: token.write,
    body: DOCUMENT,
    headers: { "strongroom-subject": "subject-that-is-personal" },
  });
  await call(origin, path, { token: token.read });
  await call(origin, "/v1/records/people", {
    method: "POST",
    token: token.admin,
    body: {
      records: [
        { id: secretId, document: DOCUMENT },
        { id: "a/b", document: DOCUMENT },
      ],
    },
  });
  const wrong: readonly Parameters<typeof call>[2][] = [
    { body: json.slice(0, -5) },
    { body: `${json}${json}` },
    { body: `[${json}]` },
    { body: { ...DOCUMENT, more: "Lovelace".repeat(100) } },
    { body: `{"Lovelace":1e999}` },
    { body: json, headers: { "content-type": "text/Lovelace" } },
    { body: json, headers: { "if-match": "Lovelace" } },
    { body: json, headers: { "strongroom-subject": "Lovelace%2F" } },
    { method: "DELETE", headers: { "if-match": '"9"' } },
    { method: "POST", body: json },
  ];
  for (const options of wrong) assert.ok((await call(origin, path, { token: token.admin, ...options })).status >= 400);
  await call(origin, "/v1/records/people?cursor=Lovelace&Lovelace=1", { token: token.read });
  await call(origin, "/v1/records/people", {
    method: "POST",
    token: token.write,
    body: { records: [{ id: 1, document: DOCUMENT, Lovelace: 1 }], onExisting: "Lovelace" },
  });
  await call(origin, "/v1/records/people/%ffLovelace", { token: token.read });
  await call(origin, path, { token: `srt_${"Lovelace".repeat(5)}abc` });
  await kms.stopRegion("eu-west-1");
  await kms.stopRegion("eu-west-2");
  assert.equal((await call(origin, path, { token: token.write, body: DOCUMENT })).status, 503);
  using sql = new DatabaseSync(database);
  sql.exec("update versions set subject = 'Lovelace'");
  assert.equal((await call(origin, path, { token: token.read })).json.code, "record-moved-subject");
  await vault.close();
  assert.equal((await call(origin, path, { token: token.read })).json.code, "store-closed");
  await app.close();

  const text = log();
  assert.ok(requestLines(text).length >= wrong.length + 8);
  const hidden = [
    ...Object.values(DOCUMENT).filter((value) => typeof value === "string"),
    "Lovelace",
    "St James",
    "personal",
    "cursor",
    "arn:",
    ...Object.values(token),
  ];
  for (const word of hidden) assert.equal(text.includes(word), false, word);
  assert.equal((await tokens.list()).length, Object.keys(token).length);
});

test("an error that nobody expected is logged by class and place, and answered without either", async (t) => {
  const { origin, token, app, log, vault } = await installation(t);
  t.mock.method(vault, "collections", async () => {
    throw new TypeError("could not read Ada Lovelace", { cause: new RangeError("Lovelace again") });
  });
  const answer = await call(origin, "/v1/collections", { token: token.read });
  assert.deepEqual([answer.status, answer.json.code], [500, "internal"]);
  assert.doesNotMatch(answer.text, /TypeError|Lovelace|logs\.test/);
  await app.close();
  const fault = logLines(log()).find(({ msg }) => msg === "unexpected error");
  assert.ok(fault?.fault !== undefined);
  assert.equal(fault.requestId, answer.json.requestId);
  assert.deepEqual(
    fault.fault.map(({ name }) => name),
    ["TypeError", "RangeError"],
  );
  assert.match(fault.fault[0]?.frames[0] ?? "", /logs\.test/);
  assert.doesNotMatch(log(), /Lovelace/);
});
