/**
 * Reads of one caller that come together are told in one entry, as those of a list are. An entry is a row in two stores
 * and a leaf of the log whatever it tells: under load each read would pay for all of that. Whoever reads alone has an
 * entry alone, and waits no longer than before.
 */
import { isVaultError } from "../errors.ts";
import type { ReleasedRead } from "./auditor.ts";

/** Reads of one entry: of more each saves hardly anything, and a person's access log has all of an entry. */
export const READS_TOGETHER = 16;

/** What is wrong with one read of several: the others are to be written. */
const OF_ONE: ReadonlySet<string> = new Set(["subject-restricted", "subject-erased", "record-tampered"]);

/** Why several reads cannot be one entry. Each may be one. */
export class NotTogether extends Error {
  override readonly name = "NotTogether";
}

/** Writes one entry of reads. @throws NotTogether */
export type WriteReads = (reads: readonly ReleasedRead[]) => Promise<void>;

interface Together {
  readonly reads: ReleasedRead[];
  readonly written: Promise<void>;
}

/** Those that wait for their entry to be made, for each caller. */
export class ReadsTogether {
  readonly #waiting = new Map<string, Together>();

  /**
   * Resolves when the read is told.
   *
   * @param of whose it is, and in which collection: what one entry says once
   * @throws what `write` throws
   */
  async tell(of: string, read: ReleasedRead, write: WriteReads): Promise<void> {
    const open = this.#waiting.get(of);
    const together = open !== undefined && open.reads.length < READS_TOGETHER ? open : this.#begin(of, write);
    together.reads.push(read);
    try {
      await together.written;
    } catch (error) {
      if (together.reads.length === 1 || !isOfOne(error)) throw error;
      await write([read]);
    }
  }

  #begin(of: string, write: WriteReads): Together {
    const reads: ReleasedRead[] = [];
    // Who asks in the same turn is in the same entry.
    const written = Promise.resolve().then(() => {
      if (this.#waiting.get(of) === together) this.#waiting.delete(of);
      return write(reads);
    });
    const together = { reads, written };
    this.#waiting.set(of, together);
    return together;
  }
}

const isOfOne = (error: unknown): boolean =>
  error instanceof NotTogether || (isVaultError(error) && OF_ONE.has(error.code));
