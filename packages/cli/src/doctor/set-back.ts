// Are the stores of one time? Whoever puts an older copy of one of them back is refused at the next start; here it is
// told before, with what to do. They are only looked at, also while services run, and no KMS is asked: the log is held
// against the public key that the service has left in the data folder.
import { isVaultError, type SetBackStore, setBackStores } from "@strongroom/vault";
import { CliError } from "../errors.ts";
import { readVerifierKey } from "../installation/audit-key.ts";
import { type OpenedStore, openToRead } from "../store/open.ts";
import { seenStores } from "../store/pair.ts";
import type { StoreRole } from "../store/which.ts";
import { type Check, type Finding, partsOf } from "./check.ts";

const WHAT = "Set back";

/** Which stores are older than the others know them. */
export const checkSetBack: Check = async (subject) => {
  const parts = partsOf(subject);
  const { records, keys, audit, problem } = await seenStores(parts);
  // What is wrong with one of them, or that they are not each other's, is said of that.
  if (problem !== null || [records, keys, audit].some((one) => typeof one === "string")) return [];
  const ends: (() => Promise<void>)[] = [];
  try {
    const key = readVerifierKey(subject.folder.auditKey);
    if (key === null) return [noKey(subject.folder.auditKey)];
    const opened = async <Role extends StoreRole>(role: Role): Promise<OpenedStore<Role>["store"] | null> => {
      const one = await openToRead(parts, role);
      if (one !== null) ends.push(() => one.close());
      return one?.store ?? null;
    };
    const [store, keyStore, log] = [await opened("records"), await opened("keys"), await opened("audit")];
    if (store === null || keyStore === null || log === null) return [];
    return setBackFindings(await setBackStores({ store, keyStore, log, key }));
  } catch (error) {
    if (!(error instanceof CliError) && !isVaultError(error)) throw error;
    const remedy = error instanceof CliError ? error.remedy : "Run strongroom doctor again when the stores answer.";
    return [{ what: WHAT, severity: "warning", detail: `it cannot be told: ${error.message}`, remedy }];
  } finally {
    for (const end of ends.reverse()) await end();
  }
};

/** What is said of what was found. */
export function setBackFindings(found: readonly SetBackStore[]): readonly Finding[] {
  if (found.length === 0)
    return [{ what: WHAT, severity: "ok", detail: "no: records, keys and the audit's log go on from each other" }];
  return found.map(({ store, message }) => ({
    what: WHAT,
    severity: "failure",
    detail: `${CALLED[store]}: ${message} [store-rolled-back]`,
    remedy:
      "Put the newest copy of it back. To go on with this one, start once with --accept-restore REASON: another " +
      "history of the audit begins, and what is lost is named in it for ever.",
  }));
}

const CALLED: Readonly<Record<SetBackStore["store"], string>> = {
  records: "the store of the records",
  keys: "the key store",
  log: "the log of the audit",
};

function noKey(path: string): Finding {
  return {
    what: WHAT,
    severity: "warning",
    detail: `it cannot be told: ${path}, the verifier key of the audit, is not there`,
    remedy: "The next start compares the stores in any case, and writes it.",
  };
}
