// Who plays the rows of the audit: a vault with one, the same vault without, and a durable entry alone. Over HTTP the
// vault is in a thread of its own, behind the service, and this one is its client.

import { randomBytes, randomUUID } from "node:crypto";

import { rawAesKeyring } from "@strongroom/envelope";
import { openVault, type Outbox, type OutboxEntry, type Vault } from "@strongroom/vault";

import { PEOPLE } from "../scopes/rows.ts";
import { clearRecords, KEYRING, unitOf, vaultRecords, type Opening, type Records } from "../stores/contenders.ts";
import { COLLECTION } from "../stores/documents.ts";
import { auditLogOpener, keyStoreOpener } from "../stores/places.ts";
import { atOnce } from "../stores/work.ts";
import { servedRecords } from "./client.ts";

/** Whether a vault has an audit. */
export type Audited = "audited" | "unaudited";
type AuditContenderId = Audited | "commit";

export const AUDIT_CONTENDERS: Readonly<Record<AuditContenderId, (opening: Opening) => Promise<Records>>> = {
  audited: (opening) =>
    opening.work === "served" ? servedRecords(opening, "audited") : openRecords(opening, "audited"),
  unaudited: (opening) =>
    opening.work === "served" ? servedRecords(opening, "unaudited") : openRecords(opening, "unaudited"),
  commit: async ({ store }) => ({
    ...(await clearRecords(store, unitOf)),
    get: entriesOf(store.outbox),
  }),
};

/** A vault in subject scope, with an audit or without. */
export async function openOf({ store, place }: Pick<Opening, "store" | "place">, audited: Audited): Promise<Vault> {
  const keys = await (await keyStoreOpener(place))();
  const options = { store, keyring: rawAesKeyring(KEYRING), keys: { store: keys, scope: "subject" } } as const;
  if (audited === "unaudited") return openVault(options);
  return openVault({ ...options, audit: { log: await (await auditLogOpener(place))(), onAlarm: alarmed } });
}

/** A bench in which something is found wrong is none. */
function alarmed({ message }: { readonly message: string }): never {
  throw new Error(`the audit found something wrong: ${message}`);
}

/** Reads of one caller that one entry tells of, at most. */
const MOST_READS = 16;

async function openRecords(opening: Opening, audited: Audited): Promise<Records> {
  const vault = await openOf(opening, audited);
  const records = vaultRecords(vault, (number) => ({ subject: `person-${number % PEOPLE}` }));
  let read = 0;
  const get = async (number: number): Promise<void> => {
    await records.get(number);
    read += 1;
  };
  if (opening.work === "get") await warm(opening, get);
  return {
    ...records,
    get,
    close: async () => {
      // What was read without an entry was not audited.
      const entries = (await vault.audit?.status())?.groups.entries;
      await records.close();
      if (entries !== undefined && entries * MOST_READS < read)
        throw new Error(`${read} records were read, and ${entries} entries written`);
    },
  };
}

/** Gets under way while everybody's keys are brought into memory. */
const WARMING_AT_ONCE = 64;

/** Reads a record of everybody. */
export async function warm({ store }: Pick<Opening, "store">, get: (number: number) => Promise<void>): Promise<void> {
  const collections = await store.records.collections();
  const there = collections.find(({ name }) => name === COLLECTION)?.records ?? 0;
  await atOnce(WARMING_AT_ONCE, Math.min(PEOPLE, there), get);
}

/** Bytes of an entry about one person. */
const ENTRY_BYTES = 700;

/** One durable commit, as a reader waits for it: an entry, and nothing besides. */
function entriesOf(outbox: Outbox): () => Promise<void> {
  const stream = randomUUID() as string as OutboxEntry["stream"];
  let number = 0;
  return async () => {
    const id = randomUUID() as string as OutboxEntry["id"];
    const text = randomBytes(ENTRY_BYTES);
    const entry = { id, stream, number: ++number, ends: false, tag: null, text, mac: randomBytes(32) };
    const { kind } = await outbox.append([entry], []);
    if (kind !== "made") throw new Error(`an entry was ${kind} and not made`);
  };
}
