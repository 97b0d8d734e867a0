/**
 * The one way out for a document: as its reader sees it. What goes out of the vault is of a type that only this makes,
 * so that a call which forgets it does not compile.
 */
import type { Dependencies } from "../limits.ts";
import type { Collection } from "../records/address.ts";
import type { JsonObject } from "../records/document.ts";
import type { VaultRecord } from "../records/read.ts";
import type { FindResult } from "../search/find.ts";
import { hashMask } from "./hash-mask.ts";
import { project } from "./project.ts";
import type { HashMask } from "./project.ts";
import { needsHashKey } from "./view.ts";
import type { View } from "./view.ts";

declare const brand: unique symbol;

/** A record with of its document what its reader may see. */
export type ShownRecord<Document = JsonObject> = VaultRecord<Document> & { readonly [brand]: "shown" };

/** A page of what was found, with of each document what its reader may see. */
export interface ShownPage<Document = JsonObject> extends Omit<FindResult, "items"> {
  readonly items: readonly ShownRecord<Document>[];
}

/** What is shown of records. */
export interface Showing {
  /** What of the document. */
  readonly view: View;
  /** Whether whom it is about is told: a name may be what a field that is masked has. */
  readonly tellsWhom: boolean;
}

/** @throws VaultError what opening a key throws, where a field is shown by a keyed hash */
export async function shown(
  dependencies: Pick<Dependencies, "subjectKeys">,
  record: VaultRecord,
  showing: Showing,
  signal: AbortSignal | undefined,
): Promise<ShownRecord> {
  const on = { collection: record.collection as Collection, view: showing.view, signal };
  return withHashMask(dependencies, on, (hash) => seenOf(record, showing, hash));
}

/**
 * The same of records of one collection: the key is opened once for all of them.
 *
 * @throws VaultError as `shown` does
 */
export async function shownAll(
  dependencies: Pick<Dependencies, "subjectKeys">,
  collection: Collection,
  records: readonly VaultRecord[],
  showing: Showing,
  signal: AbortSignal | undefined,
): Promise<readonly ShownRecord[]> {
  if (records.length === 0) return [];
  const on = { collection, view: showing.view, signal };
  return withHashMask(dependencies, on, (hash) => records.map((record) => seenOf(record, showing, hash)));
}

function seenOf(record: VaultRecord, { view, tellsWhom }: Showing, hash: HashMask): ShownRecord {
  if (view.kind === "whole" && tellsWhom) return record as ShownRecord;
  const { about, ...told } = record;
  const whom = tellsWhom ? (about === undefined ? {} : { about }) : { subject: null };
  return { ...told, ...whom, document: project(record.document, view, hash) } as ShownRecord;
}

/** Where a view needs a key, it is there while `make` runs. */
export async function withHashMask<Result>(
  { subjectKeys }: Pick<Dependencies, "subjectKeys">,
  {
    collection,
    view,
    signal,
  }: { readonly collection: Collection; readonly view: View; readonly signal: AbortSignal | undefined },
  make: (hash: HashMask) => Result,
): Promise<Result> {
  if (subjectKeys === null || !needsHashKey(view)) return make(null);
  using key = await subjectKeys.maskKey(signal);
  return make(hashMask(key, subjectKeys.vault, collection));
}
