// Ids of public collections that look like addresses or telephone numbers: they lie in clear in the database, in its
// backups, and in `record` scope in the audit of a KMS. A sample of each collection is looked at, and none is shown.
import { isVaultError, parseCollection } from "@strongroom/vault";
import { CliError } from "../errors.ts";
import { looksPersonal, PERSONAL_ID_ADVICE } from "../personal-id.ts";
import { openToRead } from "../store/open.ts";
import { type Check, type Finding, partsOf } from "./check.ts";

/** Ids of a collection that are looked at, and collections. */
const SAMPLE = 200;
const MOST_COLLECTIONS = 200;

/** Of the collections that are declared as sealed, none. */
export const checkPublicIds: Check = async (subject) => {
  const { collections } = subject.loaded.config;
  try {
    const opened = await openToRead(partsOf(subject), "records");
    if (opened === null) return [];
    try {
      const { records } = opened.store;
      const findings: Finding[] = [];
      for (const { name } of (await records.collections()).slice(0, MOST_COLLECTIONS)) {
        const collection = collectionOf(name);
        if (collection === null || collections[name]?.ids === "sealed") continue;
        const sample = (await records.list(collection, { after: null, limit: SAMPLE })) ?? [];
        const personal = sample.filter(({ id, sealedId }) => sealedId === null && looksPersonal(id)).length;
        if (personal > 0) findings.push(finding(collection, personal, sample.length));
      }
      return findings;
    } finally {
      await opened.close();
    }
  } catch (error) {
    // What keeps a store from being read is a finding of its own check.
    if (error instanceof CliError || isVaultError(error)) return [];
    throw error;
  }
};

/** Null: what lies in the database is no name. */
function collectionOf(name: string): ReturnType<typeof parseCollection> | null {
  try {
    return parseCollection(name);
  } catch {
    return null;
  }
}

function finding(collection: string, personal: number, looked: number): Finding {
  return {
    what: `Ids of ${collection}`,
    severity: "warning",
    detail: `${personal} of ${looked} that were looked at seem to be addresses or telephone numbers`,
    remedy: `${PERSONAL_ID_ADVICE} The ids of records that are there stay as they are: export them and import them anew.`,
  };
}
