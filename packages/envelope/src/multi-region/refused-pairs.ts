/**
 * Pairs of keys that a KMS would not re-encrypt between: a permission that lacks, an old key that is disabled for good.
 * They are left alone for a while, so that a hundred thousand keys do not ask for the same refusal each.
 */
import type { RegionFailureKind } from "../errors.ts";

/** Milliseconds until a pair is tried again. */
const REST_MS = 60_000;

/**
 * What a re-encryption fails by and either of its keys may be the cause of, or that the service knows none. Nothing is
 * known of the one that was to wrap by it: whatever it is asked next says.
 */
export const OF_EITHER_KEY: ReadonlySet<RegionFailureKind> = new Set<RegionFailureKind>([
  "access-denied",
  "key-disabled",
  "key-pending-deletion",
  "key-not-found",
  "invalid-ciphertext",
  "unknown",
]);

/** Of regions, known by what they are to whoever asks. */
export class RefusedPairs {
  readonly #until = new WeakMap<object, WeakMap<object, number>>();

  /** Notes it, unless it says something of the wrap alone. */
  refused(source: object, target: object, reason: RegionFailureKind, now: number): void {
    if (reason === "invalid-ciphertext") return;
    const pairs = this.#until.get(source) ?? new WeakMap<object, number>();
    this.#until.set(source, pairs.set(target, now + REST_MS));
  }

  rests(source: object, target: object, now: number): boolean {
    return (this.#until.get(source)?.get(target) ?? 0) > now;
  }
}
