// Does anything apart from the stores remember how far the audit was? Three stores that are set back together agree
// with each other; only a witness tells.
import { isVaultError, type Witness } from "@strongroom/vault";
import { CliError } from "../errors.ts";
import { openWitnesses } from "../installation/witnesses.ts";
import { openToRead } from "../store/open.ts";
import { seenStores } from "../store/pair.ts";
import { type Check, type Finding, partsOf, PATIENCE_MS } from "./check.ts";

const WHAT = "Witness";

/** What the newest checkpoint of a witness says, as far as it is looked at here: nobody's signature is checked. */
interface WitnessedSize {
  readonly origin: string;
  readonly size: number;
}

/** The configured ones, or the file that there is without a word on it. */
export const checkWitness: Check = async (subject) => {
  const parts = partsOf(subject);
  const { records, audit } = await seenStores(parts);
  if (typeof records === "string") return [];
  try {
    const witnesses = await openWitnesses(parts.config, records.vault, subject.env);
    if (witnesses.length === 0) return [noWitness()];
    const log = typeof audit === "string" ? null : await openToRead(parts, "audit");
    try {
      const state = await log?.store.state();
      const newest = state?.checkpoint ?? null;
      return await Promise.all(witnesses.map((witness) => finding(witness, newest === null ? null : sizeOf(newest))));
    } finally {
      await log?.close();
    }
  } catch (error) {
    if (!(error instanceof CliError) && !isVaultError(error)) throw error;
    const remedy = error instanceof CliError ? error.remedy : "Run strongroom doctor again when the log answers.";
    return [{ what: WHAT, severity: "warning", detail: error.message, remedy }];
  }
};

function noWitness(): Finding {
  return {
    what: WHAT,
    severity: "warning",
    detail: "no witness: records, keys and the audit that are set back together agree with each other, unnoticed",
    remedy: "Name one outside of where they lie: --audit-witness, a file on another disk, a witness, or a bucket.",
  };
}

async function finding(witness: Witness, log: WitnessedSize | null): Promise<Finding> {
  const note = await answerWithin(witness.read());
  if (note === undefined)
    return {
      what: WHAT,
      severity: "warning",
      detail: `${witness.name} cannot be asked: stores that were set back would not be noticed`,
      remedy: "Bring it back; the service tells it the newest checkpoint by itself then.",
    };
  const seen = note === null ? null : sizeOf(note);
  if (seen === null)
    return {
      what: WHAT,
      severity: log === null ? "ok" : "warning",
      detail:
        `${witness.name} has seen nothing yet` +
        (log === null ? "" : ": no witness tells of stores that are set back together"),
      ...(log === null ? {} : { remedy: "A service that runs tells it; look into its log if that lasts." }),
    };
  const entries = seen.size.toLocaleString("en");
  if (log?.origin === seen.origin && log.size < seen.size)
    return {
      what: WHAT,
      severity: "failure",
      detail: `${witness.name} has seen ${entries} entries, and the log has ${log.size.toLocaleString("en")}: it was set back [store-rolled-back]`,
      remedy: "Restore the newer stores; or start with --accept-restore REASON, which is an entry of the audit.",
    };
  const isOther = log !== null && log.origin !== seen.origin;
  return {
    what: WHAT,
    severity: isOther ? "warning" : "ok",
    detail: `${witness.name} has seen ${entries} entries${isOther ? " of another history of the audit" : ""}`,
    ...(isOther ? { remedy: "After a restore that was accepted the next start tells it of the new one." } : {}),
  };
}

/** A note begins with the log's name and its size (c2sp.org/tlog-checkpoint). */
function sizeOf(note: string): WitnessedSize | null {
  const [origin = "", size = ""] = note.split("\n", 2);
  return /^\d{1,15}$/.test(size) ? { origin, size: Number(size) } : null;
}

/** Undefined: there was none in time. */
async function answerWithin(reading: Promise<string | null>): Promise<string | null | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, undefined);
  });
  try {
    return await Promise.race([reading.catch(() => undefined), patience]);
  } finally {
    clearTimeout(timer);
  }
}
