/**
 * What the stores in SQLite have in common: one file, whose reads are made here, at once, each on one snapshot, and
 * whose changes are made by the writer, a thread of its own (writer.ts); its gate and its jobs.
 */
import { whileBusy } from "@strongroom/base/sqlite";
import { isVaultError, VaultError } from "../../errors.ts";
import type { Gate } from "../gate.ts";
import type { JobStore } from "../jobs.ts";
import { UnderWay } from "../under-way.ts";
import type { OpenFileOptions, OpenVaultFile } from "./database.ts";
import { storeFailure } from "./failures.ts";
import { currentGate } from "./gate-row.ts";
import type { Answer, CommonOperations, Given, Operations } from "./operations.ts";
import type { Connection } from "./statements.ts";
import type { OwnBytes } from "./units-taken.ts";
import { listPartitions } from "./write-jobs.ts";
import { WriterClient } from "./writer-client.ts";

/** How a file is opened where nothing else is said. */
export const DEFAULT_FILE_OPTIONS: OpenFileOptions = {
  busyTimeoutMs: 5000,
  maxBytes: Number.MAX_SAFE_INTEGER,
  mark: false,
  reserve: false,
};

/** A file that is open, and who writes to it. */
export class OpenStore<Own extends Operations<Own>> {
  readonly #file: OpenVaultFile;
  readonly #writer: WriterClient<Own>;
  readonly #busyTimeoutMs: number;
  readonly #underWay = new UnderWay();

  constructor(file: OpenVaultFile, { busyTimeoutMs, maxBytes }: Pick<OpenFileOptions, "busyTimeoutMs" | "maxBytes">) {
    this.#file = file;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#writer = new WriterClient({ path: file.path, kind: file.kind, busyTimeoutMs, maxBytes }, file.guard);
  }

  /** One snapshot. */
  read<Result>(query: (connection: Connection) => Result): Promise<Result> {
    const { connection, guard } = this.#file;
    return this.#run(() =>
      whileBusy(this.#busyTimeoutMs, async () => {
        guard.requireFiles();
        return connection.snapshot(() => {
          guard.requireState("read");
          return query(connection);
        });
      }),
    );
  }

  /**
   * A change that makes nothing more, or next to nothing: on a full disk it has the room that is kept for it.
   *
   * @param bytes how much of it is text
   */
  async reduce<Name extends keyof Own & string>(
    name: Name,
    given: Given<Own, Name>,
    bytes: number = 0,
  ): Promise<Answer<Own, Name>> {
    const { reserve } = this.#file;
    const isHeld = reserve?.isHeld === true;
    reserve?.releaseWhenScarce();
    try {
      return await this.#send(name, given, { bytes });
    } catch (error) {
      const isFull = isVaultError(error) && error.code === "store-full";
      // Of several that met the full disk together, the first one has given the room up for all.
      if (!isFull || !isHeld) throw error;
      reserve.release();
      return this.#send(name, given, { bytes });
    }
  }

  /**
   * A change that makes a little more: on a full disk it has half of the room that is kept, so that removing has the
   * other half.
   */
  note<Name extends keyof Own & string>(
    name: Name,
    given: Given<Own, Name>,
    bytes: number,
  ): Promise<Answer<Own, Name>> {
    if (this.#file.reserve?.hasHalf() === false) throw noRoom();
    return this.reduce(name, given, bytes);
  }

  /**
   * A change that takes over what waits in another file, where it is then dropped: on a full disk it gives up the room
   * that is kept for it before that file takes nothing more, and leaves half of as much to what removes.
   *
   * @param owned memory that goes over to the writer
   */
  async carry<Name extends keyof Own & string>(
    name: Name,
    given: Given<Own, Name>,
    owned: readonly OwnBytes[],
  ): Promise<Answer<Own, Name>> {
    const { reserve } = this.#file;
    reserve?.releaseForOthers();
    if (reserve?.hasHalf() === false) throw noRoom();
    try {
      return await this.change(name, given, owned);
    } catch (error) {
      // What was given is gone with it: whoever carries tries again, and has the room then.
      if (isVaultError(error) && error.code === "store-full") reserve?.release();
      throw error;
    }
  }

  /** `owned` is memory that goes over to the writer. */
  change<Name extends keyof Own & string>(
    name: Name,
    given: Given<Own, Name>,
    owned: readonly OwnBytes[] = [],
  ): Promise<Answer<Own, Name>> {
    return this.#send(name, given, { owned, bytes: owned.reduce((sum, { length }) => sum + length, 0) });
  }

  /** @throws VaultError `store-full`, `store-closed` */
  requireRoom(): void {
    this.#underWay.requireOpen();
    if (this.#file.reserve?.hasRoom() === false) throw noRoom();
  }

  async close(): Promise<void> {
    await this.#underWay.close(async () => {
      await this.#writer.close();
      await this.#file.close();
    });
  }

  #send<Name extends keyof Own & string>(
    name: Name,
    given: Given<Own, Name>,
    memory: { readonly owned?: readonly OwnBytes[]; readonly bytes: number },
  ): Promise<Answer<Own, Name>> {
    return this.#run(() => this.#writer.send(name, given, memory));
  }

  /**
   * Empties the write-ahead log into the database, as far as nobody reads an older state: removed pages are overwritten
   * there (`secure_delete`), and in the log they would lie until it comes around.
   */
  dropTraces(): Promise<void> {
    const { connection, guard } = this.#file;
    return this.#run(async () => {
      guard.requireFiles();
      connection.database.prepare("pragma wal_checkpoint(truncate)").get();
    });
  }

  #run<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#underWay.run(work, storeFailure);
  }
}

const noRoom = (): VaultError =>
  new VaultError("store-full", "Hardly any room is left on the volume that holds the database");

/** A store whose rows lie in one file: whether it answers, has room, and how it is closed. */
export abstract class FileStore<Own extends Operations<Own>> {
  readonly kind = "sqlite";
  readonly dropTraces: () => Promise<void>;
  readonly #store: OpenStore<Own>;

  protected constructor(store: OpenStore<Own>) {
    this.#store = store;
    this.dropTraces = () => store.dropTraces();
  }

  async requireRoom(): Promise<void> {
    this.#store.requireRoom();
  }

  async ping(): Promise<void> {
    await this.#store.read(() => undefined);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

/** Of whichever file: what of it the operations of every file need. */
type AnyStore = Pick<OpenStore<CommonOperations>, "read" | "reduce">;

export function gateOf(store: AnyStore): Gate {
  return {
    current: () => store.read(currentGate),
    flip: async ({ from, digest }) => store.reduce("flip", [{ from, digest }]),
    // Each transaction looks at the gate under the lock of writing: with the flip's own commit nothing is left.
    drained: () => store.read(() => undefined),
    bind: async (peer) => store.reduce("bind", [peer]),
  };
}

export function jobsOf(store: AnyStore): JobStore {
  return {
    add: async (job, partitions) => store.reduce("addPartitions", [job, partitions]),
    lease: async ({ job, holder, ms }) => store.reduce("takePartition", [{ job, holder, ms }]),
    save: async (lease, progress, ms) => store.reduce("savePartition", [lease, progress, { state: "held", inMs: ms }]),
    finish: async (lease, progress, dueInMs) =>
      store.reduce("savePartition", [
        lease,
        progress,
        dueInMs === null ? { state: "finished", inMs: 0 } : { state: "free", inMs: dueInMs },
      ]),
    wake: async (job) => store.reduce("wakeJob", [job]),
    list: () => store.read(listPartitions),
  };
}
