/**
 * Admission: how much is worked on at once, who waits, and who is told to come again. It stands before the keyring, so
 * that more requests than the service can serve become refusals at once, and not calls to regions that time out.
 *
 * Two limits. So many records are worked on at once and so many requests wait, the oldest first and the tokens in
 * turn, each no longer than `waitMs`. And one token has no more than `perToken` requests open, from their first byte to
 * the last of their answers: answers that nobody reads count as well.
 */
import { VaultError } from "@strongroom/vault";
import { ServerError } from "../errors.ts";
import type { ServerLimits } from "../limits.ts";

/** The limits that matter here. */
export type AdmissionLimits = Pick<ServerLimits, "atOnce" | "waiting" | "waitMs" | "perToken">;

/** Why requests were not admitted, as they are counted. */
export const REFUSAL_REASONS = ["queue-full", "waited-too-long", "token-limit", "client-gone"] as const;
type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** What is to be counted of it. */
export interface AdmissionFigures {
  readonly inUse: number;
  readonly waiting: number;
  readonly refused: Readonly<Record<RefusalReason, number>>;
}

/** What is asked for: by whom, and how many records it works on at once. */
export interface WorkRequest {
  readonly tokenId: string;
  readonly size: number;
  /** Aborted when the client is gone or its deadline has passed. */
  readonly signal: AbortSignal;
}

interface Waiter {
  readonly size: number;
  readonly since: number;
  /** Ends the waiting: null, its turn has come. */
  readonly settle: (refusal: Error | null) => void;
}

export class Admission {
  readonly #limits: AdmissionLimits;
  /** Token -> its waiters, oldest first. The token whose turn is next comes first. */
  readonly #queues = new Map<string, Waiter[]>();
  readonly #open = new Map<string, number>();
  readonly #refused = Object.fromEntries(REFUSAL_REASONS.map((reason) => [reason, 0])) as Record<RefusalReason, number>;
  readonly #refusals: Readonly<Record<RefusalReason, Error>>;
  #inUse = 0;
  #waiting = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
    this.#refusals = refusalErrors(limits);
  }

  figures(): AdmissionFigures {
    return { inUse: this.#inUse, waiting: this.#waiting, refused: { ...this.#refused } };
  }

  /**
   * Counts a request as its token's until the returned function is called. Before its body is read, so that a request
   * that would only be refused costs little.
   *
   * @returns the error of a refusal instead: `token-limit`, `overloaded`
   */
  open(tokenId: string): (() => void) | Error {
    const open = this.#open.get(tokenId) ?? 0;
    if (open >= this.#limits.perToken) return this.#refusal("token-limit");
    if (this.#waiting >= this.#limits.waiting) return this.#refusal("queue-full");
    this.#open.set(tokenId, open + 1);
    return () => {
      const left = (this.#open.get(tokenId) ?? 1) - 1;
      if (left === 0) this.#open.delete(tokenId);
      else this.#open.set(tokenId, left);
    };
  }

  /**
   * Does `work` when its turn has come.
   *
   * @throws ServerError `overloaded`; VaultError `aborted` when the client was gone before
   */
  async run<Result>({ tokenId, size, signal }: WorkRequest, work: () => Promise<Result>): Promise<Result> {
    // What is larger than all there is has all there is.
    const taken = Math.min(Math.max(size, 1), this.#limits.atOnce);
    if (this.#waiting === 0 && this.#inUse + taken <= this.#limits.atOnce) this.#inUse += taken;
    else await this.#turn(tokenId, taken, signal);
    try {
      return await work();
    } finally {
      this.#inUse -= taken;
      this.#grant();
    }
  }

  /** Resolves when `size` are taken for it. */
  #turn(tokenId: string, size: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting > 0 && this.#waiting + size > this.#limits.waiting) throw this.#refusal("queue-full");
    return new Promise((resolve, reject) => {
      const settle = (refusal: Error | null): void => {
        clearTimeout(patience);
        signal.removeEventListener("abort", onAbort);
        this.#remove(tokenId, waiter);
        if (refusal === null) resolve();
        else reject(refusal);
      };
      const leave = (refusal: Error): void => {
        settle(refusal);
        // It may have been the one that the others waited behind.
        this.#grant();
      };
      const onAbort = (): void => {
        leave(this.#refusal("client-gone"));
      };
      const patience = setTimeout(() => {
        leave(this.#refusal("waited-too-long"));
      }, this.#limits.waitMs);
      const waiter: Waiter = { size, since: performance.now(), settle };
      this.#queues.set(tokenId, [...(this.#queues.get(tokenId) ?? []), waiter]);
      this.#waiting += size;
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort);
    });
  }

  /** Lets in whoever is next, as long as there is room. Nobody overtakes a batch: it would never find enough. */
  #grant(): void {
    for (let first = this.#first(); first !== null; first = this.#first()) {
      const [tokenId, next] = first;
      // A timer may be late by as much as the service is busy; what is too old by now is not worth its work.
      if (performance.now() - next.since > this.#limits.waitMs) next.settle(this.#refusal("waited-too-long"));
      else if (this.#inUse + next.size > this.#limits.atOnce) return;
      else {
        this.#inUse += next.size;
        next.settle(null);
        this.#toTheEnd(tokenId);
      }
    }
  }

  /** The oldest waiter of the token whose turn it is. */
  #first(): readonly [tokenId: string, waiter: Waiter] | null {
    const [entry] = this.#queues;
    const [tokenId, [waiter] = []] = entry ?? [];
    return tokenId === undefined || waiter === undefined ? null : [tokenId, waiter];
  }

  #toTheEnd(tokenId: string): void {
    const others = this.#queues.get(tokenId);
    this.#queues.delete(tokenId);
    if (others !== undefined) this.#queues.set(tokenId, others);
  }

  #remove(tokenId: string, waiter: Waiter): void {
    const others = (this.#queues.get(tokenId) ?? []).filter((one) => one !== waiter);
    if (others.length === 0) this.#queues.delete(tokenId);
    else this.#queues.set(tokenId, others);
    this.#waiting -= waiter.size;
  }

  #refusal(reason: RefusalReason): Error {
    this.#refused[reason]++;
    return this.#refusals[reason];
  }
}

/** Made once: under load the stack of each would cost more than all else about a refusal. */
function refusalErrors({ waitMs, perToken }: AdmissionLimits): Readonly<Record<RefusalReason, Error>> {
  return {
    "queue-full": new ServerError("overloaded", "As many requests wait already as may; nothing was begun"),
    "waited-too-long": new ServerError("overloaded", `Its turn did not come within ${waitMs} ms; nothing was begun`),
    "token-limit": new ServerError("token-limit", `A token may have ${perToken} requests open; nothing was begun`),
    "client-gone": new VaultError("aborted", "The caller gave up; nothing was begun"),
  };
}
