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
import { cursorInvalid, decodeCursor, encodeCursor } from "../records/paging.ts";
import type { KeyVersion } from "../stores/key-store.ts";
import type { IndexBook } from "./index-book.ts";
import type { Condition } from "./query.ts";

const FORMAT = "find/2";
const LABEL = "strongroom/find-cursor/1";

/** What a cursor goes on with. */
export interface CursorSearch {
  readonly collection: Collection;
  readonly tenant: Tenant;
  readonly conditions: readonly Condition[];
}

/** The cursor behind a position, under this version of the index key. @throws VaultError as opening a key does */
export async function cursorBehind(
  book: IndexBook,
  search: CursorSearch,
  { position, version }: { readonly position: Uint8Array; readonly version: KeyVersion },
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = await hashOf(book, search, version, signal);
  return encodeCursor([FORMAT, version, ...[hash, position].map((part) => Buffer.from(part).toString("base64url"))]);
}

/**
 * Where the search goes on. The key may be one of before a rotation, or one that this process has not met yet.
 *
 * @throws VaultError `cursor-invalid`; as opening a key does
 */
export async function positionBehind(
  book: IndexBook,
  search: CursorSearch,
  cursor: unknown,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const [format, named, hash = "", position = "", ...more] = typeof cursor === "string" ? decodeCursor(cursor) : [];
  if (format !== FORMAT || more.length > 0) throw cursorInvalid();
  const version = await book.versionNamed(named);
  if (version === null) throw cursorInvalid();
  const [own, given] = [await hashOf(book, search, version, signal), Buffer.from(hash, "base64url")];
  if (own.length !== given.length || !timingSafeEqual(own, given)) throw cursorInvalid();
  return Buffer.from(position, "base64url");
}

async function hashOf(
  book: IndexBook,
  { collection, tenant, conditions }: CursorSearch,
  version: KeyVersion,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const { vault, indexKeys } = book.options.subjectKeys;
  using root = await indexKeys.root(version, signal);
  return keyedHash(root, lp([LABEL, vault, collection, tenant, conditions.length, ...conditions.flatMap(partsOf)]));
}

function partsOf(condition: Condition): readonly Part[] {
  const { kind, path } = condition;
  if (condition.kind === "equals") return [kind, path, condition.form];
  if (condition.kind === "prefix") return [kind, path, condition.text];
  return [kind, path, JSON.stringify([condition.from, condition.to])];
}
