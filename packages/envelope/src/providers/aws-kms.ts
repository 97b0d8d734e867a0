/**
 * @strongroom/envelope/aws-kms: the multi-region keyring over AWS KMS. The caller brings the clients. Options and their
 * checking are here; what the keyring does is told in ../multi-region/keyring.ts, and the calls are in
 * aws-kms/kms-key.ts.
 */
import { shown } from "../errors.ts";
import { keyringOver, PLACE_ROWS, POLICY_ROWS, resolvePolicy } from "../multi-region/keyring.ts";
import type {
  MultiRegionKeyring,
  PolicyOptions,
  PolicyValues,
  ReadPlace,
  RegionPlace,
} from "../multi-region/keyring.ts";
import type { RegionOptions } from "../multi-region/region.ts";
import { guarded, having, listOf, needed, objectOf, option, requireNone, text } from "../options.ts";
import type { RowsFor } from "../options.ts";
import { RESILIENCE_DEFAULTS } from "../resilience/settings.ts";
import type { ResilienceSettings } from "../resilience/settings.ts";
import type { KmsClient } from "./aws-kms/client.ts";
import { grantTokenList } from "./aws-kms/kms-call.ts";
import { keyArn, KmsKey } from "./aws-kms/kms-key.ts";
import type { KeyArn } from "./aws-kms/kms-key.ts";

export type { MultiRegionKeyring } from "../multi-region/keyring.ts";
export { KMS_CHANNEL } from "../multi-region/telemetry.ts";
export type { CallPurpose, KeyringCounters, KmsEvent, RegionHealth } from "../multi-region/telemetry.ts";
export type { ProveWraps } from "../multi-region/wrap-proofs.ts";
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
  const { regions, grantTokens, ...values } = guarded(() => readOptionsOf(options, "", problems));
  const policy = resolvePolicy(values, regions, problems);
  for (const problem of keyProblems(regions)) problems.push(problem);
  requireNone(problems);
  return keyringOver(
    regions.map(({ keyArn: key, client, role, group = null }): RegionOptions => {
      return { key: new KmsKey({ key, client, grantTokens }), group, role };
    }),
    policy,
  );
}

interface ReadRegion extends ReadPlace {
  readonly region: string;
  readonly keyArn: KeyArn;
  readonly client: KmsClient;
}

const readRegion = objectOf<ReadRegion>({
  ...PLACE_ROWS,
  region: needed(text),
  keyArn: needed(keyArn),
  client: needed(having<KmsClient>("a client of AWS KMS", "generateDataKey", "encrypt", "decrypt", "describeKey")),
} satisfies RowsFor<KeyRegion>);

interface ReadMultiRegionOptions extends PolicyValues {
  readonly regions: readonly ReadRegion[];
  readonly grantTokens: readonly string[];
}

const readOptionsOf = objectOf<ReadMultiRegionOptions>({
  ...POLICY_ROWS,
  regions: option(listOf(readRegion), []),
  grantTokens: option(grantTokenList, []),
} satisfies RowsFor<MultiRegionOptions>);

/** Keys in another region than they are said to be in, and keys that are listed twice. */
function keyProblems(regions: readonly ReadRegion[]): readonly string[] {
  const arns = regions.map(({ keyArn: key }: Partial<ReadRegion>) => key?.arn);
  return regions.flatMap(({ region, keyArn: key }: Partial<ReadRegion>, index) => {
    if (key === undefined) return [];
    const elsewhere = region !== undefined && key.region !== region;
    return [
      ...(elsewhere ? [`regions[${index}].keyArn is in ${key.region}, not in ${shown(region)}`] : []),
      ...(arns.indexOf(key.arn) < index ? [`regions[${index}].keyArn is listed twice`] : []),
    ];
  });
}
