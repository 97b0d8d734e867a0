// Who plays the rows: the vault, and the same rows in clear, which go through the store's own interface as they are.
// Each checks what it reads and what it is told, at once: a wrong result rejects.

import { randomUUID } from "node:crypto";

import { rawAesKeyring } from "@strongroom/envelope";
import {
  openVault,
  type Address,
  type Collection,
  type Epoch,
  type Store,
  type Subject,
  type Unit,
  type Version,
  type WrapSet,
  type WriteId,
} from "@strongroom/vault";

import { assertBytes, assertDocument, bytesOf, COLLECTION, documentOf, idOf } from "./documents.ts";
import type { ContenderId } from "./rows.ts";

/** The records of one open store, by number. Every call rejects when its result is wrong. */
export interface Records {
  /** Writes a record that was not there. */
  put(number: number): Promise<void>;
  /** Writes `count` such records in one transaction. */
  putBatch(first: number, count: number): Promise<void>;
  get(number: number): Promise<void>;
  close(): Promise<void>;
}

/** One wrap, as a raw AES keyring makes it. */
export const WRAPS: WrapSet = {
  wraps: [{ provider: "bench", key: "bench", material: null }],
  target: 1,
  missing: [],
};

/** The same in every process, so that each opens what another wrote. It protects nothing but this bench's filler. */
const KEYRING = { keyNamespace: "bench", keyName: "bench", wrappingKey: Buffer.alloc(32, 0x5a) };

export const CONTENDERS: Readonly<Record<ContenderId, (store: Store) => Promise<Records>>> = {
  vault: openVaultRecords,
  clear: openClearRecords,
};

async function openVaultRecords(store: Store): Promise<Records> {
  const vault = await openVault({ store, keyring: rawAesKeyring(KEYRING) });
  return {
    put: async (number) => {
      const { outcome } = await vault.put({ collection: COLLECTION, id: idOf(number) }, documentOf(number));
      if (outcome !== "created") throw new Error(`record ${number} was ${outcome} and not created`);
    },
    putBatch: async (first, count) => {
      const items = numbers(first, count).map((number) => ({ id: idOf(number), document: documentOf(number) }));
      const results = await vault.putMany(COLLECTION, items, { onExisting: "replace" });
      const other = results.find(({ outcome }) => outcome !== "created");
      if (results.length !== count || other !== undefined)
        throw new Error(
          `a batch of ${count} had ${results.length} results, one of them ${other?.outcome ?? "missing"}`,
        );
    },
    get: async (number) => {
      assertDocument((await vault.get({ collection: COLLECTION, id: idOf(number) })).document, number);
    },
    close: () => vault.close(),
  };
}

async function openClearRecords(store: Store): Promise<Records> {
  const epoch = await someEpoch(store);
  return {
    put: (number) => applyAll(store, [unitOf(number, bytesOf(number), epoch)]),
    putBatch: (first, count) =>
      applyAll(
        store,
        numbers(first, count).map((number) => unitOf(number, bytesOf(number), epoch)),
      ),
    get: async (number) => {
      assertBytes((await store.records.read(addressOf(number), null)).stored?.message, number);
    },
    close: () => store.close(),
  };
}

/** Makes the units in one transaction. @throws unless all of them are made */
export async function applyAll(store: Store, units: readonly Unit[]): Promise<void> {
  const results = await store.records.apply(units, { atomic: units.length > 1 });
  const other = results.find(({ kind }) => kind !== "made");
  if (results.length !== units.length || other !== undefined)
    throw new Error(`of ${units.length} units one was ${other?.kind ?? "left out"} and not made`);
}

/** The version that a new record has. */
export const FIRST = 1 as Version;

export function newWriteId(): WriteId {
  return randomUUID() as string as WriteId;
}

/** A new record as a store takes it. */
export function unitOf(number: number, message: Uint8Array, epoch: Epoch, wrapSet: WrapSet = WRAPS): Unit {
  return {
    writeId: newWriteId(),
    address: addressOf(number),
    base: null,
    change: {
      kind: "write",
      epoch,
      versions: [
        {
          version: FIRST,
          subject: idOf(number) as Subject,
          createdAt: new Date().toISOString(),
          wrapSet,
          message,
        },
      ],
    },
  };
}

export function addressOf(number: number): Address {
  return { collection: COLLECTION as Collection, id: idOf(number) as Address["id"] };
}

/** The epoch in force. A store in which no vault has written gets its first one. */
async function someEpoch(store: Store): Promise<Epoch> {
  const { epoch } = await store.gate.current();
  if (epoch > 0) return epoch;
  await store.gate.flip({ from: epoch, digest: "0".repeat(64) });
  return (await store.gate.current()).epoch;
}

function numbers(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
