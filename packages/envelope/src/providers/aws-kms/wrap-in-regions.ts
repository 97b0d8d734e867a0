/**
 * Wraps a data key in several regions: from the first region that can make it, then in the others in parallel, until
 * the target is met or no region is left. Fewer than the minimum is a failure; fewer than the target is reported.
 */
import type { SecretBytes } from "../../crypto/secret.ts";
import type { RegionAttempt } from "../../errors/attempts.ts";
import { EnvelopeError } from "../../errors/envelope-error.ts";
import type { EncryptedDataKey } from "../../format/encrypted-data-key.ts";
import type { WrapReport } from "../../keyrings/materials.ts";
import type { Deadline } from "./deadline.ts";
import type { GeneratedKey, RegionCaller } from "./region-caller.ts";

export interface WrapRequest {
  /** Regions to try, in the order to try them. */
  readonly callers: readonly RegionCaller[];
  readonly minimum: number;
  readonly target: number;
  readonly context: Record<string, string>;
  readonly keyLength: number;
  /** null to have a region generate it. */
  readonly dataKey: SecretBytes | null;
  readonly deadline: Deadline;
}

export interface WrapResult {
  readonly dataKey: SecretBytes;
  /** In the order of `callers`. */
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly report: WrapReport;
}

export const PROVIDER_ID = "aws-kms";

/** @throws EnvelopeError `wraps-below-minimum`, `deadline-exceeded`, `aborted`; a data key made here is then wiped. */
export async function wrapInRegions(request: WrapRequest): Promise<WrapResult> {
  const attempts: RegionAttempt[] = [];
  const wraps = new Map<RegionCaller, Uint8Array>();
  const untried = [...request.callers];
  let { dataKey } = request;
  if (dataKey === null) {
    const generated = await generateInFirst(request, untried, attempts);
    dataKey = generated.dataKey;
    wraps.set(generated.caller, generated.ciphertext);
  }
  try {
    await encryptInOthers(request, dataKey, untried, wraps, attempts);
    if (wraps.size < request.minimum || request.deadline.cutShort === "aborted") throw belowMinimum(request, wraps.size, attempts);
    return { dataKey, encryptedDataKeys: inOrder(request.callers, wraps), report: wrapReport(request, wraps, attempts) };
  } catch (error) {
    if (request.dataKey === null) dataKey.wipe();
    throw error;
  }
}

/** Takes callers off `untried` until one makes a data key, or until too few are left to reach the minimum. */
async function generateInFirst(
  request: WrapRequest,
  untried: RegionCaller[],
  attempts: RegionAttempt[],
): Promise<GeneratedKey & { readonly caller: RegionCaller }> {
  while (untried.length >= request.minimum && request.deadline.cutShort === null) {
    const caller = untried.shift();
    if (caller === undefined) break;
    const result = await caller.generateDataKey(request.keyLength, request.context, request.deadline);
    if (result.kind === "done") return { ...result.value, caller };
    attempts.push(result.attempt);
  }
  throw belowMinimum(request, 0, attempts);
}

/** Rounds of parallel calls: as many as are still wanted; regions further down the list stand in for those that fail. */
async function encryptInOthers(
  request: WrapRequest,
  dataKey: SecretBytes,
  untried: RegionCaller[],
  wraps: Map<RegionCaller, Uint8Array>,
  attempts: RegionAttempt[],
): Promise<void> {
  while (wraps.size < request.target && untried.length > 0 && request.deadline.cutShort === null) {
    const round = untried.splice(0, request.target - wraps.size);
    await Promise.all(
      round.map(async (caller) => {
        const result = await caller.encrypt(dataKey, request.context, request.deadline);
        if (result.kind === "done") wraps.set(caller, result.value);
        else attempts.push(result.attempt);
      }),
    );
  }
}

function inOrder(callers: readonly RegionCaller[], wraps: ReadonlyMap<RegionCaller, Uint8Array>): readonly EncryptedDataKey[] {
  return callers.flatMap((caller) => {
    const ciphertext = wraps.get(caller);
    return ciphertext === undefined ? [] : [{ providerId: PROVIDER_ID, providerInfo: Buffer.from(caller.keyArn, "utf8"), ciphertext }];
  });
}

function wrapReport({ callers, target, minimum }: WrapRequest, wraps: ReadonlyMap<RegionCaller, Uint8Array>, attempts: readonly RegionAttempt[]): WrapReport {
  const stored = callers.filter((caller) => wraps.has(caller)).map(({ region, keyArn }) => ({ region, keyArn }));
  const missing = stored.length >= target ? [] : attempts.map(({ region, keyArn, reason }) => ({ region, keyArn, reason }));
  return { target, minimum, stored, missing };
}

function belowMinimum(request: WrapRequest, wraps: number, attempts: readonly RegionAttempt[]): EnvelopeError {
  const said = attempts.map(({ region, reason }) => `${region}: ${reason}`).join(", ");
  switch (request.deadline.cutShort) {
    case "aborted":
      return new EnvelopeError("aborted", "The operation was aborted", { attempts });
    case "deadline":
    case "timeout":
      return new EnvelopeError("deadline-exceeded", `The deadline passed with ${wraps} of at least ${request.minimum} wraps (${said})`, { attempts });
    case null:
      return new EnvelopeError("wraps-below-minimum", `${wraps} regions wrapped the data key, at least ${request.minimum} must (${said})`, { attempts });
  }
}
