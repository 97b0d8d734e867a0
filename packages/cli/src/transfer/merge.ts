// Sends records that are merged with what is stored: a second file about the same people. Each is read, merged and
// written on the very version that was read, so that a write that comes in between is merged with and never lost.
import { isDeepStrictEqual } from "node:util";
import type { Field } from "../formats/document.ts";
import { mapBounded } from "@strongroom/base/work";
import {
  type ClientError,
  isClientError,
  type JsonObject,
  type PutResult,
  type StoredRecord,
} from "@strongroom/client";
import { fieldName, mergeDocuments, type Preference } from "./merge-documents.ts";
import { noteMissing } from "./report.ts";
import { withRetries } from "./retry.ts";
import { type PendingItem, refusal, type Sender, type SenderOptions } from "./send-batch.ts";

/** Records that are merged at the same time. */
const AT_ONCE = 4;

/** How often a record is read anew because another writer was faster. */
const ATTEMPTS = 5;

/** What to do where both have a value: refuse the record, or take one of the two. */
export type OnConflict = "refuse" | Preference;

/** How records are merged. */
export interface MergeOptions {
  readonly onConflict: OnConflict;
  /** The field that holds the id: `7` and "7" there are no conflict, since they led to this record. */
  readonly idField: Field | null;
}

/** What is wrong with one record, and not with the collection or the service. */
const ABOUT_ONE_RECORD: ReadonlySet<ClientError["code"]> = new Set([
  "id-invalid",
  "subject-invalid",
  "subject-differs",
  "subject-restricted",
  "subject-erased",
  "subject-missing",
  "tenant-invalid",
  "document-invalid",
  "document-unfit",
  "document-too-large",
  "body-too-large",
  "version-conflict",
]);

/** Merges a batch, a few records at a time. */
export function mergeSender({ onConflict, idField }: MergeOptions, options: SenderOptions): Sender {
  const { client, report, retryForMs, signal } = options;
  const same = new Set(idField === null ? [] : [fieldName(idField)]);

  const merge = async ({ position, item }: PendingItem, onPause: () => void): Promise<void> => {
    const { id, subject } = item;
    const retried = <Result>(send: () => Promise<Result>): Promise<Result> =>
      withRetries(send, { retryForMs, signal, repeat: "any", onPause });
    // What it is once it is stored: `-0` is 0 there.
    const added = JSON.parse(JSON.stringify(item.document)) as JsonObject;
    const write = async (document: JsonObject, current: StoredRecord | null): Promise<PutResult> =>
      client.records.put(report.collection, id, document, {
        subject,
        ...(current === null ? { ifAbsent: true } : { ifVersion: current.version }),
      });
    for (let attempt = 1; ; attempt++) {
      const current = await retried(() => client.records.get(report.collection, id).catch(nullIfAbsent));
      const merged =
        current === null
          ? { document: added, conflicts: [] }
          : mergeDocuments(current.document, added, onConflict === "file" ? "file" : "stored", same);
      if (merged.conflicts.length > 0 && onConflict === "refuse") {
        report.bad.push({
          position,
          reason: `says something else than what is stored in ${merged.conflicts.join(", ")}`,
        });
        return;
      }
      const isSame =
        current !== null &&
        isDeepStrictEqual(merged.document, current.document) &&
        (subject ?? current.subject) === current.subject;
      try {
        if (isSame) report.unchanged++;
        else {
          const { wraps } = await retried(() => write(merged.document, current));
          report[current === null ? "created" : "merged"]++;
          noteMissing(report, wraps.missing);
          if (wraps.missing.length > 0) onPause();
        }
      } catch (error) {
        if (isClientError(error) && error.code === "version-conflict" && attempt < ATTEMPTS) continue;
        throw error;
      }
      if (merged.conflicts.length > 0) report.conflicts.push({ position, fields: merged.conflicts });
      return;
    }
  };

  return async (batch) => {
    let strained = false;
    await mapBounded(batch, AT_ONCE, async (pending) => {
      try {
        await merge(pending, () => {
          strained = true;
        });
      } catch (error) {
        if (!isClientError(error) || !isAboutOneRecord(error)) throw error;
        report.bad.push({ position: pending.position, ...refusal(error.reportedCode, error.detail ?? error.title) });
      }
    });
    return { strained };
  };
}

function isAboutOneRecord(error: ClientError): boolean {
  return ABOUT_ONE_RECORD.has(error.code) || error.outcome === "refused";
}

function nullIfAbsent(error: unknown): null {
  if (isClientError(error) && error.code === "record-absent") return null;
  throw error;
}
