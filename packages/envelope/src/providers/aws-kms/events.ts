/**
 * What the multi-region keyring decides, as it decides it, on the diagnostics channel `strongroom:kms`
 * (node:diagnostics_channel). Events name regions and key ARNs; they never carry a key, a context or a service's text.
 * Without a subscriber nothing is built or published.
 */
import { channel } from "node:diagnostics_channel";
import type { RegionFailureKind, RegionOperation } from "../../errors.ts";
import type { BreakerState } from "../../resilience/circuit-breaker.ts";

export const KMS_CHANNEL = "strongroom:kms";

/**
 * Why a region was called. `first`: it was the nearest healthy one. `failover`: the one before it failed. `hedge`: the
 * one before it kept us waiting. `wrap`: a data key's further wraps. `substitute`: a wrap in place of a preferred
 * region's. `probe`: to find out whether a resting region is back. `last-resort`: it rests, but no other region was
 * left. `health-check`: somebody asked for a probe of all.
 */
export type CallPurpose =
  "first" | "failover" | "hedge" | "wrap" | "substitute" | "probe" | "last-resort" | "health-check";

interface About {
  readonly region: string;
  readonly keyArn: string;
}

export type KmsEvent =
  /** A call ended. `overtaken`: another region was faster and this one was no longer waited for. */
  | (About & {
      readonly kind: "call";
      readonly operation: RegionOperation;
      readonly purpose: CallPurpose;
      readonly outcome: "answered" | "overtaken" | RegionFailureKind;
      readonly elapsedMs: number;
    })
  /** A region's breaker changed its state, and the last failure before it did. */
  | (About & {
      readonly kind: "breaker";
      readonly from: BreakerState;
      readonly to: BreakerState;
      readonly because: RegionFailureKind | "overtaken" | null;
    })
  /** A region throttles and is asked less from now on. */
  | (About & { readonly kind: "throttle"; readonly callsPerSecond: number })
  /**
   * A region needs somebody: its key, the client's permissions, or the truth of its answers. Once until it answers well
   * again.
   */
  | (About & { readonly kind: "alarm"; readonly reason: RegionFailureKind })
  /** A region kept us waiting, but the budget for extra calls was used up. */
  | (About & { readonly kind: "hedge-denied"; readonly operation: RegionOperation })
  /** A write was stored with fewer wraps than wanted. */
  | {
      readonly kind: "wraps-missing";
      readonly stored: number;
      readonly target: number;
      readonly missing: readonly { readonly region: string; readonly reason: RegionFailureKind }[];
    }
  /** An operation ended. `code` is the EnvelopeError's when it failed. */
  | {
      readonly kind: "operation";
      readonly operation: "read" | "write";
      readonly code: string | null;
      readonly elapsedMs: number;
    };

const kms = channel(KMS_CHANNEL);

/** Publishes what `event` makes, if anybody listens. */
export function publish(event: () => KmsEvent): void {
  if (kms.hasSubscribers) kms.publish(event());
}
