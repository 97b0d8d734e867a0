// The kinds of faults that a region can be given, for drills and tests: what a client sees when a KMS region is
// lost, slow, overloaded, misconfigured or lying.

import { z } from "zod";

/** Kinds that have no parameters of their own. */
const PLAIN_KINDS = [
  /** The connection is reset before anything is answered. */
  "refuse",
  /** The request is taken and never answered. */
  "black-hole",
  /** ThrottlingException, as AWS sends it: status 400. */
  "throttle",
  "expired-credentials",
  "access-denied",
  /** DisabledException, although the key is not disabled. */
  "disabled-key",
  /** A true answer with the ARN of another key. */
  "wrong-key-id",
  /** A true answer with other bytes as Plaintext. */
  "wrong-plaintext",
  /** A true answer with a Plaintext that is too short. */
  "short-plaintext",
  /** Status 200 and half a JSON document. */
  "corrupt-json",
  /** The connection is ended in the middle of the body. */
  "half-closed",
] as const;

/** Whom a fault hits. */
interface FaultScope {
  /** Only these operations; all if absent. */
  readonly operations?: readonly string[] | undefined;
  /** After so many hits the fault is over. */
  readonly count?: number | undefined;
  /** How likely a matching request is hit; 1 if absent. */
  readonly probability?: number | undefined;
  /** Makes the chances repeatable. */
  readonly seed?: number | undefined;
}

/** A fault; times are milliseconds. */
export type Fault = FaultScope &
  (
    | { readonly kind: (typeof PLAIN_KINDS)[number] }
    /** The answer comes `delayMs` later, give or take `jitterMs`. */
    | { readonly kind: "delay"; readonly delayMs: number; readonly jitterMs?: number | undefined }
    /** KMSInternalException with status 500, or another 5xx. */
    | { readonly kind: "server-error"; readonly status?: number | undefined }
    /** The body comes byte by byte, `intervalMs` (100) apart. */
    | { readonly kind: "slow-body"; readonly intervalMs?: number | undefined }
  );

export type FaultKind = Fault["kind"];

/** Every kind. */
export const FAULT_KINDS: readonly FaultKind[] = [...PLAIN_KINDS, "delay", "server-error", "slow-body"];

const scope = {
  operations: z
    .array(z.string().regex(/^[A-Za-z]{1,64}$/))
    .min(1)
    .optional(),
  count: z.int().min(1).optional(),
  probability: z.number().min(0).max(1).optional(),
  seed: z.int().min(0).max(0xffff_ffff).optional(),
};
const milliseconds = z.int().min(0).max(600_000);

/** A fault as the control port takes it; anything it does not know is refused. */
export const faultSchema: z.ZodType<Fault> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.enum(PLAIN_KINDS), ...scope }),
  z.strictObject({ kind: z.literal("delay"), ...scope, delayMs: milliseconds, jitterMs: milliseconds.optional() }),
  z.strictObject({ kind: z.literal("server-error"), ...scope, status: z.int().min(500).max(599).optional() }),
  z.strictObject({ kind: z.literal("slow-body"), ...scope, intervalMs: milliseconds.optional() }),
]);
