/**
 * Which of a region's wraps are proven: opened by the region that made them, and held against the data key, before they
 * count. Threat answered: a region that answers a write with bytes that nothing opens, or that open to another key. The
 * write's minimum would be a number on paper, and the first loss of the other regions the loss of the record.
 */
import { equalInConstantTime } from "../crypto/secret.ts";
import type { RegionFailureKind } from "../errors.ts";
import { oneOf } from "../options.ts";
import type { Reader } from "../options.ts";
import type { Answered, CallAnswer, CallFailure } from "../resilience/calls.ts";
import type { RegionHealth } from "./telemetry.ts";
import type { UnwrapRequest, WrappingKey } from "./wrapping-key.ts";

/**
 * `all`: every wrap. `sampled`: a region's first one, the first one after it was lost or lied, and then a share of them
 * at random, at least one in so long. `off`: none.
 *
 * A wrap that is to be proven and is not (no answer, no permission) does not count, and is owed.
 */
export type ProveWraps = "all" | "sampled" | "off";

export const proveWrapsOption: Reader<ProveWraps> = oneOf(["all", "sampled", "off"]);

/** What a message's wrap may be blamed for is the region's own doing where it has made the wrap a moment ago. */
const OPENS_WRONG: ReadonlySet<RegionFailureKind> = new Set<RegionFailureKind>([
  "invalid-ciphertext",
  "wrong-key-length",
]);

/** What a key says of a wrap that it has just made: where that does not open, it is the key's doing. */
export function asWrapOfItsOwn<A extends CallAnswer<unknown>>(answer: A): A | (CallFailure & Answered) {
  return "failed" in answer && OPENS_WRONG.has(answer.failed) ? { ...answer, failed: "wrap-does-not-open" } : answer;
}

/**
 * Opens a wrap that `key` has just made, and holds it against the secret: `wrap-does-not-open` when it is not that
 * one's. What was opened is wiped.
 *
 * @param secret what the wrap should open to; null when it is gone by the time of the answer, and nobody hears it
 */
export async function provesToOpen(
  key: Pick<WrappingKey, "unwrap">,
  request: UnwrapRequest,
  secret: () => Uint8Array | null,
  signal: AbortSignal,
): Promise<CallAnswer<true>> {
  const answer = await key.unwrap(request, signal);
  if ("failed" in answer) return asWrapOfItsOwn(answer);
  using opened = answer.value;
  const expected = secret();
  if (expected === null) return { failed: "aborted", errorName: null };
  const { requestId, material } = answer;
  return equalInConstantTime(opened.bytes, expected)
    ? { value: true, requestId, material }
    : { failed: "wrap-does-not-open", errorName: null, requestId };
}

export interface ProofRules {
  readonly proveWraps: ProveWraps;
  readonly proveShare: number;
  readonly proveEveryMs: number;
}

/** One region's. */
export class WrapProofs {
  readonly #rules: ProofRules;
  readonly #random: () => number;
  /** null: the next one is proven, whatever the chance. */
  #provenAt: number | null = null;
  #proven = 0;
  #lastProvenAt: Date | null = null;
  #sinceProven = 0;

  /** `random` gives [0, 1): a region that could tell which wraps are proven could lie in the others. */
  constructor(rules: ProofRules, random: () => number = Math.random) {
    this.#rules = rules;
    this.#random = random;
  }

  /** Whether a wrap that is made now has to be proven. */
  isDue(now: number): boolean {
    const { proveWraps, proveShare, proveEveryMs } = this.#rules;
    if (proveWraps !== "sampled") return proveWraps === "all";
    return this.#provenAt === null || now - this.#provenAt >= proveEveryMs || this.#random() < proveShare;
  }

  /** A wrap that was not to be proven was made. */
  unproven(): void {
    this.#sinceProven += 1;
  }

  /** @param now null: the region rests, and its next wrap is proven all the same. */
  proven(now: number | null): void {
    this.#provenAt = now;
    this.#proven += 1;
    this.#lastProvenAt = new Date();
    this.#sinceProven = 0;
  }

  /** The region rests: whatever it makes next is proven first. */
  again(): void {
    this.#provenAt = null;
  }

  /** Whether an answer without a proof says that a region which lied tells the truth. */
  get takesItsWord(): boolean {
    return this.#rules.proveWraps === "off";
  }

  snapshot(): RegionHealth["wraps"] {
    return {
      proven: this.#proven,
      lastProvenAt: this.#lastProvenAt?.toISOString() ?? null,
      sinceProven: this.#sinceProven,
    };
  }
}
