// The audit of databases made before there was a tree: a chain of MACs (HMAC-SHA-256, RFC 2104), each over an entry and
// the MAC before it, and the end kept apart. It is only verified any more: once, when its entries become leaves of the
// tree, and in backups from then.

import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { Kysely } from "kysely";
import { KmsError } from "../errors.ts";
import type { LegacySchema, Schema } from "../store/schema.ts";

/** What the chain's key is sealed as, and where it and the chain's end are kept. */
export const LEGACY_KEY = "strongroom-kms/audit-key";
export const LEGACY_META = { key: "audit-key", head: "audit-head" } as const;

const GENESIS = new Uint8Array(32);

function entryMac(key: KeyObject, previous: Uint8Array, seq: number, event: string): Buffer {
  return createHmac("sha256", key).update(previous).update(bigEndian(seq)).update(event, "utf8").digest();
}

/** The chain's end: number (8 bytes) and a MAC that only the key's holder can make. */
function headOf(key: KeyObject, seq: number, mac: Uint8Array): Buffer {
  const number = bigEndian(seq);
  return Buffer.concat([number, createHmac("sha256", key).update("head").update(number).update(mac).digest()]);
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

/** The table that holds the chain: migration 0003 sets it aside until its entries are adopted. Null: there is none. */
export async function legacyTable(db: Kysely<Schema>): Promise<"audit" | "audit_0001" | null> {
  const tables = await db.introspection.getTables();
  const found = (["audit_0001", "audit"] as const).find((name) =>
    tables.some((table) => table.name === name && table.columns.some((column) => column.name === "mac")),
  );
  return found ?? null;
}

/**
 * Verifies a chain from its first entry to its end.
 * @param key of the chain (32 bytes).
 * @throws KmsError `audit-broken`.
 */
export async function verifyChain(db: Kysely<Schema>, key: Uint8Array): Promise<number> {
  const table = await legacyTable(db);
  if (table === null) throw new KmsError("audit-broken", "its table is missing.");
  const hmacKey = createSecretKey(key);
  let seq = 0;
  let last: Uint8Array = GENESIS;
  const legacy = db as unknown as Kysely<LegacySchema>;
  for await (const entry of legacy.selectFrom(table).selectAll().orderBy("seq").stream()) {
    seq += 1;
    last = entryMac(hmacKey, last, seq, entry.event);
    if (entry.seq !== seq || !same(entry.mac, last))
      throw new KmsError("audit-broken", `entry ${seq} was changed, or one before it is missing.`);
  }
  const head = await db.selectFrom("meta").selectAll().where("name", "=", LEGACY_META.head).executeTakeFirst();
  if (head === undefined || !same(head.value, headOf(hmacKey, seq, last)))
    throw new KmsError("audit-broken", `it does not end at entry ${seq}: the last ones are missing.`);
  return seq;
}

const same = (given: unknown, wanted: Uint8Array): boolean =>
  given instanceof Uint8Array && given.length === wanted.length && timingSafeEqual(given, wanted);
