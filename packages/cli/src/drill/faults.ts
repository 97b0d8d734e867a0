// The ways in which a drill loses a region: a name that a person chooses, and what the KMS is told to do (docs/kms.md,
// "Faults").
import type { Fault } from "@strongroom/kms";

/** What is asked of the KMS: its port closed, or faults in its answers. */
export type FaultOrder = { readonly kind: "stop" } | { readonly kind: "inject"; readonly faults: readonly Fault[] };

/** One way to lose a region. */
export interface DrillFault {
  readonly meaning: string;
  readonly order: FaultOrder;
}

function inject(...faults: readonly Fault[]): FaultOrder {
  return { kind: "inject", faults };
}

/** A name in {@link DRILL_FAULTS}. */
export type FaultName =
  | "refused"
  | "reset"
  | "black-hole"
  | "slow"
  | "slow-body"
  | "half-closed"
  | "server-error"
  | "corrupt-json"
  | "throttle"
  | "expired-credentials"
  | "access-denied"
  | "disabled-key"
  | "wrong-key-id"
  | "wrong-plaintext";

/** Every way, by the name that `--faults` takes. */
export const DRILL_FAULTS: Readonly<Record<FaultName, DrillFault>> = {
  refused: { meaning: "its port is closed", order: { kind: "stop" } },
  reset: { meaning: "connections are reset", order: inject({ kind: "refuse" }) },
  "black-hole": { meaning: "requests are taken and never answered", order: inject({ kind: "black-hole" }) },
  slow: { meaning: "answers come 1 to 2 s late", order: inject({ kind: "delay", delayMs: 1500, jitterMs: 500 }) },
  "slow-body": { meaning: "answers come byte by byte", order: inject({ kind: "slow-body" }) },
  "half-closed": { meaning: "connections end in the middle of an answer", order: inject({ kind: "half-closed" }) },
  "server-error": { meaning: "status 500", order: inject({ kind: "server-error" }) },
  "corrupt-json": { meaning: "half a JSON document", order: inject({ kind: "corrupt-json" }) },
  throttle: { meaning: "ThrottlingException", order: inject({ kind: "throttle" }) },
  "expired-credentials": { meaning: "ExpiredTokenException", order: inject({ kind: "expired-credentials" }) },
  "access-denied": { meaning: "AccessDeniedException", order: inject({ kind: "access-denied" }) },
  "disabled-key": { meaning: "DisabledException", order: inject({ kind: "disabled-key" }) },
  "wrong-key-id": { meaning: "it lies: answers name another key", order: inject({ kind: "wrong-key-id" }) },
  // To reads only: what a region says it wrapped can not be checked without asking it again, what it unwraps can.
  "wrong-plaintext": {
    meaning: "it lies: reads get another data key",
    order: inject({ kind: "wrong-plaintext", operations: ["Decrypt"] }),
  },
};

/** Every name, in the table's order. */
export const FAULT_NAMES: readonly FaultName[] = Object.keys(DRILL_FAULTS) as FaultName[];
