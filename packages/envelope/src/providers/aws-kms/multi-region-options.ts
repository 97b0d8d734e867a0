/**
 * Options of the multi-region keyring: types, defaults, and their checking. Every problem is listed at once.
 */
import { EnvelopeError } from "../../errors/envelope-error.ts";
import type { KmsClient } from "./client.ts";
import { parseKeyArn } from "./key-arn.ts";

export interface KeyRegion {
  readonly region: string;
  /** The ARN of a key. An alias cannot be matched with what a message stores, so it is refused. */
  readonly keyArn: string;
  /** A client of this region that does not retry. */
  readonly client: KmsClient;
}

export interface MultiRegionOptions {
  /** In the order of preference, nearest first. */
  readonly regions: readonly KeyRegion[];
  /** Wraps that a write needs to succeed. */
  readonly minimum: number;
  /** Wraps that are wanted; all regions by default. */
  readonly target?: number;
  /** Milliseconds for each single call. */
  readonly attemptTimeoutMs?: number;
  /** Milliseconds for the whole of one onEncrypt or onDecrypt, whatever happens. */
  readonly deadlineMs?: number;
  readonly grantTokens?: readonly string[];
}

export const MULTI_REGION_DEFAULTS: { readonly attemptTimeoutMs: number; readonly deadlineMs: number } = {
  attemptTimeoutMs: 500,
  deadlineMs: 2_000,
};

export type ResolvedMultiRegionOptions = Required<MultiRegionOptions>;

/** @throws EnvelopeError `option-invalid` */
export function resolveMultiRegionOptions(options: MultiRegionOptions): ResolvedMultiRegionOptions {
  const target = options.target ?? options.regions.length;
  const resolved = { ...MULTI_REGION_DEFAULTS, grantTokens: [], ...options, target };
  const problems = [...regionProblems(options.regions), ...numberProblems(resolved)];
  if (problems.length > 0) throw new EnvelopeError("option-invalid", problems.join("; "));
  return resolved;
}

function regionProblems(regions: readonly KeyRegion[]): readonly string[] {
  const problems: string[] = [];
  if (regions.length === 0) problems.push("regions is empty");
  const seen = new Set<string>();
  for (const [index, { region, keyArn }] of regions.entries()) {
    const parsed = parseKeyArn(keyArn);
    if (parsed === null) problems.push(`regions[${index}].keyArn is not the ARN of a key (an alias cannot be used)`);
    else if (parsed.region !== region) problems.push(`regions[${index}].keyArn is in ${parsed.region}, not in ${region}`);
    if (seen.has(keyArn)) problems.push(`regions[${index}].keyArn is listed twice`);
    seen.add(keyArn);
  }
  return problems;
}

function numberProblems({ regions, minimum, target, attemptTimeoutMs, deadlineMs }: ResolvedMultiRegionOptions): readonly string[] {
  const problems: string[] = [];
  if (!Number.isInteger(minimum) || minimum < 1) problems.push("minimum must be a whole number from 1");
  if (!Number.isInteger(target) || target < minimum || target > regions.length) {
    problems.push("target must be a whole number from minimum to the number of regions");
  }
  for (const [name, value] of Object.entries({ attemptTimeoutMs, deadlineMs })) {
    if (!(Number.isFinite(value) && value > 0 && value <= 2 ** 31 - 1)) problems.push(`${name} must be a positive number of milliseconds`);
  }
  return problems;
}
