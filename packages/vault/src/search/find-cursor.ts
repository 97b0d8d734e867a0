/**
 * Cursors of what is found: a position among the records, and a keyed hash of what is looked for, so that a cursor goes
 * on with the query that gave it out and with no other one. Keyed, as whoever sees a cursor would try values against a
 * plain hash.
 */
import { timingSafeEqual } from "node:crypto";
import { keyedHash } from "@strongroom/envelope/keyrings";
import { lp } from "../keys/length-prefixed.ts";
import type { Part } from "../keys/length-prefixed.ts";
import type { Tenant } from "../keys/subject-keys.ts";
import type { Collection } from "../records/address.ts";
import { cursorInvalid, decodeCursor } from "../records/paging.ts";
import type { IndexBook } from "./index-book.ts";
import type { Condition } from "./query.ts";

const FORMAT = "find/1";
const LABEL = "strongroom/find-cursor/1";

/** By what a cursor of one query is known again. */
export interface CursorSeal {
  /** What it begins with: its format, and the hash. */
  readonly head: readonly string[];
  /** Under each version of the index key: it may be older than a rotation. */
  readonly hashes: readonly Buffer[];
}

/** @throws VaultError as opening a key does */
export async function cursorSeal(
  book: IndexBook,
  search: { readonly collection: Collection; readonly tenant: Tenant; readonly conditions: readonly Condition[] },
  signal: AbortSignal | undefined,
): Promise<CursorSeal> {
  const { vault, indexKeys } = book.options.subjectKeys;
  const { collection, tenant, conditions } = search;
  const text = lp([LABEL, vault, collection, tenant, conditions.length, ...conditions.flatMap(partsOf)]);
  const hashes: Buffer[] = [];
  for (const version of book.versions) {
    using root = await indexKeys.root(version, signal);
    hashes.push(keyedHash(root, text));
  }
  return { head: [FORMAT, (hashes[0] ?? Buffer.alloc(0)).toString("base64url")], hashes };
}

function partsOf(condition: Condition): readonly Part[] {
  const { kind, path } = condition;
  if (condition.kind === "equals") return [kind, path, condition.form];
  if (condition.kind === "prefix") return [kind, path, condition.text];
  return [kind, path, JSON.stringify([condition.from, condition.to])];
}

/** Where the search goes on. @throws VaultError `cursor-invalid` */
export function positionBehind(cursor: unknown, { hashes }: CursorSeal): Uint8Array {
  const [format, hash = "", position = "", ...more] = typeof cursor === "string" ? decodeCursor(cursor) : [];
  if (format !== FORMAT || more.length > 0) throw cursorInvalid();
  const given = Buffer.from(hash, "base64url");
  if (!hashes.some((own) => own.length === given.length && timingSafeEqual(own, given))) throw cursorInvalid();
  return Buffer.from(position, "base64url");
}
