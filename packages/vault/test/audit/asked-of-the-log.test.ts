/**
 * Who asks the audit's log is in it, however the question is put; and what comes from outside makes no entry that
 * nobody can read.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RaisedAlarm } from "../../src/audit/alarms.ts";
import { auditedVault } from "../support/audited-vault.ts";
import { rejectsWith, throwsWith } from "../support/errors.ts";

const ADA = { collection: "people", id: "ada" };
const NAME = "ada@example.com";

describe("a question to the log", () => {
  test("with a cursor that was made up is told, as every page is", async (t) => {
    const { vault, entries } = await auditedVault(t);
    const clerk = vault.as({ principal: "token:clerk" });
    await vault.put(ADA, { name: "Ada" }, { subject: NAME });
    await vault.get(ADA);
    await vault.audit!.sequence();
    const cursor = Buffer.from(JSON.stringify(["newest", "999999"])).toString("base64url");
    assert.ok((await clerk.audit!.whoRead(NAME, { cursor })).events.length > 0);
    assert.ok((await clerk.audit!.events({ cursor })).events.length > 0);
    const told = await entries("audit-read");
    assert.deepEqual(
      told.map(({ principal, people }) => [principal, people?.length ?? 0]),
      [
        ["token:clerk", 1],
        ["token:clerk", 0],
      ],
    );
  });

  test("about somebody who is not known is told", async (t) => {
    const { vault, entries } = await auditedVault(t);
    await rejectsWith("subject-invalid", () => vault.audit!.whoRead(""));
    await rejectsWith("tenant-invalid", () => vault.audit!.accessLog("nobody@example.com", { tenant: "Acme" }));
    await rejectsWith("subject-unknown", () => vault.audit!.whoRead("nobody@example.com"));
    await rejectsWith("subject-unknown", () => vault.audit!.accessLog("nobody@example.com"));
    const told = await entries("audit-read");
    assert.deepEqual(
      told.map(({ result }) => result),
      ["subject-unknown", "subject-unknown"],
    );
    assert.equal(JSON.stringify(told).includes("nobody@example.com"), false);
  });

  test("that names what is none is refused, and makes no entry that is taken for an altered one", async (t) => {
    const alarms: RaisedAlarm[] = [];
    const { vault } = await auditedVault(t, { audit: { onAlarm: (alarm) => alarms.push(alarm) } });
    const audit = vault.audit!;
    for (const text of ["\ud800", "x".repeat(70_000), "a\nb", "", '{"v":1}', 7, {}, null])
      for (const name of ["principal", "action", "collection"])
        await rejectsWith("vault-option-invalid", () => audit.events({ [name]: text }));
    const facts = [
      { details: { "1": "x" } },
      { details: { name: "\ud800" } },
      { details: { name: "x".repeat(70_000) } },
      { details: { name: { more: 1 } } },
      { details: Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`n${index}`, 1])) },
      { collection: "No Collection" },
    ];
    for (const one of facts)
      await rejectsWith("vault-option-invalid", () => audit.tell("administration", "done", one as never));
    await rejectsWith("vault-option-invalid", () => audit.tell("invented" as never, "done"));
    await rejectsWith("vault-option-invalid", () => audit.tell("administration", "No Result"));
    await audit
      .tell("administration", "done", { details: JSON.parse('{"__proto__":1,"a":1}') as never })
      .catch(() => undefined);
    await audit.sequence();
    assert.deepEqual(alarms, []);
    assert.deepEqual((await audit.verify()).problems, []);
  });
});

test("no caller goes by the name of what the vault does by itself", async (t) => {
  const { vault } = await auditedVault(t);
  for (const principal of ["strongroom:audit", "strongroom:repair", "strongroom:"])
    throwsWith("audit-actor-invalid", () => vault.as({ principal }));
  await rejectsWith("audit-actor-invalid", () => auditedVault(t, { audit: { principal: "strongroom:audit" } }));
});
