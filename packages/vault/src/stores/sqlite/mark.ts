/**
 * The mark beside the database: which vault it is and how many changes it had seen, outside of the file, so that a file
 * that was emptied, cut, or exchanged for an older copy does not pass for the vault.
 *
 * It is written after each commit and never before one: it may be behind the database, never ahead. The system's memory
 * has it at once, which outlives the process; the disk has it within {@link SYNC_MS}, which is what the loss of power
 * may take back.
 */
import { close, closeSync, constants, fdatasync, fdatasyncSync, openSync, readSync, writeSync } from "node:fs";
import { promisify } from "node:util";
import { VaultError } from "../../errors.ts";

/** What a database must at least have. */
export interface Marked {
  readonly vault: string;
  readonly commits: number;
}

const SYNC_MS = 1000;
/** Within one sector, so that it is written whole or not at all. */
const LENGTH = 128;
const FORM = /^strongroom-vault-mark\/1 ([0-9a-f-]{36}) ([0-9]{1,16}) *\n$/;

/** Where the mark of a database is. */
export const markPath = (path: string): string => `${path}.mark`;

/** An open mark. */
export class Mark {
  readonly #file: number;
  #last: number;
  #unsynced: NodeJS.Timeout | null = null;
  /** What it said when it was opened; null for a new one. */
  readonly found: Marked | null;

  private constructor(file: number, found: Marked | null) {
    this.#file = file;
    this.found = found;
    this.#last = found?.commits ?? -1;
  }

  /** Opens it, or makes it. @throws VaultError `store-set-back` when it cannot be read */
  static open(path: string): Mark {
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
    const file = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
    try {
      return new Mark(file, read(file));
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /** Notes what is committed. A disk that does not take it leaves a mark that is behind, which is no one's failure. */
  note({ vault, commits }: Marked): void {
    if (commits <= this.#last) return;
    try {
      const text = `strongroom-vault-mark/1 ${vault} ${commits}`;
      writeSync(this.#file, Buffer.from(`${text.padEnd(LENGTH - 1)}\n`), 0, LENGTH, 0);
      this.#last = commits;
    } catch {
      return;
    }
    this.#unsynced ??= setTimeout(() => {
      this.#unsynced = null;
      try {
        fdatasync(this.#file, () => undefined);
      } catch {
        // Node's permissions allow it to nobody.
      }
    }, SYNC_MS).unref();
  }

  async close(): Promise<void> {
    if (this.#unsynced !== null) clearTimeout(this.#unsynced);
    try {
      fdatasyncSync(this.#file);
    } catch {
      // As above: what is stored is stored, with a mark that may be behind.
    }
    await promisify(close)(this.#file);
  }
}

/** What the mark of a database says, without opening it for writing; null when there is none. */
export function readMark(path: string): Marked | null {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  try {
    return read(file);
  } finally {
    closeSync(file);
  }
}

function read(file: number): Marked | null {
  const bytes = Buffer.alloc(LENGTH + 1);
  const length = readSync(file, bytes, 0, bytes.length, 0);
  if (length === 0) return null;
  const [, vault, commits] = FORM.exec(bytes.toString("latin1", 0, length)) ?? [];
  if (vault === undefined || commits === undefined || !Number.isSafeInteger(Number(commits)))
    throw new VaultError("store-set-back", "The mark beside the database cannot be read: it was cut or changed");
  return { vault, commits: Number(commits) };
}
