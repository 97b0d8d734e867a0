// The ledger of erasures that somebody gives to a restore: read before anything is done, and counted against what the
// backup has. A ledger is NDJSON, a line for each person: {"person": "UUID", "state": "erased"}; other members are
// passed over. To make it hold is for the vault, as it opens and before anybody can ask.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { systemReason } from "@strongroom/base/files";
import { parseLedgerLine, type Store, type SubjectId, type SubjectState } from "@strongroom/vault";
import { CliError } from "../errors.ts";

type LedgerState = Exclude<SubjectState, "active">;

/** A state of the ledger, and from which others it is reached. */
const BEFORE: Readonly<Record<LedgerState, readonly SubjectState[]>> = {
  restricted: ["active"],
  erasing: ["active", "restricted"],
  erased: ["active", "restricted", "erasing"],
};

/** The last state of each person; of whom nothing holds any more there is none. */
export type Ledger = ReadonlyMap<SubjectId, LedgerState>;

/** How many people of the backup come to which state by the ledger. */
export interface LedgerCounts extends Readonly<Record<LedgerState, number>> {
  /** Who had that state, or one behind it, already. */
  readonly unchanged: number;
  /** Of whom nothing is in the backup. */
  readonly unknown: number;
}

/** Reads a ledger; nothing is changed. Throws `input-unreadable`, `input-invalid`. */
export async function readLedger(path: string): Promise<Ledger> {
  const ledger = new Map<SubjectId, LedgerState>();
  const lines = createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Infinity });
  let number = 0;
  try {
    for await (const line of lines) {
      number++;
      if (line.trim() === "") continue;
      const parsed = parseLedgerLine(line);
      if (parsed === null) throw notLedger(path, number);
      const { person, state } = parsed;
      // Holds are counted nowhere: what is held is as it was in the backup.
      if (state === "held" || state === "lifted") continue;
      const before = ledger.get(person);
      if (state !== "active") {
        if (before === undefined || BEFORE[state].includes(before)) ledger.set(person, state);
      } else if (before === "restricted") ledger.delete(person);
    }
    return ledger;
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("input-unreadable", { detail: `${path}: ${systemReason(cause)}.`, cause });
  } finally {
    lines.close();
  }
}

/** Without the text, which may be anything. */
function notLedger(path: string, number: number): CliError {
  return new CliError("input-invalid", {
    detail: `${path}, line ${number}: it is not {"person": "UUID", "state": "restricted", "erasing", "erased" or "held"}.`,
    remedy: "Give the ledger as it was written. Nothing was restored.",
  });
}

/** Counts, and changes nothing. */
export async function countLedger(ledger: Ledger, { subjects }: Pick<Store, "subjects">): Promise<LedgerCounts> {
  const counts = { restricted: 0, erasing: 0, erased: 0, unchanged: 0, unknown: 0 };
  for (const [id, to] of ledger) {
    const [row = null] = await subjects.get([id]);
    if (row === null) counts.unknown++;
    else if (BEFORE[to].includes(row.state)) counts[to]++;
    else counts.unchanged++;
  }
  return counts;
}
