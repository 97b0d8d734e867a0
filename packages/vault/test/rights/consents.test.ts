/**
 * A purpose that needs a consent: without one nothing is read or written for it, and one that is withdrawn is over in
 * every process, also while a read is under way, and whoever has the database cannot bring it back.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Vault } from "@strongroom/vault";
import { rejectsWith } from "../support/errors.ts";
import { inWords } from "../support/audited-vault.ts";
import { overlaid } from "../support/store-with.ts";
import { ADA, BOB, peopledVault } from "./support.ts";

const NEWS = { collection: "news", id: "1" };
const marketing = (vault: Vault) => vault.as({ principal: "campaign", purpose: "marketing" });
const support = (vault: Vault) => vault.as({ principal: "clerk", purpose: "support" });

async function newsVault(...given: Parameters<typeof peopledVault>) {
  const opened = await peopledVault(...given);
  await support(opened.vault).put(NEWS, { likes: "hats" }, { subject: ADA });
  return opened;
}

describe("a purpose that needs a consent", () => {
  test("is refused without one, and again when it is withdrawn, in every process", async (t) => {
    const { vault, another, entries } = await newsVault(t);
    const other = await another();
    for (const each of [vault, other]) {
      await rejectsWith("consent-missing", () => marketing(each).get(NEWS));
      await rejectsWith("consent-missing", () => marketing(each).put(NEWS, { likes: "cars" }));
      await rejectsWith("consent-missing", () => marketing(each).prepare(NEWS, { likes: "cars" }));
      const items = [{ id: "1", document: { likes: "cars" } }];
      const [result] = await marketing(each).putMany("news", items, { onExisting: "replace" });
      assert.equal(result?.outcome === "refused" && result.code, "consent-missing");
      assert.equal((await support(each).get(NEWS)).document["likes"], "hats");
    }
    const given = await vault.rights!.consent(ADA, "marketing", { evidence: "form 7" });
    assert.deepEqual([given.state, given.version, given.evidence], ["given", 1, "form 7"]);
    for (const each of [vault, other]) assert.equal((await marketing(each).get(NEWS)).document["likes"], "hats");
    await marketing(vault).put(NEWS, { likes: "cars" });
    await other.rights!.withdraw(ADA, "marketing");
    for (const each of [vault, other]) await rejectsWith("consent-missing", () => marketing(each).get(NEWS));
    assert.deepEqual(
      (await vault.rights!.consents(ADA)).map(({ purpose, state, version }) => [purpose, state, version]),
      [["marketing", "withdrawn", 2]],
    );
    assert.deepEqual(inWords(await entries("consent")), [
      "consent begun local",
      "consent done local",
      "consent begun local",
      "consent done local",
    ]);
  });

  test("needs that of everybody whom the record is about", async (t) => {
    const { vault } = await newsVault(t);
    await support(vault).put(NEWS, { likes: "hats" }, { about: [BOB] });
    await vault.rights!.consent(ADA, "marketing");
    await rejectsWith("consent-missing", () => marketing(vault).get(NEWS));
    await vault.rights!.consent(BOB, "marketing");
    await marketing(vault).get(NEWS);
  });

  test("is over for a read that is under way when it is withdrawn", async (t) => {
    let between: (() => Promise<unknown>) | null = null;
    const { vault, another } = await newsVault(t, {
      alter: (own) =>
        overlaid(own, {
          outbox: overlaid(own.outbox, {
            append: async (entries, active) => {
              const result = await own.outbox.append(entries, active);
              const run = between;
              between = null;
              await run?.();
              return result;
            },
          }),
        }),
    });
    const other = await another();
    await vault.rights!.consent(ADA, "marketing");
    await marketing(vault).get(NEWS);
    between = () => other.rights!.withdraw(ADA, "marketing");
    await rejectsWith("consent-missing", () => marketing(vault).get(NEWS));
  });

  test("is not brought back by a hand in the database, nor by a caller", async (t) => {
    const { vault, rowOf, putBack, store } = await newsVault(t);
    await vault.rights!.consent(ADA, "marketing");
    const [item] = (await vault.list("strongroom-consents")).items;
    const place = { collection: "strongroom-consents", id: item!.id };
    const given = rowOf(place);
    await vault.rights!.withdraw(ADA, "marketing");
    const withdrawn = rowOf(place);
    putBack(place, given);
    await rejectsWith("record-rolled-back", () => marketing(vault).get(NEWS));
    putBack(place, null);
    await rejectsWith("record-tampered", () => marketing(vault).get(NEWS));
    putBack(place, withdrawn);
    await rejectsWith("consent-missing", () => marketing(vault).get(NEWS));
    // One person's consent under another's address.
    await vault.rights!.consent(BOB, "marketing");
    const bobs = (await vault.list("strongroom-consents")).items.find(({ id }) => id !== item!.id)!;
    putBack(place, rowOf({ ...place, id: bobs.id }));
    await assert.rejects(() => marketing(vault).get(NEWS));
    putBack(place, withdrawn);
    const document = { purpose: "marketing", state: "given", at: new Date().toISOString() };
    await rejectsWith("collection-reserved", () => vault.put(place, document));
    await rejectsWith("collection-reserved", () => vault.prepare(place, document));
    await rejectsWith("collection-reserved", () => vault.remove(place));
    await rejectsWith("collection-reserved", () =>
      vault.putMany(place.collection, [{ id: place.id, document }], { onExisting: "replace" }),
    );
    assert.ok((await store.subjects.newest(10)).length > 0);
    assert.ok(!place.id.includes("ada"), "no name in an id");
  });

  test("is known by a code, and of somebody new too", async (t) => {
    const { vault } = await newsVault(t);
    for (const purpose of ["", "Marketing", "x".repeat(65)])
      await rejectsWith("vault-option-invalid", () => vault.rights!.consent(ADA, purpose));
    await rejectsWith("vault-option-invalid", () => vault.rights!.consent(ADA, "marketing", { evidence: "a\nb" }));
    await vault.rights!.consent("eve@example.com", "marketing");
    await marketing(vault).put({ collection: "news", id: "2" }, {}, { subject: "eve@example.com" });
  });
});
