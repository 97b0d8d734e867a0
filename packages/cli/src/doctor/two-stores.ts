// Do the store of the records and that of the keys belong together, and are they kept apart? A backup of the records
// alone must open nothing, and one of both brings an erased person's key back together with what it opens.
import { readInstallationKeys } from "../installation/region-keys.ts";
import { hasOwnKeys } from "../installation/key-sets.ts";
import { CliError } from "../errors.ts";
import { postgresAccess } from "../store/connect.ts";
import { seenStores } from "../store/pair.ts";
import { type Check, type CheckSubject, type Finding, partsOf } from "./check.ts";

const WHAT = "Records and keys";

/** What is wrong with one of them is said of that one. */
export const checkBelonging: Check = async (subject) => {
  const { records, keys, problem } = await seenStores(partsOf(subject));
  if (problem !== null)
    return [{ what: WHAT, severity: "failure", detail: `${problem.detail} [${problem.code}]`, remedy: problem.remedy }];
  if (typeof records === "string" || keys === "unusable") return [];
  if (keys === "absent")
    return [{ what: WHAT, severity: "ok", detail: "there is no key store yet: the next start makes one" }];
  const detail = records.peer === null ? "they are not joined yet: the next start does it" : "they belong together";
  return [{ what: WHAT, severity: "ok", detail }];
};

/** Where both roll back together, and whether their keys can be shredded. */
export const checkBackups: Check = async (subject) => {
  const shared = sharedDomain(subject);
  const domain: Finding =
    shared === null
      ? {
          what: "Backups",
          severity: "ok",
          detail: "records and keys lie apart. Back up the records first, then the keys: they must be newer",
        }
      : {
          what: "Backups",
          severity: "warning",
          detail:
            `records and keys lie ${shared}: what copies one copies the other, and what sets one back sets both back ` +
            "together, unnoticed. Such a backup opens everything, also of who was erased since",
          remedy:
            "Keep the keys elsewhere: --key-store postgres://… of another cluster. Where that cannot be, back up the " +
            "records and then the keys, into two places with two retentions.",
        };
  return [domain, ...(await generationFindings(subject))];
};

/** In words; null: they are two. */
function sharedDomain({ loaded: { config }, env }: CheckSubject): string | null {
  try {
    const [records, keys] = [postgresAccess(config, env, "records"), postgresAccess(config, env, "keys")];
    if (records === null && keys === null) return "in one folder";
    if (records === null || keys === null) return null;
    const isOne = records.place.host === keys.place.host && records.place.port === keys.place.port;
    return isOne ? "in one PostgreSQL cluster" : null;
  } catch (error) {
    // What is wrong with the settings is said of each database.
    if (error instanceof CliError) return null;
    throw error;
  }
}

async function generationFindings({ loaded: { config }, folder }: CheckSubject): Promise<readonly Finding[]> {
  const { regions } = config.keys;
  // Those of `strongroom up` are made as generation 1.
  if (regions === undefined) return [];
  try {
    if (hasOwnKeys(regions, await readInstallationKeys(folder.keys))) return [];
  } catch (error) {
    if (error instanceof CliError) return [];
    throw error;
  }
  return [
    {
      what: "Generation of keys",
      severity: "warning",
      detail:
        "0: shared, not shreddable. The keys of people are wrapped by the keys of records, which cannot be destroyed " +
        "without these: old backups of the key store stay open for ever",
      remedy:
        "Make a key of its own in every region, and name it from the first start on: keys.regions[].keyStoreKeyArn.",
    },
  ];
}
