/**
 * A vault of every kind of record and key, for a verification to look at, and a hand in its memory.
 */
import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { rawAesKeyring } from "@strongroom/envelope";
import type { Keyring } from "@strongroom/envelope";
import { multiKeyring } from "@strongroom/envelope/multi-keyring";
import { parseAddress } from "@strongroom/vault";
import type { CollectionOptions, VerifyOptions, VerifyReport } from "@strongroom/vault";
import { keyTablesOf } from "../../src/stores/memory/key-tables.ts";
import type { KeptKey, KeyTables } from "../../src/stores/memory/key-tables.ts";
import { logTablesOf } from "../../src/stores/memory/log-tables.ts";
import type { LogTables } from "../../src/stores/memory/log-tables.ts";
import { tablesOf } from "../../src/stores/memory/memory-storage.ts";
import { recordKey } from "../../src/stores/memory/tables.ts";
import type { MemoryTables, RecordRow } from "../../src/stores/memory/tables.ts";
import { auditedVault } from "../support/audited-vault.ts";
import type { AuditedVault, AuditedVaultOptions } from "../support/audited-vault.ts";

export const COLLECTIONS: Readonly<Record<string, CollectionOptions>> = {
  secrets: { ids: "sealed" },
  cards: { scope: "record" },
  tenants: { scope: "tenant", tenant: "acme" },
  notices: { subject: "none" },
};

export const ADA = { collection: "people", id: "ada" };
export const BOB = { collection: "people", id: "bob" };
export const CARL = { collection: "people", id: "carl" };

/** Three keys in the place of three regions. @param third of the last one, when it is to be a certain one */
export function threeKeys(first: Uint8Array = randomBytes(32), third: Uint8Array = randomBytes(32)): Keyring {
  const one = (keyName: string, wrappingKey: Uint8Array): Keyring =>
    rawAesKeyring({ keyNamespace: "strongroom-test", keyName, wrappingKey });
  const [generator, ...children] = [one("first", first), one("second", first), one("third", third)] as const;
  const [making, wrapping] = [
    multiKeyring({ generator, children }),
    multiKeyring({ children: [generator, ...children] }),
  ];
  return {
    // With a generator it makes keys, and wraps none that is there already.
    onEncrypt: (materials, call) => (materials.dataKey === null ? making : wrapping).onEncrypt(materials, call),
    onDecrypt: (materials, dataKeys, call) => making.onDecrypt(materials, dataKeys, call),
  };
}

export interface FilledVault extends AuditedVault {
  readonly tables: MemoryTables;
  readonly keyTables: KeyTables;
  readonly logTables: LogTables;
  readonly change: (address: typeof ADA, to: (row: RecordRow) => Partial<RecordRow> | null) => void;
  readonly changeKeys: (of: (key: KeptKey) => boolean, to: (key: KeptKey) => KeptKey | null) => void;
  /** By a vault that has nothing in memory yet. */
  readonly verified: (options?: VerifyOptions) => Promise<VerifyReport>;
}

/** Ada has three versions, Carl two after a removal, Dora was removed, and Eve is restricted. */
export async function filledVault(t: TestContext, options: AuditedVaultOptions = {}): Promise<FilledVault> {
  const opened = await auditedVault(t, { collections: COLLECTIONS, keyring: threeKeys(), ...options });
  const { vault, memory, keyMemory, logMemory } = opened;
  for (const n of [1, 2, 3]) await vault.put(ADA, { n }, { subject: "ada@example.com", about: ["bob@example.com"] });
  await vault.put(BOB, { n: 1 }, { subject: "bob@example.com" });
  await vault.put(CARL, { n: 1 }, { subject: "carl@example.com" });
  await vault.remove(CARL);
  for (const n of [2, 3]) await vault.put(CARL, { n }, { subject: "carl@example.com" });
  await vault.put({ collection: "people", id: "dora" }, { n: 1 }, { subject: "dora@example.com" });
  await vault.remove({ collection: "people", id: "dora" });
  for (const collection of ["secrets", "cards", "tenants"])
    for (const id of ["s1", "s2"]) await vault.put({ collection, id }, { id }, { subject: `${id}@example.com` });
  await vault.put({ collection: "notices", id: "n1" }, { n: 1 });
  await vault.put({ collection: "people", id: "eve" }, { n: 1 }, { subject: "eve@example.com" });
  await vault.subjects.restrict("eve@example.com");
  await vault.audit!.sequence();
  const tables = tablesOf(memory);
  const keyTables = keyTablesOf(keyMemory);
  return {
    ...opened,
    ...{ tables, keyTables, logTables: logTablesOf(logMemory) },
    change: (address, to) => {
      const key = recordKey(parseAddress(address));
      const row = tables.records.get(key);
      if (row === undefined) throw new Error("the test's own record is not there");
      const changed = to(row);
      if (changed === null) tables.records.delete(key);
      else tables.records.set(key, { ...row, ...changed });
    },
    changeKeys: (of, to) => {
      let changes = 0;
      for (const [owner, keys] of keyTables.keys) {
        if (!keys.some(of)) continue;
        changes++;
        keyTables.keys.set(
          owner,
          keys.flatMap((key) => (of(key) ? (to(key) ?? []) : key)),
        );
      }
      if (changes === 0) throw new Error("the test's own key is not there");
    },
    verified: async (given = {}) => {
      const other = await opened.another({ collections: COLLECTIONS });
      return other.verify(given);
    },
  };
}
