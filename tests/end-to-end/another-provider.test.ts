// From one KMS to a second one with roots of its own, and on to a key that lies in no KMS, on real parts: SQLite, the
// audit, records and people in every scope. Each time what was left is shut down for good, and everything reads.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { rawAesKeyring } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { openVault } from "@strongroom/vault";
import type { KeySetInput, Vault } from "@strongroom/vault";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import {
  QUICK_KEYRING,
  QUICK_REPAIR,
  regionalKeys,
  until,
  type RegionalKeys,
} from "../../packages/vault/test/support/regional-vault.ts";
import { temporaryFolder } from "../support/faults/folder.ts";

/** A collection in each scope. */
const COLLECTIONS = {
  letters: { scope: "record" },
  people: { scope: "subject" },
  members: { scope: "tenant" },
} as const;
const NAMES = Object.keys(COLLECTIONS);
const EACH = 6;

function ofKms({ keys }: RegionalKeys): KeySetInput {
  const keyring = multiRegionKeyring({ regions: keys, minimum: 2, ...QUICK_KEYRING });
  return { keyring, keySet: keys.map(({ keyArn }) => keyArn) };
}

function ofRawKey(): KeySetInput {
  const keyName = "escrow-2026";
  const keyring = rawAesKeyring({ keyNamespace: "own-vault-room", keyName, wrappingKey: randomBytes(32) });
  return { keyring, keySet: [keyName] };
}

/** The vault in the folder, which knows these sets and no others. */
async function opened(folder: string, current: KeySetInput, next?: KeySetInput): Promise<Vault> {
  const sets = { ...current, ...(next === undefined ? {} : { next }) };
  return openVault({
    ...{ store: await sqliteStore(join(folder, "records.sqlite")), ...sets },
    keys: { store: await sqliteKeyStore(join(folder, "keys.sqlite")), scope: "subject" },
    collections: COLLECTIONS,
    audit: { log: await sqliteAuditLog(join(folder, "audit.sqlite")) },
    repair: QUICK_REPAIR,
  });
}

async function write(vault: Vault, from: number): Promise<void> {
  for (const collection of NAMES)
    for (let n = from; n < from + EACH; n++)
      await vault.put({ collection, id: `${n}` }, { n, collection }, { subject: `${collection}-${n}@example.com` });
}

async function readAll(vault: Vault, count: number): Promise<void> {
  for (const collection of NAMES)
    for (let n = 0; n < count; n++)
      assert.deepEqual((await vault.get({ collection, id: `${n}` })).document, { n, collection });
}

/** Brings everything to the next set, while it is written to, and ends when nothing is under the first. */
async function moved(vault: Vault, left: KeySetInput, from: number): Promise<void> {
  await vault.convergence.apply({ rate: 10_000 });
  await write(vault, from);
  await until(async () => (await vault.convergence.status()).run?.state === "done");
  for (const key of left.keySet) {
    const { inForce, items, kept, unknown } = await vault.convergence.probe(key);
    assert.deepEqual([inForce, items, kept, unknown], [[], [], false, []], key);
  }
}

test("everything goes to another KMS, and on to a raw key; what was left is shut down, and everything reads", async (t) => {
  const folder = await temporaryFolder(t);
  const [first, second] = [await regionalKeys(t), await regionalKeys(t)];
  const sets = [ofKms(first), ofKms(second), ofRawKey()] as const;
  const [inFirst, inSecond, raw] = sets;

  await using vault = await opened(folder, inFirst, inSecond);
  await write(vault, 0);
  await moved(vault, inFirst, EACH);
  await first.kms.close();
  await readAll(vault, 2 * EACH);
  await vault.close();
  // Another process, which has never heard of the first one.
  await readByAnother(t, folder, { set: inSecond, count: 2 * EACH });

  await using later = await opened(folder, inSecond, raw);
  await moved(later, inSecond, 2 * EACH);
  await second.kms.close();
  await later.close();
  await readByAnother(t, folder, { set: raw, count: 3 * EACH });
});

async function readByAnother(
  t: TestContext,
  folder: string,
  { set, count }: { readonly set: KeySetInput; readonly count: number },
): Promise<void> {
  await using vault = await opened(folder, set);
  await readAll(vault, count);
  const report = await vault.verify();
  assert.equal(report.verdict, "whole", JSON.stringify(report.problems));
  t.diagnostic(`${report.looked.versions} versions, ${report.looked.keys} keys verified under ${set.keySet[0] ?? ""}`);
}
