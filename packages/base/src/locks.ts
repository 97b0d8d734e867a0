/**
 * Locks between processes that die with their holder: an exclusive transaction held open on an empty SQLite file. The
 * operating system drops it however the process ends, so a killed one leaves no lock behind and no process id or age
 * has to be guessed at; SQLite tells connections of one process apart, which bare POSIX locks do not.
 *
 * The file stays when the lock is released. Removed, it could be locked by one who still has it open and again, under
 * the same name, by one who made it anew.
 */
import { chmodSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";

/** A held lock. */
export interface Lock {
  /** Lets go of it; a second time does nothing. */
  release(): void;
}

/** Why a lock was not taken: someone holds it, or its file cannot be made, opened or locked. */
export type LockErrorCode = "lock-held" | "lock-unusable";

/** Thrown when a lock was not taken. Told by its `code`: each package carries a class of its own. */
export class LockError extends Error {
  override readonly name = "LockError";
  readonly code: LockErrorCode;

  constructor(code: LockErrorCode, path: string, cause: unknown) {
    super(code === "lock-held" ? `${path} is locked` : `${path} cannot be opened and locked`, { cause });
    this.code = code;
  }
}

/** Whether taking a lock failed because someone else holds it. */
export function isLockHeld(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === ("lock-held" satisfies LockErrorCode);
}

/** Longest pause between two tries, in milliseconds. Random, so that those who wait do not keep meeting. */
const PAUSE_MS = 20;
/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/**
 * Takes the lock of the file `path`, which is made (0600) when absent.
 *
 * @param blockMs how long to wait for another holder, in milliseconds; nothing else runs in this process meanwhile
 * @throws LockError `lock-held`, `lock-unusable`
 */
export function takeLock(path: string, { blockMs = 0 }: { readonly blockMs?: number } = {}): Lock {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: blockMs });
    // By its name: to open the file beside SQLite and close it again would drop this process's locks on it.
    chmodSync(path, 0o600);
    // No journal file: nothing is ever written.
    database.exec("pragma journal_mode = memory; begin exclusive");
  } catch (error) {
    database?.close();
    const busy = error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY;
    throw new LockError(busy ? "lock-held" : "lock-unusable", path, error);
  }
  const held = database;
  return {
    release: () => {
      if (held.isOpen) held.close();
    },
  };
}

/**
 * Takes the lock, waiting for another holder without stopping this process.
 *
 * @param patienceMs how long to wait, in milliseconds
 * @throws LockError `lock-held` when the time is up, `lock-unusable`
 */
export async function waitForLock(path: string, { patienceMs }: { readonly patienceMs: number }): Promise<Lock> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      return takeLock(path);
    } catch (error) {
      if (!isLockHeld(error) || performance.now() >= until) throw error;
      await delay(Math.random() * PAUSE_MS);
    }
  }
}
