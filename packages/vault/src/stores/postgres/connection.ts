/**
 * Statements on the caller's pool. What is kept here: every wait has an end; it is known whether a statement whose
 * connection was lost had been sent; a lost connection ends no process; and nothing is left on a session that the
 * pool gives to somebody else, or a pooler to another client.
 */
import { createHash } from "node:crypto";
import { VaultError } from "../../errors.ts";
import type { Columns } from "./columns.ts";
import { isContention, isFatal, isForeignSession, outcomeUnknown, storeFailure } from "./errors.ts";

/** A statement as `pg` takes it. */
export interface PostgresQuery {
  readonly text: string;
  readonly values?: unknown[];
  readonly name?: string;
  readonly types?: { readonly getTypeParser: () => (value: string) => unknown };
}

/** What a client answers. */
export interface PostgresResult {
  readonly rows: unknown[];
}

/** A connection: `pg.Client`, `pg.PoolClient`, or what has these members. */
export interface PostgresClient {
  query(query: PostgresQuery): Promise<PostgresResult>;
}

/** A connection that goes back to its pool. */
export interface PostgresPoolClient extends PostgresClient {
  release(destroy?: Error | boolean): void;
}

/** `pg.Pool`, or what has these members. */
export interface PostgresPool {
  connect(): Promise<PostgresPoolClient>;
  end(): Promise<void>;
}

/** A statement of the store's own. */
export interface Statement {
  readonly text: string;
  /** By which a session keeps it prepared. */
  readonly name: string;
}

/** The name goes by the text: no two programs give one name to two texts. */
export function statement(text: string): Statement {
  return { text, name: `strongroom_${createHash("sha256").update(text).digest("hex").slice(0, 24)}` };
}

/** `$1, $2, …`. */
export const placeholders = (count: number): string =>
  Array.from({ length: count }, (_, index) => `$${index + 1}`).join(", ");

/** How long is waited, in milliseconds. */
export interface ConnectionTimes {
  /** For a connection of the pool. */
  readonly connectTimeoutMs: number;
  /** For the answer to a statement; the connection is given up then. */
  readonly answerTimeoutMs: number;
}

/** What becomes of a statement whose answer was lost. */
export type Loss =
  /** It is done again on another connection: it reads, or twice is the same as once. */
  | "repeat"
  /** `store-failed`: whoever asked for it asks again, and is told by then what he must know. */
  | "fail"
  /** `outcome-unknown`. */
  | "unknown";

/** Tries of a statement that the server rolled back because of others. */
const CONTENTION_TRIES = 10;

/**
 * Connections on which a statement is tried that may be repeated: a server that was started again has ended every one
 * that a pool holds, and the pool does not know it of all of them at once.
 */
const CONNECTION_TRIES = 10;

/** Columns as the server writes them: parsers are the caller's, and not the same in every program. */
export const AS_TEXT: { readonly getTypeParser: () => (value: string) => string } = {
  getTypeParser: () => (value) => value,
};

/** Pools and clients whose errors somebody takes. */
const listenedTo = new WeakSet<object>();

const ignored = (): void => undefined;

/** The store's use of a pool. */
export class Connections {
  readonly #pool: PostgresPool;
  readonly #times: ConnectionTimes;
  #isNamed: boolean;

  constructor(pool: PostgresPool, times: ConnectionTimes, { isNamed }: { readonly isNamed: boolean }) {
    this.#pool = pool;
    this.#times = times;
    this.#isNamed = isNamed;
    takeErrors(pool);
  }

  /** Whether statements are prepared once for each session. */
  get isNamed(): boolean {
    return this.#isNamed;
  }

  set isNamed(isNamed: boolean) {
    this.#isNamed = isNamed;
  }

  /**
   * One statement, a transaction of its own.
   *
   * @throws VaultError `outcome-unknown` when the answer was lost and `loss` says so; others as the server's answer
   */
  async run(query: Statement, values: readonly unknown[], loss: Loss): Promise<readonly Columns[]> {
    let losses = 0;
    for (let attempt = 1; ; attempt++) {
      const connection = await this.#connect();
      try {
        return await connection.query(query, values, { isNamed: this.#isNamed });
      } catch (error) {
        if (isForeignSession(error) && this.#isNamed) {
          this.#isNamed = false;
          continue;
        }
        if (isContention(error) && attempt < CONTENTION_TRIES) continue;
        if (!isFatal(error)) throw storeFailure(error);
        if (connection.isSent && loss === "unknown") throw outcomeUnknown(error);
        losses += 1;
        if (losses >= CONNECTION_TRIES || isLate(error) || (connection.isSent && loss === "fail"))
          throw storeFailure(error);
      } finally {
        connection.release();
      }
    }
  }

  /**
   * Several statements in one transaction; what throws rolls it back. What the server rolled back because of others is
   * done again from its beginning.
   *
   * @throws VaultError as {@link run}; `outcome-unknown` only when the answer to the commit was lost
   */
  async transaction<Result>(
    lockTimeoutMs: number,
    work: (connection: Connection) => Promise<Result>,
    loss: Exclude<Loss, "repeat"> = "fail",
  ): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#transactOnce(lockTimeoutMs, work, loss);
      } catch (error) {
        if (error instanceof RollBack) throw error;
        if (!isContention(error) || attempt >= CONTENTION_TRIES) throw storeFailure(error);
      }
    }
  }

  /** @throws RollBack, VaultError, and what the server says */
  async #transactOnce<Result>(
    lockTimeoutMs: number,
    work: (connection: Connection) => Promise<Result>,
    loss: Exclude<Loss, "repeat">,
  ): Promise<Result> {
    // A lock is waited for beside the time that an answer may take.
    const answerTimeoutMs = Math.min(this.#times.answerTimeoutMs + lockTimeoutMs, LONGEST_WAIT_MS);
    const connection = await this.#connect(answerTimeoutMs);
    let isCommitting = false;
    try {
      await connection.query(begin({ lockTimeoutMs, answerTimeoutMs }), [], { isNamed: false });
      const result = await work(connection);
      isCommitting = true;
      await connection.query(COMMIT, [], { isNamed: false });
      return result;
    } catch (error) {
      if (isCommitting && isFatal(error) && loss === "unknown") throw outcomeUnknown(error);
      if (!connection.isLost) await connection.query(ROLLBACK, [], { isNamed: false }).catch(ignored);
      throw error;
    } finally {
      connection.release();
    }
  }

  /** @throws VaultError `store-failed` */
  async #connect(answerTimeoutMs: number = this.#times.answerTimeoutMs): Promise<Connection> {
    let waiting: Promise<PostgresPoolClient> | undefined;
    try {
      waiting = this.#pool.connect();
      const client = await within(this.#times.connectTimeoutMs, waiting, "The pool gave no connection in time");
      return new Connection(client, answerTimeoutMs);
    } catch (error) {
      // One that comes when nobody waits any more goes back.
      waiting?.then((client) => {
        client.release();
      }, ignored);
      throw storeFailure(error);
    }
  }

  /** A connection of the pool's, for as long as `work` takes. */
  async borrow<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const connection = await this.#connect();
    try {
      return await work(connection);
    } catch (error) {
      throw storeFailure(error);
    } finally {
      connection.release();
    }
  }

  async end(): Promise<void> {
    await this.#pool.end();
  }
}

/** Thrown in a transaction, and out of it, to make nothing of it. */
export class RollBack extends Error {}

const literal = (text: string): Statement => ({ text, name: "" });
const COMMIT = literal("commit");
const ROLLBACK = literal("rollback");

/** Longest time that a timer or a setting of the server takes, in milliseconds. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/**
 * What ends with the transaction: time-outs, also of statements, which a role may have shorter than a flip waits; no
 * function or operator but the server's own; no names written otherwise; and what is answered as done is on the disk.
 * One statement of several parts: no round trip more.
 */
const begin = ({ lockTimeoutMs, answerTimeoutMs }: Readonly<Record<"lockTimeoutMs" | "answerTimeoutMs", number>>) =>
  literal(
    `begin isolation level read committed; set local search_path = pg_catalog, pg_temp; ` +
      `set local lock_timeout = ${Math.ceil(lockTimeoutMs)}; ` +
      `set local statement_timeout = ${Math.ceil(answerTimeoutMs)}; ` +
      "set local idle_in_transaction_session_timeout = 60000; set local quote_all_identifiers = off; " +
      "select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'",
  );

/** One client while the store has it. */
export class Connection {
  readonly #client: PostgresPoolClient;
  readonly #answerTimeoutMs: number;
  readonly #stopListening: () => void;
  #loss: Error | null = null;
  #isSent = false;

  constructor(client: PostgresPoolClient, answerTimeoutMs: number) {
    this.#client = client;
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#stopListening = listenTo(client, (error) => {
      this.#loss ??= asError(error);
    });
  }

  /** Whether a statement has gone to the server, as far as can be told: yes, unless the client says that it was not. */
  get isSent(): boolean {
    return this.#isSent;
  }

  get isLost(): boolean {
    return this.#loss !== null;
  }

  /** The process that the server, or a pooler before it, named when the connection was made; null: it is not told. */
  get processId(): number | null {
    const { processID: id } = this.#client as { readonly processID?: unknown };
    return typeof id === "number" ? id : null;
  }

  /** @throws what the driver throws */
  async query(
    { text, name }: Statement,
    values: readonly unknown[],
    { isNamed }: { readonly isNamed: boolean },
  ): Promise<readonly Columns[]> {
    if (this.#loss !== null) throw this.#loss;
    try {
      const query = {
        text,
        types: AS_TEXT,
        ...(values.length === 0 ? {} : { values: [...values] }),
        ...(isNamed ? { name } : {}),
      };
      const answer = this.#client.query(query);
      this.#isSent = true;
      const { rows } = await within(this.#answerTimeoutMs, answer, "The database gave no answer in time");
      return rows as readonly Columns[];
    } catch (error) {
      if (isFatal(error)) this.#loss ??= asError(error);
      if (isUnsent(error)) this.#isSent = false;
      throw error;
    }
  }

  release(): void {
    if (this.#loss === null) {
      this.#stopListening();
      this.#client.release();
      return;
    }
    // Its listener stays: a connection that is taken down may have more to say.
    this.#client.release(this.#loss);
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** What `pg` says when it has not written a statement. */
const isUnsent = (error: unknown): boolean => error instanceof Error && error.message.endsWith("is not queryable");

const LATE = Symbol("late");
const isLate = (error: unknown): boolean => typeof error === "object" && error !== null && LATE in error;

/** Rejects when it takes longer; what comes later is let go. */
export async function within<Result>(milliseconds: number, work: Promise<Result>, message: string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(Object.assign(new VaultError("store-failed", message), { [LATE]: true }));
    }, milliseconds);
  });
  work.catch(ignored);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Without a listener, a connection that the server closes ends the process: while it is idle, and in the very moment in
 * which the pool gives it out as well, when the pool listens no more and whoever asked for it does not yet.
 */
export function takeErrors(pool: PostgresPool): void {
  if (listenedTo.has(pool)) return;
  listenedTo.add(pool);
  listenTo(pool, ignored);
  const { on } = pool as { readonly on?: (event: "acquire", listener: (client: object) => void) => unknown };
  if (typeof on !== "function") return;
  on.call(pool, "acquire", (client) => {
    if (!listenedTo.has(client)) listenTo(client, ignored);
    listenedTo.add(client);
  });
}

interface Emitter {
  on(event: "error", listener: (error: unknown) => void): unknown;
  off(event: "error", listener: (error: unknown) => void): unknown;
}

/** Listens to errors, where there are any to listen to. */
function listenTo(emitter: object, listener: (error: unknown) => void): () => void {
  const { on, off } = emitter as Partial<Emitter>;
  if (typeof on !== "function" || typeof off !== "function") return ignored;
  on.call(emitter, "error", listener);
  return () => {
    off.call(emitter, "error", listener);
  };
}
