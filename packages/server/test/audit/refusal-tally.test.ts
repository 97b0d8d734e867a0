/**
 * Refusals that never came to the vault: counted, told in few entries, lost in none.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Vault } from "@strongroom/vault";
import { RefusalTally } from "../../src/audit/refusal-tally.ts";
import { audited } from "../support/audited-vault.ts";
import type { AuditedVault } from "../support/audited-vault.ts";
import { call } from "../support/http.ts";
import { installation } from "../support/installation.ts";

const LOG = { warn: () => undefined } as never;

interface ToldRefusal {
  readonly principal: string;
  readonly action: unknown;
  readonly result: unknown;
  readonly count: unknown;
}

function refusals({ told }: AuditedVault): readonly ToldRefusal[] {
  return told
    .filter(({ call: made, given }) => made === "tell" && given[0] !== "principal")
    .map(({ actor: { principal }, given: [action, result, facts] }) => ({
      principal,
      action,
      result,
      count: (facts as { readonly details: { readonly count: number } }).details.count,
    }));
}

const request = (code: string, tokenId: string | null = null, route: string | null = null) => ({
  code,
  tokenId,
  method: "GET",
  route,
});

test("a flood becomes one entry of each kind, and a token that is known is named", async () => {
  const audit = audited({} as Vault);
  const tally = new RefusalTally(audit.vault, LOG);
  for (let time = 0; time < 10_000; time++) {
    tally.note(request("token-missing"));
    tally.note(request("token-invalid"));
    tally.note(request("overloaded", "t1"));
    tally.note(request("request-malformed"));
    tally.note(request("scope-missing", "t1", "/v1/records/:collection/:id"));
    tally.note(request("scope-missing", "t2", "/v1/audit"));
    tally.note(request("record-absent", "t1"));
    tally.note(request("audit-unavailable", "t1"));
  }
  await tally.flush();
  assert.deepEqual(refusals(audit), [
    { principal: "anonymous", action: "unauthenticated", result: "token-missing", count: 10_000 },
    { principal: "anonymous", action: "unauthenticated", result: "token-invalid", count: 10_000 },
    { principal: "anonymous", action: "unauthenticated", result: "overloaded", count: 10_000 },
    { principal: "anonymous", action: "unauthenticated", result: "request-malformed", count: 10_000 },
    { principal: "token:t1", action: "read", result: "scope-missing", count: 10_000 },
    { principal: "token:t2", action: "audit-read", result: "scope-missing", count: 10_000 },
  ]);
  await tally.flush();
  assert.equal(refusals(audit).length, 6, "nothing is told twice");
});

test("tokens without number make no entries without number", async () => {
  const audit = audited({} as Vault);
  const tally = new RefusalTally(audit.vault, LOG);
  for (let id = 0; id < 5000; id++) tally.note(request("scope-missing", `t${id}`, "/v1/audit"));
  await tally.flush();
  const found = refusals(audit);
  assert.equal(found.length, 1001);
  assert.deepEqual(found.at(-1), {
    principal: "anonymous",
    action: "unauthenticated",
    result: "scope-missing",
    count: 4000,
  });
});

test("what the audit does not take is told later, with what came meanwhile", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const audit = audited({} as Vault);
  const tally = new RefusalTally(audit.vault, LOG, 1000);
  audit.fails = true;
  for (let time = 0; time < 3; time++) tally.note(request("token-missing"));
  t.mock.timers.tick(1000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(refusals(audit), []);
  tally.note(request("token-missing"));
  audit.fails = false;
  t.mock.timers.tick(1000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(refusals(audit), [
    { principal: "anonymous", action: "unauthenticated", result: "token-missing", count: 4 },
  ]);
});

test("the service tells what is left when it ends", async (t) => {
  let audit: AuditedVault | null = null;
  const { origin, token, tokens, app } = await installation(t, {
    front: (vault) => {
      audit = audited(vault);
      return audit.vault;
    },
  });
  for (let time = 0; time < 5; time++) await call(origin, "/v1/records/people/ada");
  await call(origin, "/v1/nothing", { token: "srt_wrong" });
  await call(origin, "/v1/records/people/ada", { token: token.write });
  const { id } = (await tokens.list()).find(({ name }) => name === "test write")!;
  assert.deepEqual(refusals(audit!), []);
  await app.close();
  assert.deepEqual(refusals(audit!), [
    { principal: "anonymous", action: "unauthenticated", result: "token-missing", count: 5 },
    { principal: "anonymous", action: "unauthenticated", result: "token-invalid", count: 1 },
    { principal: `token:${id}`, action: "read", result: "scope-missing", count: 1 },
  ]);
});
