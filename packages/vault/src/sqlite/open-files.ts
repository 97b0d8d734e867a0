/**
 * Whether the files that SQLite has open are still those under their names. SQLite goes on in a file that was deleted
 * or renamed over, and everything that it acknowledges there is lost.
 */
import { realpathSync, statSync } from "node:fs";
import { VaultError } from "../errors.ts";

/** Endings of the files of one database. */
const ENDINGS = ["", "-wal", "-shm"] as const;
type Ending = (typeof ENDINGS)[number];

/** The files of an open database, as they were when it was opened. */
export class OpenFiles {
  readonly #paths: Readonly<Record<Ending, string>>;
  readonly #opened: readonly (string | null)[];
  #logBytes = 0n;

  /** The database must have been read: only then are the files of its log there. */
  constructor(path: string) {
    // SQLite keeps the log beside the file itself, wherever a link to it lies.
    const file = realpathSync(path);
    this.#paths = { "": path, "-wal": `${file}-wal`, "-shm": `${file}-shm` };
    this.#opened = ENDINGS.map((ending) => identityOf(this.#paths[ending])?.name ?? null);
    this.#logBytes = this.logSize();
  }

  /** @throws VaultError `store-replaced` naming which of the files is another one or gone */
  require(): void {
    for (const [index, ending] of ENDINGS.entries()) {
      const found = identityOf(this.#paths[ending]);
      if (found === null || found.name !== this.#opened[index])
        throw new VaultError(
          "store-replaced",
          `The ${WHAT[ending]} was ${found === null ? "deleted" : "replaced"} while it was in use`,
        );
    }
  }

  /** Whether the log is shorter than it was: another process has emptied it into the database, or a hand cut it. */
  logIsShorter(): boolean {
    const size = this.logSize();
    if (size < this.#logBytes) return true;
    this.#logBytes = size;
    return false;
  }

  /** Takes the log as it is now for whole. */
  acceptLog(): void {
    this.#logBytes = this.logSize();
  }

  logSize(): bigint {
    return identityOf(this.#paths["-wal"])?.size ?? 0n;
  }
}

const WHAT: Readonly<Record<Ending, string>> = {
  "": "database file",
  "-wal": "database's write-ahead log",
  "-shm": "index of the database's write-ahead log",
};

function identityOf(path: string): { readonly name: string; readonly size: bigint } | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : { name: `${found.dev}:${found.ino}`, size: found.size };
}
