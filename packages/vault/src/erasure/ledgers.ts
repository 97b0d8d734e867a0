/**
 * Copies of the ledger that lie apart from the stores, such as beside the witness of the audit: each erasure and each
 * hold is added to them before it is said to be done, and they are read at every start. A restore of all stores is
 * undone by them, of an erasure that was done after the backup.
 */
import type { AuditKeys } from "../audit/audit-keys.ts";
import { openLine, parseLedgerLine, sealedLine } from "./ledger.ts";
import type { LedgerLine, LedgerReader } from "./ledger.ts";

/** A copy, as the program around the vault keeps it. */
export interface LedgerCopy {
  /** For people. */
  readonly name: string;
  /** Whether its lines are taken at the word of whoever gave it: they need no code of the vault's. Only read. */
  readonly isGiven?: boolean;
  /** All lines; none when there is no copy yet. */
  read(): AsyncIterable<string> | Iterable<string>;
  /** Adds lines, each without its end. Durable when it resolves. */
  append(lines: readonly string[]): Promise<void>;
}

/** All copies of a vault. */
export class Ledgers {
  readonly #copies: readonly LedgerCopy[];
  readonly #keys: Pick<AuditKeys, "mac" | "verifies">;
  readonly #onFault: (error: unknown) => void;

  constructor(
    copies: readonly LedgerCopy[],
    keys: Pick<AuditKeys, "mac" | "verifies">,
    onFault: (error: unknown) => void,
  ) {
    this.#copies = copies;
    this.#keys = keys;
    this.#onFault = onFault;
  }

  /** Adds lines to every copy. @throws what a copy throws: what was to be said is not said to be done */
  async append(lines: readonly LedgerLine[]): Promise<void> {
    const texts = lines.map((line) => sealedLine(line, this.#keys));
    for (const copy of this.#copies) if (copy.isGiven !== true) await copy.append(texts);
  }

  /** Reads all copies. What the vault has not written is passed over; a copy that cannot be read is told of. */
  async read(reader: LedgerReader): Promise<void> {
    for (const copy of this.#copies)
      try {
        for await (const text of copy.read()) {
          const line = copy.isGiven === true ? parseLedgerLine(text) : openLine(text, this.#keys);
          if (line !== null) reader.take(line);
        }
      } catch (error) {
        this.#onFault(error);
      }
  }
}
