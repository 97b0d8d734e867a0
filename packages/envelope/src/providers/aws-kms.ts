/**
 * @strongroom/envelope/aws-kms: the multi-region keyring over AWS KMS. The caller brings the clients. Options and their
 * checking are here; what the keyring does is told in ../multi-region/keyring.ts, and the calls are in
 * aws-kms/kms-key.ts.
 */
import { EnvelopeError } from "../errors.ts";
import { keyringOver, resolvePolicy } from "../multi-region/keyring.ts";
import type { MultiRegionKeyring, PolicyOptions, RegionPlace } from "../multi-region/keyring.ts";
import type { RegionOptions } from "../multi-region/region.ts";
import { RESILIENCE_DEFAULTS } from "../resilience/settings.ts";
import type { ResilienceSettings } from "../resilience/settings.ts";
import type { KmsClient } from "./aws-kms/client.ts";
import { KmsKey, parseKeyArn } from "./aws-kms/kms-key.ts";

export type { MultiRegionKeyring } from "../multi-region/keyring.ts";
export { KMS_CHANNEL } from "../multi-region/telemetry.ts";
export type { CallPurpose, KeyringCounters, KmsEvent, RegionHealth } from "../multi-region/telemetry.ts";
export type { ResilienceSettings } from "../resilience/settings.ts";
export type { CancelTimer, Time } from "../resilience/time.ts";
export type {
  DecryptInput,
  DescribeKeyInput,
  EncryptInput,
  GenerateDataKeyInput,
  KmsCallOptions,
  KmsClient,
  ReEncryptInput,
} from "./aws-kms/client.ts";
export type { RegionAttempt, RegionFailureKind } from "../errors.ts";
export type { WrapReport } from "../keyrings/keyring.ts";

export interface KeyRegion extends RegionPlace {
  readonly region: string;
  /** The ARN of a key. An alias cannot be matched with what a message stores, so it is refused. */
  readonly keyArn: string;
  /** A client of this region that does not retry. */
  readonly client: KmsClient;
}

export interface MultiRegionOptions extends PolicyOptions {
  /** In the order of preference, nearest first. */
  readonly regions: readonly KeyRegion[];
  readonly grantTokens?: readonly string[];
}

/** The numbers of the policy, all of them options: times in milliseconds. */
export const MULTI_REGION_DEFAULTS: ResilienceSettings = RESILIENCE_DEFAULTS;

const CLIENT_METHODS = ["generateDataKey", "encrypt", "decrypt", "describeKey"] as const;

/**
 * A keyring whose data keys are wrapped by a key in each of several regions; any one of them opens them again. Clients
 * must not retry (`maxAttempts: 1`): the keyring's own way on is the next region.
 *
 * @throws EnvelopeError `option-invalid`, with every problem listed
 *
 * @example
 * ```ts
 * import { KMS } from "@aws-sdk/client-kms";
 * import { decrypt, encrypt } from "@strongroom/envelope";
 * import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
 *
 * // Your key ARNs; an endpoint only where it is not AWS itself.
 * const keys: { region: string; keyArn: string; endpoint?: string }[] = JSON.parse(process.env["KMS_KEYS"] ?? "[]");
 * const keyring = multiRegionKeyring({
 *   regions: keys.map(({ region, keyArn, ...endpoint }) => {
 *     return { region, keyArn, client: new KMS({ region, maxAttempts: 1, ...endpoint }) };
 *   }),
 *   minimum: 2,
 * });
 *
 * const encryptionContext = { collection: "customers", id: "42" };
 * const { message, wraps } = await encrypt(Buffer.from("Ada Lovelace"), { keyring, encryptionContext });
 * console.log(wraps?.stored.length); // prints: 3
 * const { plaintext } = await decrypt(message, { keyring, encryptionContext });
 * console.log(Buffer.from(plaintext).toString()); // prints: Ada Lovelace
 * ```
 */
export function multiRegionKeyring(options: MultiRegionOptions): MultiRegionKeyring {
  const problems: string[] = [];
  const policy = resolvePolicy(options, problems);
  const regions = resolveRegions(options, problems);
  if (problems.length > 0) throw new EnvelopeError("option-invalid", problems.join("; "));
  return keyringOver(regions, policy);
}

function resolveRegions(
  { regions, grantTokens = [] }: MultiRegionOptions,
  problems: string[],
): readonly RegionOptions[] {
  const seen = new Set<string>();
  const resolved = regions.flatMap((region, index): RegionOptions[] => {
    const { keyArn, client, role = "preferred", group = null } = region;
    const key = parseKeyArn(keyArn);
    if (key === null) problems.push(`regions[${index}].keyArn is not the ARN of a key (an alias cannot be used)`);
    else if (key.region !== region.region)
      problems.push(`regions[${index}].keyArn is in ${key.region}, not in ${region.region}`);
    if (seen.has(keyArn)) problems.push(`regions[${index}].keyArn is listed twice`);
    seen.add(keyArn);
    const absent = CLIENT_METHODS.filter(
      (method) => typeof (client as Partial<KmsClient> | undefined)?.[method] !== "function",
    );
    if (absent.length > 0) problems.push(`regions[${index}].client has no ${absent.join(", ")}`);
    return key === null ? [] : [{ key: new KmsKey({ key, client, grantTokens }), group, role }];
  });
  if (!grantTokens.every((token) => typeof token === "string" && token !== ""))
    problems.push("grantTokens must be non-empty strings");
  return resolved;
}
