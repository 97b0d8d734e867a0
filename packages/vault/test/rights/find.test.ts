/**
 * What is found by its fields is given out as what is read by its id is: to whom everybody in it has consented, and of
 * whom nobody is restricted, but for the purposes that are excepted; also when that changes while it is looked for.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import type { Vault } from "@strongroom/vault";
import { email } from "@strongroom/vault/normalisers";
import { overlaid } from "../support/store-with.ts";
import { auditedVault } from "../support/audited-vault.ts";
import type { AuditedVaultOptions } from "../support/audited-vault.ts";
import { ADA, BOB } from "./support.ts";

const collections = {
  news: {
    purposes: ["support", "legal-claims", { code: "marketing", consent: true }],
    fields: { city: { find: email(), leaks: "accepted" } },
  },
} as const;
const CITY = "all@city.example";
const as = (vault: Vault, purpose: string) => vault.as({ principal: "clerk", purpose });

/** Records 1 about Ada, 2 about Bob, 3 about both, all of one city. */
async function newsVault(t: TestContext, options: AuditedVaultOptions = {}) {
  const opened = await auditedVault(t, { collections, ...options });
  const write = as(opened.vault, "support");
  await write.put({ collection: "news", id: "1" }, { city: CITY }, { subject: ADA });
  await write.put({ collection: "news", id: "2" }, { city: CITY }, { subject: BOB });
  await write.put({ collection: "news", id: "3" }, { city: CITY }, { subject: BOB, about: [ADA] });
  return opened;
}

/** Ids of what is given, and of what is withheld with its code. */
async function found(vault: Vault, purpose: string): Promise<readonly string[]> {
  const page = await as(vault, purpose).find("news", { city: CITY });
  for (const { document } of page.items) assert.equal(document["city"], CITY);
  return [...page.items.map(({ id }) => id), ...(page.withheld ?? []).map(({ id, code }) => `${id} ${code}`)].sort();
}

const NONE = ["1 consent-missing", "2 consent-missing", "3 consent-missing"];

describe("find", () => {
  test("gives out for a purpose what everybody has consented to", async (t) => {
    const { vault, another, entries } = await newsVault(t);
    const other = await another();
    for (const each of [vault, other]) assert.deepEqual(await found(each, "marketing"), NONE);
    assert.deepEqual(await found(vault, "support"), ["1", "2", "3"]);
    await vault.rights!.consent(ADA, "marketing");
    assert.deepEqual(await found(other, "marketing"), ["1", "2 consent-missing", "3 consent-missing"]);
    await vault.rights!.consent(BOB, "marketing");
    assert.deepEqual(await found(other, "marketing"), ["1", "2", "3"]);
    await other.rights!.withdraw(ADA, "marketing");
    assert.deepEqual(await found(vault, "marketing"), ["1 consent-missing", "2", "3 consent-missing"]);
    assert.ok((await entries("find")).some(({ result }) => result === "consent-missing"));
  });

  test("gives out of who is restricted what an exception allows", async (t) => {
    const { vault } = await newsVault(t);
    await vault.subjects.restrict(ADA, { except: ["legal-claims"] });
    assert.deepEqual(await found(vault, "support"), ["1 subject-restricted", "2", "3 subject-restricted"]);
    assert.deepEqual(await found(vault, "legal-claims"), ["1", "2", "3"]);
    await vault.subjects.restrict(ADA);
    assert.deepEqual(await found(vault, "legal-claims"), ["1 subject-restricted", "2", "3 subject-restricted"]);
  });

  for (const [what, purpose, before, change, code] of [
    [
      "a consent that is withdrawn",
      "marketing",
      async (vault: Vault) => {
        await vault.rights!.consent(ADA, "marketing");
        await vault.rights!.consent(BOB, "marketing");
      },
      (vault: Vault) => vault.rights!.withdraw(ADA, "marketing"),
      "consent-missing",
    ],
    [
      "an exception that is taken back",
      "legal-claims",
      (vault: Vault) => vault.subjects.restrict(ADA, { except: ["legal-claims"] }),
      (vault: Vault) => vault.subjects.restrict(ADA),
      "subject-restricted",
    ],
  ] as const)
    test(`${what} between the look at it and the entry of what is found holds`, async (t) => {
      let between: (() => Promise<unknown>) | null = null;
      const { vault, another } = await newsVault(t, {
        alter: (own) =>
          overlaid(own, {
            outbox: overlaid(own.outbox, {
              append: async (drafts, active) => {
                const result = await own.outbox.append(drafts, active);
                const run = between;
                between = null;
                await run?.();
                return result;
              },
            }),
          }),
      });
      const other = await another();
      await before(vault);
      assert.deepEqual(await found(vault, purpose), ["1", "2", "3"]);
      between = () => change(other);
      assert.deepEqual(await found(vault, purpose), [`1 ${code}`, "2", `3 ${code}`]);
      assert.equal(between, null, "it was changed in between");
    });
});
