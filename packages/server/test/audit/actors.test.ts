/**
 * Who asks, and why: what the audit is told of a request.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { audited } from "../support/audited-vault.ts";
import type { AuditedVault } from "../support/audited-vault.ts";
import { call } from "../support/http.ts";
import { installation } from "../support/installation.ts";
import type { Installation } from "../support/installation.ts";

const RECORD = "/v1/records/people/ada";
const EXPORT = "0b9c7a34-1de5-4bb4-a70b-5d3a6a0a1f0e";

async function withAudit(t: TestContext): Promise<{ readonly service: Installation; readonly audit: AuditedVault }> {
  let audit: AuditedVault | null = null;
  const service = await installation(t, {
    front: (vault) => {
      audit = audited(vault);
      return audit.vault;
    },
  });
  return { service, audit: audit! };
}

test("a request acts as its token's id, for what its headers say", async (t) => {
  const { service, audit } = await withAudit(t);
  const { origin, token, tokens } = service;
  const written = await call(origin, RECORD, { body: { name: "Ada" }, token: token.write });
  assert.equal(written.status, 201);
  const headers = { "strongroom-purpose": "support", "strongroom-ticket": "HELP-4711", "strongroom-export": EXPORT };
  for (const path of [RECORD, `${RECORD}/versions`, `${RECORD}/versions/1`, "/v1/records/people", "/v1/regions/debt"])
    assert.equal((await call(origin, path, { token: token.read, headers })).status, 200, path);
  const ids = new Map((await tokens.list()).map(({ id, name }) => [name, id]));
  const reader = {
    principal: `token:${ids.get("test read")}`,
    purpose: "support",
    ticket: "HELP-4711",
    export: EXPORT,
  };
  assert.deepEqual(
    audit.told.filter(({ call: made }) => made !== "tell").map(({ actor, call: made }) => [made, actor]),
    [
      ["put", { principal: `token:${ids.get("test write")}` }],
      ["get", reader],
      ["history", reader],
      ["get", reader],
      ["list", reader],
      ["debts", reader],
    ],
  );
  assert.doesNotMatch(
    JSON.stringify(audit.told.map(({ actor }) => actor)),
    /test (read|write)/,
    "a token's name is in no entry but its own",
  );
});

test("a token's name is told once, before the first thing that it does", async (t) => {
  const { service, audit } = await withAudit(t);
  const { origin, token, tokens } = service;
  await Promise.all(Array.from({ length: 5 }, () => call(origin, RECORD, { token: token.read })));
  const { id } = (await tokens.list()).find(({ name }) => name === "test read")!;
  assert.deepEqual(audit.told[0], {
    actor: { principal: `token:${id}` },
    call: "tell",
    given: ["principal", "done", { details: { scopes: "read" }, label: "test read" }],
  });
  assert.equal(audit.told.filter(({ call: made }) => made === "tell").length, 1);
});

test("without its entry nothing is answered, and everything as soon as the audit is back", async (t) => {
  const { service, audit } = await withAudit(t);
  const { origin, token } = service;
  assert.equal((await call(origin, RECORD, { body: { name: "Ada" }, token: token.write })).status, 201);
  audit.fails = true;
  for (const scope of ["write", "read", "audit"] as const) {
    const path = scope === "audit" ? "/v1/audit" : RECORD;
    const refused = await call(origin, path, {
      token: token[scope],
      ...(scope === "write" ? { body: { name: "Grace" } } : {}),
    });
    assert.equal(refused.status, 503, scope);
    assert.equal(refused.json.code, "audit-unavailable");
    assert.match(refused.headers["retry-after"] ?? "", /^\d+$/);
    assert.doesNotMatch(refused.text, /Ada/);
  }
  // It names records and people, though it is answered while the service is overloaded.
  assert.equal((await call(origin, "/v1/regions/debt", { token: token.read })).json.code, "audit-unavailable");
  const ready = await call(origin, "/readyz");
  assert.equal(ready.status, 503);
  assert.deepEqual(ready.json.audit, { ok: false, problem: "audit-unavailable", alarms: 0 });
  // What tells how the service is needs no entry.
  assert.equal((await call(origin, "/v1/regions", { token: token.read })).status, 200);
  audit.fails = false;
  assert.deepEqual((await call(origin, RECORD, { token: token.read })).json, { name: "Ada" });
});

test("what headers say has strict forms, and is said once", async (t) => {
  const { service, audit } = await withAudit(t);
  const { origin, token } = service;
  const wrong: readonly (readonly [string, string])[] = [
    ["strongroom-purpose", "Support"],
    ["strongroom-purpose", "because ada lovelace called"],
    ["strongroom-purpose", ""],
    ["strongroom-purpose", "a".repeat(65)],
    ["strongroom-ticket", "ada@example.org"],
    ["strongroom-ticket", "HELP 1"],
    ["strongroom-ticket", "t".repeat(65)],
    ["strongroom-export", "1"],
    ["strongroom-export", EXPORT.toUpperCase()],
    ["strongroom-export", EXPORT.replace("-4bb4", "-1bb4")],
  ];
  for (const [name, value] of wrong) {
    const answer = await call(origin, RECORD, { token: token.read, headers: { [name]: value } });
    assert.equal(answer.status, 400, `${name}: ${value}`);
    assert.equal(answer.json.code, "audit-actor-invalid");
    if (value !== "" && value !== "1") assert.ok(!answer.text.includes(value), "what was sent is not shown");
  }
  const twice = { "Strongroom-Purpose": ["support", "billing"] } as unknown as Record<string, string>;
  assert.equal((await call(origin, RECORD, { token: token.read, headers: twice })).json.code, "request-malformed");
  assert.deepEqual(audit.told, [], "nothing was done");
});

test("a service of a vault without an audit says so, and serves", async (t) => {
  const { origin, token } = await installation(t);
  assert.equal((await call(origin, "/v1/audit", { token: token.audit })).json.code, "audit-missing");
  assert.equal((await call(origin, "/v1/audit/status", { token: token.audit })).json.code, "audit-missing");
  const ready = await call(origin, "/readyz");
  assert.equal(ready.status, 200);
  assert.equal(ready.json.audit, null);
});
