/**
 * What owes wraps names records and people: whoever asks for it is in the audit.
 */
import assert from "node:assert/strict";
import test from "node:test";
import type { ActFacts } from "../../src/audit/auditor.ts";
import type { Asked } from "../../src/records/asked.ts";
import { tellDebts } from "../../src/convergence/debts.ts";
import type { OwedKey, OwedVersion } from "../../src/convergence/debts.ts";
import { newPeople } from "../../src/store-contract/people.ts";
import { auditedVault } from "../support/audited-vault.ts";

test("a page of debts is an entry of whoever asks", async (t) => {
  const { vault, entries } = await auditedVault(t);
  await vault.as({ principal: "token:clerk" }).debts();
  const [told, ...more] = await entries();
  assert.deepEqual(
    [told?.action, told?.principal, told?.details, more],
    ["list", "token:clerk", { list: "debts" }, []],
  );
});

test("all records and people of a page are told, in as many entries as it takes", async () => {
  const owed = { regions: [], since: "2026-01-01T00:00:00.000Z", attempts: 0, lastProblem: null };
  const people = newPeople(3);
  const keys = people.map((owner) => ({ kind: "key", key: { owner, kind: "subject", version: "v" }, ...owed }));
  const versions = Array.from({ length: 700 }, (_, index) => ({
    ...{ kind: "version", collection: index % 2 === 0 ? "people" : "sealed", id: `r${index}`, version: 1 },
    ...owed,
  }));
  const told: ActFacts[] = [];
  const asked = { isAudited: true, tell: async (...[, , facts]: Parameters<Asked["tell"]>) => void told.push(facts) };
  const rowAddresses = { isSealed: (collection: string) => collection === "sealed" };
  const items = [...keys, ...versions] as unknown as readonly (OwedKey | OwedVersion)[];
  await tellDebts({ rowAddresses } as never, { items }, asked as unknown as Asked);
  assert.equal(told.length, 2);
  assert.deepEqual(told[0]?.people, people);
  const concerned = told.flatMap(({ concerned: some = [] }) => some);
  assert.equal(concerned.length, 700);
  assert.deepEqual([concerned[0]?.id, concerned[1]?.id, concerned[1]?.row.id], ["r0", null, "r1"]);
});
