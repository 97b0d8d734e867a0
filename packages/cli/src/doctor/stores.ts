// Do the stores of records, of keys and of the audit belong together, and are they kept apart? A backup of the records
// alone must open nothing, one of records and keys brings an erased person's key back together with what it opens, and
// what sets all of them back together goes unnoticed but for a witness.
import { dirname } from "node:path";
import { hasOwnKeys } from "../installation/key-sets.ts";
import { readInstallationKeys } from "../installation/installed-keys.ts";
import { CliError } from "../errors.ts";
import { postgresAccess } from "../store/connect.ts";
import { seenStores } from "../store/pair.ts";
import { ALL_ROLES, sqlitePath, type StoreRole } from "../store/which.ts";
import { type Check, type CheckSubject, type Finding, partsOf } from "./check.ts";

const WHAT = "Records and keys";
const LOG = "Records and audit";

/** What is wrong with one of them is said of that one. */
export const checkBelonging: Check = async (subject) => {
  const { records, keys, audit, problem, of } = await seenStores(partsOf(subject));
  if (problem !== null) {
    const what = of === "keys" ? WHAT : LOG;
    return [{ what, severity: "failure", detail: `${problem.detail} [${problem.code}]`, remedy: problem.remedy }];
  }
  if (typeof records === "string" || keys === "unusable") return [];
  if (keys === "absent")
    return [{ what: WHAT, severity: "ok", detail: "there is no key store yet: the next start makes one" }];
  const detail = records.peer === null ? "they are not joined yet: the next start does it" : "they belong together";
  const ofPair: Finding = { what: WHAT, severity: "ok", detail };
  if (audit === "unusable") return [ofPair];
  const ofLog =
    audit === "absent" || audit.peer === null
      ? "there is no audit yet: the next start begins one, and adopts what there is"
      : "the log belongs to the records";
  return [ofPair, { what: LOG, severity: "ok", detail: ofLog }];
};

/** Which of them roll back together, and whether their keys can be shredded. */
export const checkBackups: Check = async (subject) => {
  const domains = backupDomains(subject);
  const shared = domains === null ? [] : domains.filter(({ roles }) => roles.length > 1);
  const findings = shared.map(sharedFinding);
  const apart: Finding = {
    what: "Backups",
    severity: "ok",
    detail:
      "records, keys and the audit lie apart. Back up the records first, then the keys, then the audit: each must be " +
      "newer than the one before",
  };
  return [...(findings.length === 0 ? [apart] : findings), ...(await generationFindings(subject))];
};

/** Stores that are copied and set back by whoever copies or sets back one of them. */
interface BackupDomain {
  /** In words. */
  readonly where: string;
  readonly roles: readonly StoreRole[];
}

const CALLED: Readonly<Record<StoreRole, string>> = { records: "records", keys: "keys", audit: "the audit" };

function sharedFinding({ where, roles }: BackupDomain): Finding {
  const [last, ...others] = roles.map((role) => CALLED[role]).reverse();
  const both = roles.includes("records") && roles.includes("keys");
  return {
    what: "Backups",
    severity: "warning",
    detail:
      `${others.reverse().join(", ")} and ${last ?? ""} lie ${where}: what copies one copies the other, and what sets ` +
      "one back sets both back together, unnoticed but for a witness" +
      (both ? ". Such a backup opens everything, also of who was erased since" : ""),
    remedy: both
      ? "Keep the keys elsewhere: --key-store postgres://… of another cluster. Where that cannot be, back up the " +
        "records and then the keys, into two places with two retentions."
      : "Keep the audit elsewhere: --audit-store, another disk or another cluster; or keep a witness outside of " +
        "both: --audit-witness.",
  };
}

/** Null: it cannot be told. Two schemas, or two databases, of one cluster are one. */
function backupDomains({ loaded: { config }, env }: CheckSubject): readonly BackupDomain[] | null {
  const domains = new Map<string, { readonly where: string; readonly roles: StoreRole[] }>();
  try {
    for (const role of ALL_ROLES) {
      const access = postgresAccess(config, env, role);
      const [key, where] =
        access === null
          ? [dirname(sqlitePath(config, role)), "in one folder"]
          : [`${access.place.host}:${access.place.port}`, "in one PostgreSQL cluster"];
      const domain = domains.get(key) ?? { where, roles: [] };
      domain.roles.push(role);
      domains.set(key, domain);
    }
  } catch (error) {
    // What is wrong with the settings is said of each database.
    if (error instanceof CliError) return null;
    throw error;
  }
  return [...domains.values()];
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
