/**
 * Documents that no longer fit what their collection declares: a schema that changed is held to new versions only, and
 * what was stored before is read as it is. Counted, and told by ids and fields, without a value.
 */
import { shown } from "@strongroom/base/shown";
import { isVaultError } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { Collection } from "../records/address.ts";
import { requireNotAborted } from "../records/write.ts";
import { MOST_TOLD } from "./build.ts";
import type { Unopened } from "./build.ts";
import { openedPage } from "./opened-records.ts";

/** A document that does not fit. */
export interface Unfit {
  readonly collection: string;
  readonly id: string;
  /** The fields, by their paths. */
  readonly fields: readonly string[];
}

/** What became of looking at documents. */
export interface DocumentsLooked {
  readonly records: number;
  /** How many do not fit, and the first of them. */
  readonly unfitCount: number;
  readonly unfit: readonly Unfit[];
  /** The first of those that could not be opened. */
  readonly unopened: readonly Unopened[];
}

/** Opens every record of the collections that declare a schema. @param only null: of all of them */
export async function lookAtDocuments(
  dependencies: Dependencies,
  only: Collection | undefined,
  signal: AbortSignal | undefined,
): Promise<DocumentsLooked> {
  const { declarations, rowAddresses } = dependencies;
  const found = { records: 0, unfitCount: 0, unfit: new Array<Unfit>(), unopened: new Array<Unopened>() };
  for (const { collection, schema } of declarations.all) {
    if (schema === null || (only !== undefined && only !== collection)) continue;
    let after: Uint8Array | null = null;
    do {
      requireNotAborted(signal);
      const page = await openedPage(dependencies, collection, after, signal);
      for (const record of page.records) {
        found.records++;
        if (record.kind === "unopened" && found.unopened.length < MOST_TOLD)
          found.unopened.push({ collection, id: shown(record.id), code: record.code });
        if (record.kind !== "opened") continue;
        const fields = unfitFields(() => schema.fit(record.document));
        if (fields === null) continue;
        found.unfitCount++;
        if (found.unfit.length < MOST_TOLD)
          found.unfit.push({ collection, id: await rowAddresses.ownId(record.row, record.sealedId, signal), fields });
      }
      after = page.next;
    } while (after !== null);
  }
  return found;
}

/** Null: it fits. */
function unfitFields(fit: () => unknown): readonly string[] | null {
  try {
    fit();
    return null;
  } catch (error) {
    if (!isVaultError(error) || error.code !== "document-unfit") throw error;
    return [...new Set((error.problems ?? []).map(({ field }) => field))];
  }
}
