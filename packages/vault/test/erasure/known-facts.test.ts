/** What a certificate names stays within a note, however much there is to name. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { auditedVault } from "../support/audited-vault.ts";
import { storeWith } from "../support/store-with.ts";
import { knownFacts, namedWithin } from "../../src/erasure/known-facts.ts";
import type { FactParts } from "../../src/erasure/known-facts.ts";
import { MAX_NOTE_BYTES } from "../../src/stores/notes.ts";

test("facts of hundreds of long names have room in a note, and say how many they leave out", async (t) => {
  const { store, keyStore } = await auditedVault(t);
  const names = Array.from({ length: 200 }, (_, n) => `c${n}${"x".repeat(55)}`);
  const records = names.map((collection, n) => ({
    ...{ collection, id: String(n), sealedId: null, position: Buffer.from([n]) },
  }));
  const wraps = names.map((name) => ({
    provider: "aws-kms",
    key: `arn:aws:kms:eu-central-1:111122223333:key/${name}`,
  }));
  const parts = {
    dependencies: {
      store: storeWith(store, {
        subjects: { records: (_, { after }) => Promise.resolve(after === null ? (records as never) : []) },
        indexes: {
          ...store.indexes,
          list: () =>
            Promise.resolve({ indexes: names.map((collection) => ({ collection, name: "n".repeat(60) })) } as never),
        },
      }),
      declarations: { of: () => ({ scope: "subject" }) },
    },
    keyStore: { keys: keyStore.keys, inventory: { sets: () => Promise.resolve([{ id: 1, set: { wraps } }]) } },
    generation: { number: 1, isShared: false },
  } as unknown as FactParts;
  const facts = await knownFacts(parts, "0b7d7f4e-0c55-4d3c-9d8e-55b1b0f7a3c1" as never);
  assert.ok(Buffer.byteLength(JSON.stringify(facts)) < MAX_NOTE_BYTES - 4_000, String(JSON.stringify(facts).length));
  const [last] = facts.remains.find(({ what }) => what === "tags-in-copies")!.of.slice(-1);
  assert.match(last!, /^and \d+ more$/);
  assert.deepEqual(facts.remains.at(-1)!.of, [`${200 - facts.wrappingKeys.length} more`]);
  assert.deepEqual(namedWithin(["b", "a"], 100), { named: ["a", "b"], more: 0 });
});
