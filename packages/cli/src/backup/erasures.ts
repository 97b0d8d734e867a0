// The ledger of erasures, replayed over what was restored: who was restricted or erased after the backup was made stays
// so, before anybody can ask. A ledger is NDJSON, a line for each person: {"person": "UUID", "state": "erased"}; other
// members are passed over. Keys of who was erased are destroyed here; their records go when the vault is open. Holds are
// the vault's to set: they are authenticated under its key.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { systemReason } from "@strongroom/base/files";
import { isSubjectId, type SubjectId, type SubjectState } from "@strongroom/vault";
import { z } from "zod";
import { CliError } from "../errors.ts";
import type { CommandStores } from "../installation/command-vault.ts";

type LedgerState = Exclude<SubjectState, "active">;

/** A state of the ledger, and from which others it is reached. None leads back. */
const BEFORE: Readonly<Record<LedgerState, readonly SubjectState[]>> = {
  restricted: ["active"],
  erasing: ["active", "restricted"],
  erased: ["active", "restricted", "erasing"],
};

const lineSchema = z.object({
  person: z.string().refine(isSubjectId),
  state: z.enum(["restricted", "erasing", "erased", "active", "held", "lifted"]),
});

/** The last state of each person. */
export type Ledger = ReadonlyMap<SubjectId, LedgerState>;

/** How many people have which state now because of the ledger. */
export interface ReplayedErasures extends Readonly<Record<LedgerState, number>> {
  /** Who had that state, or one behind it, already. */
  readonly unchanged: number;
  /** Of whom nothing is in the backup. */
  readonly unknown: number;
}

const LONGEST_LINE = 4096;

/** Reads a ledger; nothing is changed. Throws `input-unreadable`, `input-invalid`. */
export async function readLedger(path: string): Promise<Ledger> {
  const ledger = new Map<SubjectId, LedgerState>();
  const lines = createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Infinity });
  let number = 0;
  try {
    for await (const line of lines) {
      number++;
      if (line.trim() === "") continue;
      const { person, state } = parseLine(line, path, number);
      if (state === "active" || state === "held" || state === "lifted") continue;
      const before = ledger.get(person);
      // The states only go on: the order of lines does not matter.
      if (before === undefined || BEFORE[state].includes(before)) ledger.set(person, state);
    }
    return ledger;
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("input-unreadable", { detail: `${path}: ${systemReason(cause)}.`, cause });
  } finally {
    lines.close();
  }
}

function parseLine(
  line: string,
  path: string,
  number: number,
): { readonly person: SubjectId; readonly state: LedgerState | "active" | "held" | "lifted" } {
  try {
    if (line.length <= LONGEST_LINE) {
      const { data } = lineSchema.safeParse(JSON.parse(line));
      if (data !== undefined) return { person: data.person, state: data.state };
    }
  } catch {
    // Told below, without the text.
  }
  throw new CliError("input-invalid", {
    detail: `${path}, line ${number}: it is not {"person": "UUID", "state": "restricted", "erasing", "erased" or "held"}.`,
    remedy: "Give the ledger as it was written. Nothing was restored.",
  });
}

/** Sets the states, in a store that nobody uses yet. */
export async function replay(
  ledger: Ledger,
  { records: { subjects }, keys }: Pick<CommandStores, "records" | "keys">,
): Promise<ReplayedErasures> {
  const counts = { restricted: 0, erasing: 0, erased: 0, unchanged: 0, unknown: 0 };
  for (const [id, to] of ledger) {
    const [row = null] = await subjects.get([id]);
    const from = BEFORE[to];
    if (to !== "restricted") await keys.keys.erase([id], new Date().toISOString());
    // To make a row for somebody without a key is to make the key store look older than the records.
    if (row === null) counts.unknown++;
    else if (from.includes(row.state)) {
      // Erased is said when the records are gone as well.
      await subjects.setState({ id, from, to: to === "erased" ? "erasing" : to });
      counts[to]++;
    } else counts.unchanged++;
  }
  return counts;
}
