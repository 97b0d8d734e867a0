/**
 * Whether the files that SQLite has open are still those under their names. SQLite goes on in a file that was deleted
 * or renamed over, and everything that it acknowledges there is lost.
 */
import { realpathSync, statSync } from "node:fs";
import { VaultError } from "../../errors.ts";

/** Endings of the files of one database. */
const ENDINGS = ["", "-wal", "-shm"] as const;
type Ending = (typeof ENDINGS)[number];

/** Which files they are: by device and inode. Null: it was not there. */
export type FileIdentities = Readonly<Record<Ending, string | null>>;

/** The files of an open database, as they were when it was opened. */
export class OpenFiles {
  readonly #paths: Readonly<Record<Ending, string>>;
  /** As they were found, for another connection to the same database. */
  readonly identities: FileIdentities;
  #logBytes = 0n;

  /**
   * @param identities of a connection that is open already; left out: as they are now. The database must have been
   *   read: only then are the files of its log there.
   */
  constructor(path: string, identities?: FileIdentities) {
    // SQLite keeps the log beside the file itself, wherever a link to it lies.
    const file = statSync(path, { throwIfNoEntry: false }) === undefined ? path : realpathSync(path);
    this.#paths = { "": path, "-wal": `${file}-wal`, "-shm": `${file}-shm` };
    this.identities = identities ?? {
      "": identityOf(this.#paths[""])?.name ?? null,
      "-wal": identityOf(this.#paths["-wal"])?.name ?? null,
      "-shm": identityOf(this.#paths["-shm"])?.name ?? null,
    };
    this.#logBytes = this.logSize();
  }

  /**
   * Answers whether the log is shorter than it was: another process has emptied it into the database, or a hand cut it.
   *
   * @throws VaultError `store-replaced` naming which of the files is another one or gone
   */
  require(): boolean {
    let isShorter = false;
    for (const ending of ENDINGS) {
      const { name: found, size } = identityOf(this.#paths[ending]) ?? GONE;
      if (ending === "-wal") isShorter = this.#noted(size);
      if (found !== this.identities[ending])
        throw new VaultError(
          "store-replaced",
          `The ${WHAT[ending]} was ${found === "" ? "deleted" : "replaced"} while it was in use`,
        );
    }
    return isShorter;
  }

  /** As {@link require} answers, of the log alone. */
  logIsShorter(): boolean {
    return this.#noted(this.logSize());
  }

  #noted(size: bigint): boolean {
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

const GONE = { name: "", size: 0n } as const;

const WHAT: Readonly<Record<Ending, string>> = {
  "": "database file",
  "-wal": "database's write-ahead log",
  "-shm": "index of the database's write-ahead log",
};

function identityOf(path: string): { readonly name: string; readonly size: bigint } | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : { name: `${found.dev}:${found.ino}`, size: found.size };
}
