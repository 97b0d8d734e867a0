/**
 * The one writer of a process for one database. Everything that waits when a transaction begins goes into it: each
 * request under a savepoint of its own, so that what it meets rolls back only itself, then one durable commit, then all
 * are answered. Nothing is awaited between the beginning and the commit.
 */
import { connectSqliteFile, sqliteFailure } from "@strongroom/base/sqlite";
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import { VaultError } from "../../errors.ts";
import { commitFailure, sentFailure, storeFailure } from "./failures.ts";
import type { SentFailure } from "./failures.ts";
import { Guard } from "./guard.ts";
import type { Known } from "./guard.ts";
import { OpenFiles } from "./open-files.ts";
import { OPERATIONS } from "./operations.ts";
import { Connection } from "./statements.ts";
import type { FileKind } from "./store-file.ts";
import { Undone } from "./undone.ts";

/** The database of a writer, as the store opened it. */
export interface WriterFile {
  readonly path: string;
  /** Which operations it is asked for. */
  readonly kind: FileKind;
  readonly busyTimeoutMs: number;
  readonly maxBytes: number;
  readonly known: Known;
  /** The number of the last request that went into a commit, for whoever finds the writer dead. */
  readonly committing: BigInt64Array;
}

/** What is asked of a writer. Numbers only grow. */
export interface WriteRequest {
  readonly number: number;
  /** Of an operation of the file's kind, and what it is given: the client's types see to that. */
  readonly name: string;
  readonly given: readonly unknown[];
  /** Of its messages. */
  readonly bytes: number;
}

export type WriteAnswer =
  { readonly number: number; readonly result: unknown } | { readonly number: number; readonly failure: SentFailure };

/** What a writer has of where it runs. */
export interface WriterPlace {
  /** Takes what has come in meanwhile, without waiting. */
  readonly takeMore: () => void;
  /** `commits`: how many changes the database has now. */
  readonly answer: (answers: readonly WriteAnswer[], commits: number) => void;
  /** Stops this thread for a moment, in milliseconds; null where that would stop everyone else. */
  readonly sleep: ((ms: number) => void) | null;
}

/** What one transaction takes at most: whoever comes after it does not wait for more. */
export const GROUP_LIMITS: { readonly requests: number; readonly bytes: number } = {
  requests: 256,
  bytes: 16 * 1024 * 1024,
};

/** Between two tries for the lock, in milliseconds: shorter than a commit takes. */
const TRY_MS = 0.25;
/** How long a writer tries without letting its thread do anything else, in milliseconds. */
const TRYING_MS = 10;
/** After a commit while others wait, in milliseconds: each of them tries at least once meanwhile. */
const YIELD_MS = 0.6;
/** How long after others were last noticed they are taken to be there, in milliseconds. */
const OTHERS_MS = 100;

interface Waiting extends WriteRequest {
  /** When it is given up, if the lock is not had before. */
  readonly until: number;
  /** In a transaction of its own: one with others was lost as a whole. */
  readonly isAlone: boolean;
}

interface OpenWriter {
  readonly connection: Connection;
  readonly guard: Guard;
}

/** Makes the changes of one database that are asked of it, in groups. */
export class Writer {
  readonly #file: WriterFile;
  readonly #place: WriterPlace;
  #waiting: Waiting[] = [];
  #open: OpenWriter | null = null;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  #othersAt = Number.NEGATIVE_INFINITY;

  constructor(file: WriterFile, place: WriterPlace) {
    this.#file = file;
    this.#place = place;
  }

  add(request: WriteRequest): void {
    this.#waiting.push({ ...request, until: performance.now() + this.#file.busyTimeoutMs, isAlone: false });
    if (!this.#isRunning) this.#running = this.#run();
  }

  /** Lets what is asked of it end. */
  async close(): Promise<void> {
    while (this.#isRunning) await this.#running;
    this.#open?.connection.close();
    this.#open = null;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      await this.#untilDone();
    } finally {
      // At once: whoever asks from now on must start it again.
      this.#isRunning = false;
    }
  }

  async #untilDone(): Promise<void> {
    // What is sent along with the first request is to be in the same transaction.
    if (this.#place.sleep === null) await turn();
    let triedSince = performance.now();
    while (this.#waiting.length > 0) {
      const begun = this.#begin();
      if (begun === null) {
        this.#othersAt = performance.now();
        this.#giveUp();
        const canSleep = performance.now() - triedSince < TRYING_MS;
        if (canSleep) this.#place.sleep?.(TRY_MS);
        if (!canSleep || this.#place.sleep === null) await delay(1);
        this.#place.takeMore();
        continue;
      }
      if (begun !== "failed") {
        this.#place.takeMore();
        this.#commit(begun, this.#takeGroup());
        if (performance.now() - this.#othersAt < OTHERS_MS) {
          if (this.#place.sleep === null) await delay(1);
          else this.#place.sleep(YIELD_MS);
        }
      }
      this.#place.takeMore();
      await turn();
      triedSince = performance.now();
    }
  }

  /** Null: another process has the lock. `failed`: whoever waited was told why. */
  #begin(): OpenWriter | null | "failed" {
    try {
      const open = (this.#open ??= openAgain(this.#file));
      open.guard.requireFiles();
      open.connection.exec("begin immediate");
      return open;
    } catch (error) {
      if (sqliteFailure(error) === "busy") return null;
      this.#fail(this.#waiting.splice(0), error);
      return "failed";
    }
  }

  /** Those whose patience is at an end. */
  #giveUp(): void {
    const now = performance.now();
    const over = this.#waiting.filter(({ until }) => until <= now);
    if (over.length === 0) return;
    this.#waiting = this.#waiting.filter(({ until }) => until > now);
    this.#fail(over, new VaultError("store-failed", BUSY));
  }

  #takeGroup(): readonly Waiting[] {
    let [taken, bytes] = [0, 0];
    for (const request of this.#waiting) {
      bytes += request.bytes;
      const isFirst = taken === 0;
      if (!isFirst && (request.isAlone || bytes > GROUP_LIMITS.bytes || taken >= GROUP_LIMITS.requests)) break;
      taken++;
      if (request.isAlone) break;
    }
    return this.#waiting.splice(0, taken);
  }

  #commit({ connection, guard }: OpenWriter, group: readonly Waiting[]): void {
    const before = guard.commits;
    try {
      const commits = guard.count();
      if (commits > before + 1) this.#othersAt = performance.now();
      const done = group.map((request) => doOne(connection, this.#file.kind, request));
      if (done.some(({ isMade }) => isMade)) {
        Atomics.store(this.#file.committing, 0, BigInt(group.at(-1)?.number ?? 0));
        commit(connection);
        guard.requireFiles();
        guard.committed(commits);
      } else {
        connection.rollback();
      }
      this.#place.answer(
        done.map(({ answer }) => answer),
        guard.commits,
      );
    } catch (error) {
      connection.rollback();
      // What made SQLite lose the whole transaction was one of them, or all of them together.
      if (error instanceof Lost && group.length > 1)
        this.#waiting = group.map((request) => ({ ...request, isAlone: true })).concat(this.#waiting);
      else this.#fail(group, error instanceof Lost ? error.cause : error);
    }
  }

  #fail(requests: readonly Waiting[], error: unknown): void {
    const failure = sentFailure(error);
    this.#place.answer(
      requests.map(({ number }) => ({ number, failure })),
      this.#open?.guard.commits ?? 0,
    );
  }
}

const BUSY = storeFailure(Object.assign(new Error("busy"), { errcode: 5 })).message;

/** The whole transaction is lost, and not only what one request has done in it. */
class Lost extends Error {
  constructor(cause: unknown) {
    super("the transaction was lost", { cause });
  }
}

type AnyOperation = (connection: Connection, ...given: readonly unknown[]) => unknown;

interface Done {
  readonly answer: WriteAnswer;
  readonly isMade: boolean;
}

function doOne(connection: Connection, kind: FileKind, { number, name, given }: WriteRequest): Done {
  try {
    connection.exec("savepoint request");
    const operation = (OPERATIONS[kind] as Readonly<Record<string, AnyOperation>>)[name];
    if (operation === undefined) throw new VaultError("store-failed", "The store has no such operation");
    // eslint-disable-next-line no-restricted-syntax -- the arguments of one call: at most three
    const result = operation(connection, ...given);
    const isMade = !(result instanceof Undone);
    connection.exec(isMade ? "release request" : "rollback to request; release request");
    return { answer: { number, result: isMade ? result : result.answer }, isMade };
  } catch (error) {
    // On a full disk or an I/O error SQLite may have rolled back everything by itself.
    if (!connection.database.isTransaction) throw new Lost(error);
    try {
      connection.exec("rollback to request; release request");
    } catch {
      throw new Lost(error);
    }
    return { answer: { number, failure: sentFailure(error) }, isMade: false };
  }
}

function commit(connection: Connection): void {
  try {
    connection.exec("commit");
  } catch (error) {
    const failure = commitFailure(error);
    throw failure === error ? new Lost(error) : failure;
  }
}

/** Of pages that were written, in KiB: ids are random, so that each of a large group lies on a page of its own. */
const WRITE_CACHE_KIB = 16 * 1024;

/** Never makes a file in the place of one that is gone. */
function openAgain({ path, maxBytes, known }: WriterFile): OpenWriter {
  new OpenFiles(path, known.files).require();
  const connection = new Connection(connectSqliteFile(path, { synchronous: "full", busyTimeoutMs: 0, maxBytes }));
  connection.exec(`pragma cache_size = -${WRITE_CACHE_KIB}`);
  return { connection, guard: Guard.again(connection, path, known) };
}
