/**
 * What each kind of failure means for the region it came from. The rule behind the table: what may be the fault of a
 * message or of one caller's context never counts against a region, or one tenant could close it for all others.
 */
import type { RegionFailureKind } from "../errors.ts";

export interface FailureRule {
  /** `all`: one such answer opens the breaker. `none`: it says nothing about the region's health. */
  readonly strikes: "none" | "one" | "all";
  /** Whether somebody has to do something about it: an `alarm` event is published. */
  readonly alarm: "yes" | "no";
  /** Whether the region answered untruly and must prove itself several times before it is trusted again. */
  readonly quarantine: "yes" | "no";
  /** Whether the same region may be asked again in the same operation, for another encrypted data key. */
  readonly sameRegion: "skip" | "ask-again";
}

const OUTAGE: FailureRule = { strikes: "one", alarm: "no", quarantine: "no", sameRegion: "skip" };
const KEY_UNUSABLE: FailureRule = { strikes: "all", alarm: "yes", quarantine: "no", sameRegion: "skip" };
const LIE: FailureRule = { strikes: "all", alarm: "yes", quarantine: "yes", sameRegion: "skip" };
const MESSAGE: FailureRule = { strikes: "none", alarm: "no", quarantine: "no", sameRegion: "ask-again" };

export const FAILURE_RULES: Readonly<Record<RegionFailureKind, FailureRule>> = {
  refused: OUTAGE,
  timeout: OUTAGE,
  "server-error": OUTAGE,
  unknown: OUTAGE,
  /** The throttle bucket answers for it: a breaker would turn "less" into "nothing". */
  throttled: { ...OUTAGE, strikes: "none" },
  /** The client's credentials are the same for every call. */
  credentials: { ...OUTAGE, alarm: "yes" },
  /** A key policy may depend on the encryption context, so another caller may well be allowed. */
  "access-denied": { ...OUTAGE, strikes: "none", alarm: "yes" },
  "key-disabled": KEY_UNUSABLE,
  "key-pending-deletion": KEY_UNUSABLE,
  "key-not-found": KEY_UNUSABLE,
  "wrong-key-id": LIE,
  "wrong-key-length": LIE,
  /** Counted only once another region's key opened the same message: a changed message must not close a region. */
  "wrong-data-key": MESSAGE,
  "invalid-ciphertext": MESSAGE,
  aborted: { ...MESSAGE, sameRegion: "skip" },
};
