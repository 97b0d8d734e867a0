// The vault's database: would the service take it as it is? It is only read, also while the service runs.
import { VAULT_ERRORS } from "@strongroom/vault";
import { inspectDatabase } from "@strongroom/vault/sqlite";
import type { Check } from "./check.ts";

/** The schema is the one that this version makes, and the file has all changes that its mark counts. */
export const checkDatabase: Check = async ({ folder }) => {
  const what = "Database";
  const { state, problem, isMarked, commits } = await inspectDatabase(folder.vault);
  if (problem !== null)
    return [
      {
        what,
        severity: "failure",
        detail: `${problem.message} [${problem.code}]`,
        remedy: VAULT_ERRORS[problem.code].remedy,
      },
    ];
  if (state === "absent") return [{ what, severity: "ok", detail: "there is none yet" }];
  if (!isMarked)
    return [
      {
        what,
        severity: "warning",
        detail: `${folder.vault}.mark is not there: nothing tells whether this is the newest state of the vault`,
        remedy: "The service makes it at its next start, from what the database says then.",
      },
    ];
  return [{ what, severity: "ok", detail: `as this version makes it, with ${commits ?? 0} changes` }];
};
