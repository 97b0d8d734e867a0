/**
 * What every store in memory does alike, whatever its rows are: calls in turn, none once it is closed, the gate, jobs
 * and the face of the inventory.
 */
import { VaultError } from "../../errors.ts";
import type { Epoch, Gate, GateState } from "../gate.ts";
import type { Inventory } from "../inventory.ts";
import type { JobStore } from "../jobs.ts";
import type { Outbox } from "../outbox.ts";
import { takeAppend } from "../outbox-limits.ts";
import type { Store } from "../store.ts";
import type { SubjectId } from "../subjects.ts";
import type { CommonTables, WrappedRow } from "./common-tables.ts";
import { memoryInventory } from "./inventory.ts";
import type { AnyChange, WrappedRows } from "./inventory.ts";
import { memoryJobs } from "./jobs.ts";
import { memoryOutbox } from "./outbox.ts";
import type { Closed } from "./subjects.ts";

/** One store's hold on memory that others may share. */
export class Opened<Tables extends CommonTables> {
  readonly tables: Tables;
  /** Those that every store has, whatever it keeps. */
  readonly calls: Pick<Store, "gate" | "jobs" | "requireRoom" | "ping" | "close">;
  readonly #now: () => number;
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(tables: Tables, now: () => number) {
    this.tables = tables;
    this.#now = now;
    const answer = (): Promise<void> => this.read(() => undefined);
    this.calls = {
      gate: this.#gate(),
      jobs: this.#jobs(),
      requireRoom: answer,
      ping: answer,
      close: async () => {
        this.#isClosed = true;
        await Promise.allSettled(this.#underWay);
      },
    };
  }

  #gate(): Gate {
    const { tables } = this;
    return {
      current: () => this.read((): GateState => ({ ...tables.gate })),
      flip: async (change) =>
        this.change({ ...change }, ({ from, digest }) => {
          if (tables.gate.epoch !== from) return "moved";
          tables.gate = { ...tables.gate, epoch: (from + 1) as Epoch, digest };
          return "flipped";
        }),
      // A turn of its own: what was under way before it has ended.
      drained: () => this.change(null, () => undefined),
      bind: (peer) =>
        this.change(peer, (own) => {
          const noted = tables.gate.peer ?? own;
          tables.gate = { ...tables.gate, peer: noted };
          return noted;
        }),
    };
  }

  /** A partition is a row that nothing else shares: taking one waits for no writer. */
  #jobs(): JobStore {
    const jobs = memoryJobs(this.tables, this.#now);
    return {
      add: (job, partitions) =>
        this.read(() => {
          jobs.add(job, partitions);
        }),
      lease: (request) => this.read(() => jobs.lease(request)),
      save: (lease, progress, ms) => this.read(() => jobs.save(lease, progress, ms)),
      finish: (lease, progress, dueInMs) => this.read(() => jobs.finish(lease, progress, dueInMs)),
      wake: (job) =>
        this.read(() => {
          jobs.wake(job);
        }),
      list: () => this.read(() => jobs.list()),
    };
  }

  /**
   * As jobs, it waits for no caller's transaction: that writes to a stream that nothing else writes to. Where people's
   * states change it is all of one turn of the event loop. `closedOf`: who of some people may not be read about.
   */
  outbox(closedOf: (ids: readonly SubjectId[]) => Closed): Outbox {
    const outbox = memoryOutbox(this.tables, closedOf, () => this.now());
    return {
      append: async (entries, active) => {
        const own = takeAppend(entries, active);
        return this.read(() => outbox.append(own.entries, own.active));
      },
      take: (limit) => this.read(() => outbox.take(limit)),
      pending: (tags) => this.read(() => outbox.pending(tags)),
      drop: (positions) =>
        this.read(() => {
          outbox.drop(positions);
        }),
      streams: (ids) => this.read(() => outbox.streams(ids)),
      listStreams: (page) => this.read(() => outbox.listStreams(page)),
      closeStreams: (streams) =>
        this.read(() => {
          outbox.closeStreams(streams);
        }),
      waiting: (atMost) => this.read(() => outbox.waiting(atMost)),
    };
  }

  /** By the store's clock: ISO 8601, UTC. */
  now(): string {
    return new Date(this.#now()).toISOString();
  }

  /** `copy`: a change as it is at the call. */
  inventory<Place, Change extends AnyChange<Place>, Row extends WrappedRow>(
    rows: WrappedRows<Place, Change, Row>,
    copy: (change: Change) => Change,
  ): Inventory<Place, Change> {
    const inventory = memoryInventory(this.tables, rows, this.#now);
    return {
      sets: () => this.read(() => inventory.sets()),
      counts: (sets, atMost) => this.read(() => inventory.counts(sets, atMost)),
      any: (sets) => this.read(() => inventory.any(sets)),
      list: (page) => this.read(() => inventory.list(page)),
      failed: (page) => this.read(() => inventory.failed(page)),
      rewrap: async (change) => this.change(copy(change), (own) => inventory.rewrap(own)),
      fail: async (lease, place, failure) =>
        this.change(structuredClone({ lease, place, failure }), (own) => {
          inventory.fail(own.lease, own.place, own.failure);
        }),
    };
  }

  async read<Result>(work: () => Result): Promise<Result> {
    this.requireOpen();
    return work();
  }

  /** In turn; `own` is a copy of what was given, as it was at the call. */
  async change<Given, Result>(own: Given, work: (own: Given) => Result): Promise<Result> {
    this.requireOpen();
    const running = this.tables.change(() => work(own));
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  /** @throws VaultError `store-closed` */
  requireOpen(): void {
    if (this.#isClosed) throw new VaultError("store-closed", "The store is closed");
  }
}
