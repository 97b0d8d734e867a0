/**
 * The store's side of the writer: a thread that all stores of the process share, but for logs of the audit, which have
 * one of their own: a batch that is carried to a log takes longer than whoever reads should wait. A thread is started
 * with the first write and again when it has died. Where its file is not to be found, as in a bundle, or no thread may
 * be started, as under Node's permissions, the writes are made in this thread.
 */
import { Worker } from "node:worker_threads";
import type { Transferable } from "node:worker_threads";
import { VaultError } from "../../errors.ts";
import { receivedFailure } from "./failures.ts";
import type { Guard } from "./guard.ts";
import type { Answer, Given, Operations } from "./operations.ts";
import { threadFile, threadOptions } from "./thread-file.ts";
import { WriterHost } from "./writer-host.ts";
import type { FromWriter, ToWriter } from "./writer-host.ts";
import type { FileKind } from "./store-file.ts";
import type { OwnBytes } from "./units-taken.ts";
import type { WriterFile } from "./writer.ts";

/** Where writers run. */
interface WriterSide {
  /** Takes a message over, with the memory of `owned`. */
  post(message: ToWriter, owned: readonly OwnBytes[]): void;
  /** One request more is under way, or one less: only then it keeps the process alive. */
  count(more: 1 | -1): void;
}

/** What the writers tell a store. */
interface Client {
  received(message: FromWriter): void;
  lost(dead: WriterSide, cause: unknown): void;
}

/** The clients that are open, by number. */
const clients = new Map<number, Client>();
let lastClient = 0;
/** By the kinds of files that are written there. */
const sides = new Map<"stores" | "log", WriterSide>();

function currentSide(kind: FileKind): WriterSide {
  const place = kind === "audit" ? "log" : "stores";
  const side = sides.get(place) ?? otherThread() ?? new SameThread();
  sides.set(place, side);
  return side;
}

/** Null where its file is not to be found, or the process may start no thread. */
function otherThread(): WriterSide | null {
  const file = threadFile();
  try {
    return file === null ? null : new OtherThread(file);
  } catch {
    return null;
  }
}

function received(message: FromWriter): void {
  clients.get(message.store)?.received(message);
}

/** The writers died with all that was asked of them. */
function ended(dead: WriterSide, cause: unknown): void {
  for (const [place, side] of sides) if (side === dead) sides.delete(place);
  for (const client of clients.values()) client.lost(dead, cause);
}

class OtherThread implements WriterSide {
  readonly #worker: Worker;
  #underWay = 0;

  constructor(file: URL) {
    this.#worker = new Worker(file, { name: "strongroom-writer", execArgv: threadOptions(file) });
    let cause: unknown = null;
    this.#worker.on("message", received);
    this.#worker.on("error", (error) => {
      cause = error;
    });
    this.#worker.once("exit", () => {
      ended(this, cause);
    });
    // Waiting for work must not keep the process alive.
    this.#worker.unref();
  }

  post(message: ToWriter, owned: readonly OwnBytes[]): void {
    this.#worker.postMessage(
      message,
      owned.map(({ buffer }): Transferable => buffer),
    );
  }

  count(more: 1 | -1): void {
    this.#underWay += more;
    if (this.#underWay > 0) this.#worker.ref();
    else this.#worker.unref();
  }
}

class SameThread implements WriterSide {
  readonly #host = new WriterHost(received, { takeMore: () => undefined, sleep: null });

  post(message: ToWriter): void {
    this.#host.take(message);
  }

  /** What a writer waits for here does by itself. */
  count(): void {
    return undefined;
  }
}

/** What may be made although nobody was told, and would be taken for another's by who tries again, or be made twice. */
const ASKED_FOR: ReadonlySet<string> = new Set(["apply", "create", "append", "integrate"]);

interface UnderWay {
  readonly name: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** What one store has of the writer. */
export class WriterClient<Own extends Operations<Own>> implements Client {
  readonly #number: number;
  readonly #file: WriterFile;
  readonly #guard: Guard;
  readonly #underWay = new Map<number, UnderWay>();
  #lastRequest = 0;
  /** Where this store's writer is open; null: nowhere. */
  #side: WriterSide | null = null;
  #closed: (() => void) | null = null;

  constructor(file: Omit<WriterFile, "known" | "committing">, guard: Guard) {
    this.#number = ++lastClient;
    this.#guard = guard;
    this.#file = { ...file, known: guard.known, committing: new BigInt64Array(new SharedArrayBuffer(8)) };
    clients.set(this.#number, this);
    // A thread takes a while to start: the first write is not to wait for it.
    this.#opened();
  }

  /**
   * Asks for a change. `owned` is memory that goes over to the writer, `bytes` how much there is to write.
   *
   * @throws VaultError `outcome-unknown`, `store-failed` when the thread died before it answered; and what the change
   *   itself comes to
   */
  send<Name extends keyof Own & string>(
    name: Name,
    given: Given<Own, Name>,
    { owned = [], bytes = 0 }: { readonly owned?: readonly OwnBytes[]; readonly bytes?: number } = {},
  ): Promise<Answer<Own, Name>> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const number = ++this.#lastRequest;
    const to = this.#opened();
    try {
      to.post({ kind: "write", store: this.#number, request: { number, name, given, bytes } }, owned);
    } catch (cause) {
      // What cannot be sent to a thread, a function for one, is nothing that a vault asks for.
      throw new VaultError("store-failed", "The store does not take this: it holds more than plain values", { cause });
    }
    this.#underWay.set(number, { name, resolve, reject });
    to.count(1);
    return promise as Promise<Answer<Own, Name>>;
  }

  /** When nothing is under way any more. */
  async close(): Promise<void> {
    const open = this.#side;
    if (open !== null) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      this.#closed = () => {
        resolve(undefined);
      };
      open.count(1);
      open.post({ kind: "close", store: this.#number }, []);
      await promise;
      open.count(-1);
    }
    clients.delete(this.#number);
  }

  received(message: FromWriter): void {
    if (message.kind === "closed") {
      this.#closed?.();
      return;
    }
    const replaced = this.#noted(message.commits);
    for (const answer of message.answers) {
      const one = this.#take(answer.number);
      if (one === undefined) continue;
      if ("failure" in answer) one.reject(receivedFailure(answer.failure));
      else if (replaced !== null) one.reject(replaced);
      else one.resolve(answer.result);
    }
  }

  /**
   * The thread is gone: what went into its last commit may be in the database, and nothing else is. Of units, new keys
   * and entries that is said as it is; everything else names a fence, a stamp or an epoch, and is simply tried again.
   */
  lost(dead: WriterSide, cause: unknown): void {
    if (this.#side !== dead) return;
    this.#side = null;
    const committing = Atomics.load(this.#file.committing, 0);
    for (const number of [...this.#underWay.keys()]) {
      const one = this.#take(number);
      const isUnknown = BigInt(number) <= committing && one !== undefined && ASKED_FOR.has(one.name);
      one?.reject(
        isUnknown
          ? new VaultError("outcome-unknown", "The thread that writes ended while the write was committed", { cause })
          : new VaultError("store-failed", "The thread that writes ended before it made the change", { cause }),
      );
    }
    this.#closed?.();
  }

  /** What is acknowledged lies in the file that bears the vault's name, also now. */
  #noted(commits: number): unknown {
    try {
      this.#guard.committed(commits);
      this.#guard.requireFiles();
      return null;
    } catch (error) {
      return error;
    }
  }

  #take(number: number): UnderWay | undefined {
    const one = this.#underWay.get(number);
    if (one === undefined) return undefined;
    this.#underWay.delete(number);
    this.#side?.count(-1);
    return one;
  }

  #opened(): WriterSide {
    const current = currentSide(this.#file.kind);
    if (this.#side !== current) {
      current.post({ kind: "open", store: this.#number, file: { ...this.#file, known: this.#guard.known } }, []);
      this.#side = current;
    }
    return current;
  }
}
