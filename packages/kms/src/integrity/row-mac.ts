// A MAC over each row: HMAC-SHA-512 (RFC 2104, FIPS 180-4) under a key that is sealed with the root key. Its first half
// is stored in the row; its second half never is, and goes into the digest over all rows (row-set.ts).
// Threat: someone who can write the database, but has no root key, edits a key policy, points an alias to another key,
// enables a key, exchanges a public key, or copies a row to another table, region or key.

import { createHmac, createSecretKey, hash, hkdfSync, timingSafeEqual } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { shown } from "@strongroom/base/shown";
import type { Selectable } from "kysely";
import type { Schema } from "../store/schema.ts";

/** The tables whose rows carry a MAC: all but those that are authenticated in other ways. */
export type RowTable = Exclude<keyof Schema, "meta" | "audit" | "audit_nodes">;

interface TableColumns<Column> {
  readonly columns: readonly Column[];
  readonly identity: readonly Column[];
}

/** Of each of them, the columns that the MAC covers, in this order, and those that name the row. */
export const ROW_TABLES: { readonly [Table in RowTable]: TableColumns<Exclude<keyof Schema[Table], "mac">> } = {
  keys: { columns: ["region", "key_id", "record"], identity: ["region", "key_id"] },
  backing_keys: {
    columns: ["region", "key_id", "material_id", "position", "record", "public_key", "sealed"],
    identity: ["region", "key_id", "material_id"],
  },
  aliases: { columns: ["region", "name", "key_id", "created_at", "updated_at"], identity: ["region", "name"] },
  grants: { columns: ["region", "grant_id", "key_id", "record"], identity: ["region", "grant_id"] },
  import_keys: {
    columns: ["region", "key_id", "token_id", "algorithm", "valid_to", "sealed"],
    identity: ["region", "key_id", "token_id"],
  },
  last_uses: { columns: ["region", "key_id", "record"], identity: ["region", "key_id"] },
};

export const ROW_TABLE_NAMES = Object.keys(ROW_TABLES) as readonly RowTable[];

/** A row without its MAC. */
export type Row<Table extends RowTable = RowTable> = Omit<Selectable<Schema[Table]>, "mac">;

/** What a column may hold, by what SQLite says of it; anything else was not written here. */
type Value = unknown;

/** The MAC of one row. */
export interface RowMac {
  /** 32 bytes, stored in the row. */
  readonly stored: Buffer;
  /** 256 bits that only the key's holder can compute. */
  readonly hidden: bigint;
}

/** The values of the columns that name the row. */
export const rowIdentity = (table: RowTable, row: Row): readonly string[] =>
  ROW_TABLES[table].identity.map((column) => String(valueOf(row, column)));

export const valueOf = (row: object, column: string): Value => (row as Readonly<Record<string, Value>>)[column];

/** The keys that rows, and the digest over all of them, are authenticated with; both come from one secret. */
export class RowKeys {
  #row: KeyObject | null;
  #digest: KeyObject | null;

  /** Takes over `secret` (32 bytes), which is wiped. */
  constructor(secret: Buffer) {
    this.#row = derive(secret, "strongroom-kms/row-mac/1");
    this.#digest = derive(secret, "strongroom-kms/row-digest/1");
    secret.fill(0);
  }

  rowMac(table: RowTable, row: Row): RowMac {
    const whole = createHmac("sha512", open(this.#row)).update(encodeRow(table, row)).digest();
    return { stored: whole.subarray(0, 32), hidden: BigInt(`0x${whole.toString("hex", 32)}`) };
  }

  /** A key for one digest: each has a salt of its own. The caller wipes it. */
  digestKey(salt: Uint8Array): Buffer {
    return createHmac("sha256", open(this.#digest)).update(salt).digest();
  }

  /** Lets go of the keys; OpenSSL wipes them. */
  close(): void {
    this.#row = null;
    this.#digest = null;
  }
}

function derive(secret: Buffer, label: string): KeyObject {
  const bytes = Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), label, 32));
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

function open(key: KeyObject | null): KeyObject {
  if (key === null) throw new Error("the keys of the rows are closed");
  return key;
}

/** Whether a row carries the MAC that it should. */
export const carries = (stored: unknown, mac: RowMac): boolean =>
  stored instanceof Uint8Array && stored.length === mac.stored.length && timingSafeEqual(stored, mac.stored);

/** How an error names a row. */
export const rowName = (table: RowTable, identity: readonly string[]): string =>
  `${table} ${shown(identity.join("/"))}`;

/** A number for the row's place, the same whatever the row holds. */
export const placeOf = (table: RowTable, identity: readonly string[]): bigint =>
  BigInt(`0x${hash("sha256", JSON.stringify([table, ...identity]), "hex").slice(0, 32)}`);

/**
 * One row as bytes, no two rows alike: every part has its type and length before it.
 * Covers what the server reads, so a text that SQLite stores otherwise and gives back alike is the same row.
 */
function encodeRow(table: RowTable, row: Row): Buffer {
  const parts = [typed(table), ...ROW_TABLES[table].columns.map((column) => typed(valueOf(row, column)))];
  // Into one place: a row is MACed for each of thousands when the server starts.
  const encoded = Buffer.allocUnsafe(parts.reduce((size, { length }) => size + HEAD + length, 0));
  let at = 0;
  for (const { type, length, write } of parts) {
    encoded.write(type, at, "latin1");
    encoded.writeUInt32BE(length, at + 1);
    write(encoded, at + HEAD);
    at += HEAD + length;
  }
  return encoded;
}

/** Type (1) and length (4) of a part. */
const HEAD = 5;

interface Part {
  readonly type: "t" | "b" | "n" | "0";
  readonly length: number;
  readonly write: (to: Buffer, at: number) => unknown;
}

function typed(value: Value): Part {
  if (typeof value === "string")
    return { type: "t", length: Buffer.byteLength(value), write: (to, at) => to.write(value, at, "utf8") };
  if (value instanceof Uint8Array)
    return {
      type: "b",
      length: value.length,
      write: (to, at) => {
        to.set(value, at);
      },
    };
  if (typeof value === "number") return { type: "n", length: 8, write: (to, at) => to.writeDoubleBE(value, at) };
  return { type: "0", length: 0, write: () => 0 };
}
