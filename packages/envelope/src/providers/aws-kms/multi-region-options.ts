/**
 * Options of the multi-region keyring: types, defaults, and their checking. Every problem is listed at once.
 */
import { EnvelopeError } from "../../errors.ts";
import { RESILIENCE_DEFAULTS, resolveSettings } from "../../resilience/settings.ts";
import type { ResilienceSettings } from "../../resilience/settings.ts";
import { systemTime } from "../../resilience/time.ts";
import type { Time } from "../../resilience/time.ts";
import type { KmsClient } from "./client.ts";
import { parseKeyArn } from "./kms-key.ts";
import type { KeyArn } from "./kms-key.ts";

export interface KeyRegion {
  readonly region: string;
  /** The ARN of a key. An alias cannot be matched with what a message stores, so it is refused. */
  readonly keyArn: string;
  /** A client of this region that does not retry. */
  readonly client: KmsClient;
  /** The geographic area it belongs to, such as `europe`. Regions without one form one area together. */
  readonly group?: string;
  /**
   * `preferred` regions are asked for a wrap by every write. A `substitute` is asked when a preferred region of the
   * same group is out, so that the target is still reached and the key stays in its area.
   */
  readonly role?: "preferred" | "substitute";
}

/** The numbers of the policy are options too: see RESILIENCE_DEFAULTS. */
export interface MultiRegionOptions extends Partial<ResilienceSettings> {
  /** In the order of preference, nearest first. */
  readonly regions: readonly KeyRegion[];
  /** Wraps that a write needs to succeed. */
  readonly minimum: number;
  /** Wraps that are wanted; as many as there are preferred regions by default. */
  readonly target?: number;
  readonly grantTokens?: readonly string[];
  /** Where time comes from; for tests and simulations. */
  readonly time?: Time;
}

export const MULTI_REGION_DEFAULTS: ResilienceSettings = RESILIENCE_DEFAULTS;

export interface ResolvedRegion extends Required<Pick<KeyRegion, "client" | "role">> {
  readonly key: KeyArn;
  readonly group: string | null;
}

export interface ResolvedMultiRegionOptions {
  readonly regions: readonly ResolvedRegion[];
  readonly minimum: number;
  readonly target: number;
  readonly grantTokens: readonly string[];
  readonly settings: ResilienceSettings;
  readonly time: Time;
}

const CLIENT_METHODS = ["generateDataKey", "encrypt", "decrypt", "describeKey"] as const;

/** @throws EnvelopeError `option-invalid` */
export function resolveMultiRegionOptions(options: MultiRegionOptions): ResolvedMultiRegionOptions {
  const problems: string[] = [];
  const settings = resolveSettings(options, problems);
  const regions = resolveRegions(options.regions, problems);
  const preferred = options.regions.filter(({ role }) => role !== "substitute").length;
  const { minimum, target = preferred, grantTokens = [], time = systemTime } = options;
  if (!Number.isInteger(minimum) || minimum < 1) problems.push("minimum must be a whole number from 1");
  if (!Number.isInteger(target) || target < minimum || target > preferred) {
    problems.push("target must be a whole number from minimum to the number of preferred regions");
  }
  if (!grantTokens.every((token) => typeof token === "string" && token !== ""))
    problems.push("grantTokens must be non-empty strings");
  if (problems.length > 0) throw new EnvelopeError("option-invalid", problems.join("; "));
  return { regions, minimum, target, grantTokens, settings, time };
}

function resolveRegions(regions: readonly KeyRegion[], problems: string[]): readonly ResolvedRegion[] {
  if (regions.length === 0) problems.push("regions is empty");
  const seen = new Set<string>();
  return regions.flatMap((region, index): ResolvedRegion[] => {
    const { keyArn, client, role = "preferred", group } = region;
    const key = parseKeyArn(keyArn);
    if (key === null) problems.push(`regions[${index}].keyArn is not the ARN of a key (an alias cannot be used)`);
    else if (key.region !== region.region)
      problems.push(`regions[${index}].keyArn is in ${key.region}, not in ${region.region}`);
    if (seen.has(keyArn)) problems.push(`regions[${index}].keyArn is listed twice`);
    seen.add(keyArn);
    if (!(["preferred", "substitute"] as readonly string[]).includes(role))
      problems.push(`regions[${index}].role must be preferred or substitute`);
    if (group === "") problems.push(`regions[${index}].group must not be empty`);
    const absent = CLIENT_METHODS.filter(
      (method) => typeof (client as Partial<KmsClient> | undefined)?.[method] !== "function",
    );
    if (absent.length > 0) problems.push(`regions[${index}].client has no ${absent.join(", ")}`);
    const sameGroup = regions.some((other) => other.role !== "substitute" && other.group === group);
    if (role === "substitute" && !sameGroup)
      problems.push(`regions[${index}] is a substitute in a group without a preferred region`);
    return key === null ? [] : [{ key, client, role, group: group ?? null }];
  });
}
