// Who plays the rows: the vault, and the same rows in clear, which go through the store's own interface as they are.
// Each checks what it reads and what it is told, at once: a wrong result rejects.

import { randomUUID } from "node:crypto";

import { rawAesKeyring } from "@strongroom/envelope";
import {
  openVault,
  type Address,
  type Collection,
  type Epoch,
  type PutOptions,
  type Store,
  type Subject,
  type Unit,
  type Vault,
  type Version,
  type WrapSet,
  type WriteId,
} from "@strongroom/vault";

import { assertBytes, assertDocument, bytesOf, COLLECTION, documentOf, idOf } from "./documents.ts";
import type { Place } from "./places.ts";
import type { WorkId } from "./rows.ts";

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
export const KEYRING = { keyNamespace: "bench", keyName: "bench", wrappingKey: Buffer.alloc(32, 0x5a) };

/** What is opened, and for what. */
export interface Opening {
  readonly store: Store;
  readonly place: Place;
  readonly work: WorkId;
}

export const CONTENDERS: Readonly<Record<"vault" | "clear", (opening: Pick<Opening, "store">) => Promise<Records>>> = {
  vault: async ({ store }) => vaultRecords(await openVault({ store, keyring: rawAesKeyring(KEYRING) })),
  clear: ({ store }) => clearRecords(store, unitOf),
};

/** Options of the put of a record, by its number. */
export type OptionsOf = (number: number) => Pick<PutOptions, "subject">;

export function vaultRecords(vault: Vault, optionsOf: OptionsOf = () => ({})): Records {
  return {
    put: async (number) => {
      const address = { collection: COLLECTION, id: idOf(number) };
      const { outcome } = await vault.put(address, documentOf(number), optionsOf(number));
      if (outcome !== "created") throw new Error(`record ${number} was ${outcome} and not created`);
    },
    putBatch: async (first, count) => {
      const items = numbers(first, count).map((number) => ({
        id: idOf(number),
        document: documentOf(number),
        ...optionsOf(number),
      }));
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

/** The rows that `unit` makes of records' bytes. */
export async function clearRecords(
  store: Store,
  unit: (number: number, bytes: Uint8Array, epoch: Epoch) => Unit,
): Promise<Records> {
  const epoch = await someEpoch(store);
  return {
    put: (number) => applyAll(store, [unit(number, bytesOf(number), epoch)]),
    putBatch: (first, count) =>
      applyAll(
        store,
        numbers(first, count).map((number) => unit(number, bytesOf(number), epoch)),
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
          scheme: 1,
          subject: idOf(number) as Subject,
          about: [],
          createdAt: new Date().toISOString(),
          wrapSet,
          message,
        },
      ],
      subjects: [],
      sealedId: null,
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
