/**
 * A vault with two people in it, as the tests of their rights have it.
 */
import type { TestContext } from "node:test";
import type { PersonExportItem, Vault } from "@strongroom/vault";
import { auditedVault } from "../support/audited-vault.ts";
import type { AuditedVault, AuditedVaultOptions } from "../support/audited-vault.ts";

export const ADA = "ada@example.com";
export const BOB = "bob@example.com";

export const COLLECTIONS = {
  people: {},
  letters: { thirdParties: "include" },
  news: { purposes: ["support", { code: "marketing", consent: true, basis: "GDPR 6(1)(a)" }] },
} as const;

/** Two versions of people/1 about Ada, orders/7 about Ada and Bob, letters/1 about Bob and Ada, people/2 about Bob. */
export async function peopledVault(t: TestContext, options: AuditedVaultOptions = {}): Promise<AuditedVault> {
  const opened = await auditedVault(t, { collections: COLLECTIONS, ...options });
  const { vault } = opened;
  await vault.put({ collection: "people", id: "1" }, { name: "Ada", n: 1 }, { subject: ADA });
  await vault.put({ collection: "people", id: "1" }, { name: "Ada", n: 2 });
  await vault.put({ collection: "orders", id: "7" }, { by: "Ada for Bob" }, { subject: ADA, about: [BOB] });
  await vault.put({ collection: "letters", id: "1" }, { text: "Dear Ada" }, { subject: BOB, about: [ADA] });
  await vault.put({ collection: "people", id: "2" }, { name: "Bob" }, { subject: BOB });
  return opened;
}

export async function exported(
  vault: Pick<Vault, "rights">,
  name = ADA,
  options: { readonly versions?: "newest" | "all" } = {},
): Promise<readonly PersonExportItem[]> {
  const items: PersonExportItem[] = [];
  for await (const item of vault.rights!.export(name, { recipient: "Ada herself", ...options })) items.push(item);
  return items;
}

/** Items in words. */
export const inShort = (items: readonly PersonExportItem[]): readonly string[] =>
  items
    .map((item) => {
      if (item.kind === "end") return `end ${item.records} ${item.withheld}`;
      const place = `${item.collection}/${item.id}@${item.version}`;
      return item.kind === "record" ? `${place} ${JSON.stringify(item.document)}` : `${place} ${item.reason}`;
    })
    .sort();
