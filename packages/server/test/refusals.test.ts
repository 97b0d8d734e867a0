/**
 * Every way in which a request can be wrong (support/refusals.ts): the answer has the status and code of the table and says
 * what to do.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SERVER_ERRORS } from "@strongroom/server";
import { VAULT_ERRORS } from "@strongroom/vault";
import { call } from "./support/http.ts";
import { installation } from "./support/installation.ts";
import { id, put, RECORD, REFUSALS } from "./support/refusals.ts";

const ERRORS = { ...VAULT_ERRORS, ...SERVER_ERRORS };

test("every wrong request is answered with its status, its code and what to do", async (t) => {
  const { origin, token, vault, app } = await installation(t);
  await vault.put({ collection: "people", id: "there" }, {});
  await vault.put({ collection: "people", id: "also" }, {});
  for (const { name, path = RECORD, options = {}, as = "admin", code, detail } of REFUSALS) {
    await t.test(`${name}: ${code}`, async () => {
      const answer = await call(origin, path, { ...(as === "none" ? {} : { token: token[as] }), ...options });
      assert.equal(answer.json?.code, code, `${answer.status} ${answer.text.slice(0, 300)}`);
      const row = ERRORS[code as keyof typeof ERRORS];
      const { requestId, problems, currentVersion, ...problem } = answer.json;
      assert.equal(answer.status, row.status);
      assert.deepEqual(problem, {
        type: `urn:strongroom:error:${code}`,
        title: row.title,
        status: answer.status,
        code,
        detail: problem.detail,
        remedy: row.remedy,
      });
      assert.match(problem.detail, detail);
      assert.match(answer.headers["content-type"] ?? "", /^application\/problem\+json/);
      assert.match(requestId, /^[0-9a-f-]{36}$/);
      assert.equal(problems !== undefined, code === "request-invalid");
      assert.equal(currentVersion !== undefined, code === "version-conflict");
      assert.equal(answer.headers["cache-control"], "no-store");
      if (answer.status === 401) assert.match(answer.headers["www-authenticate"] ?? "", /^Bearer/);
      if (answer.status === 403) assert.match(answer.headers["www-authenticate"] ?? "", /insufficient_scope/);
      if (answer.status === 405) assert.match(answer.headers.allow ?? "", /GET/);
      assert.doesNotMatch(answer.text, /arn:|strongroom:id|\bat .*\.ts/, "no ARN, no context, no stack");
    });
  }
  assert.deepEqual(
    (await vault.list("people")).items.map(({ id: recordId, version }) => [recordId, version]),
    [
      ["also", 1],
      ["there", 1],
    ],
    "nothing was stored",
  );
  await app.close();
});

test("what may look wrong and is right is taken", async (t) => {
  const { origin, token } = await installation(t);
  for (const name of [
    "🔐",
    "日本",
    "a b",
    "søren",
    "...",
    "a%2Fb".replace("%", "%25"),
    encodeURIComponent("a:b@c?d#e"),
    "versions",
    "__proto__",
    "constructor",
    "x".repeat(256),
    encodeURIComponent("🔐".repeat(64)),
  ]) {
    const path = id(name.includes("%") ? name : encodeURIComponent(name));
    const written = await call(origin, path, { ...put({ name }), token: token.write });
    assert.equal(written.status, 201, `${name}: ${written.text}`);
    assert.deepEqual((await call(origin, path, { token: token.read })).json, { name });
  }
  const text = '{"__proto__":{"a":1},"constructor":2}';
  assert.equal(
    (
      await call(origin, id("p"), {
        ...put(text, { "content-type": "application/json; charset=utf-8" }),
        token: token.write,
      })
    ).status,
    201,
  );
  assert.equal((await call(origin, id("p"), { token: token.read })).text, text);
  const batch = await call(origin, "/v1/records/batch", {
    method: "POST",
    body: `{"records":[{"id":"p","document":${text}}]}`,
    token: token.admin,
  });
  assert.deepEqual(
    (batch.json.results as { outcome: string }[]).map(({ outcome }) => outcome),
    ["created"],
  );
  assert.equal((await call(origin, "/v1/records/batch/p", { token: token.read })).text, text);
  const large = `{"a":"${"x".repeat(2 ** 20 - 8)}"}`;
  assert.equal((await call(origin, id("large"), { ...put(large), token: token.write })).status, 201);
});

test("a service for certain collections knows no others", async (t) => {
  const { origin, token } = await installation(t, { collections: ["people"] });
  assert.equal((await call(origin, RECORD, { ...put({}), token: token.write })).status, 201);
  for (const [path, options] of [
    ["/v1/records/pets/1", {}],
    ["/v1/records/pets/1", put({})],
    ["/v1/records/pets", {}],
    ["/v1/records/pets", { method: "POST", body: { records: [] } }],
    ["/v1/records/pets/1/versions/1", {}],
  ] as const) {
    const answer = await call(origin, path, { ...options, token: token.admin });
    assert.deepEqual([answer.status, answer.json.code], [404, "collection-unknown"]);
  }
  assert.equal((await call(origin, "/v1/records/pets/1", {})).status, 401);
});
