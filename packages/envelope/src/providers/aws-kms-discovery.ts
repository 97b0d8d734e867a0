/**
 * @strongroom/envelope/aws-kms-discovery: the AWS KMS discovery keyring
 *   (framework/aws-kms/aws-kms-discovery-keyring.md) and its form that knows multi-Region keys
 *   (framework/aws-kms/aws-kms-mrk-discovery-keyring.md). It opens what the message itself says it is encrypted under,
 *   and so only within a partition and accounts that the caller trusts: without that filter whoever writes the message
 *   would choose which keys are asked. It cannot encrypt.
 */
import { SecretBytes } from "../crypto/secret.ts";
import { EnvelopeError, shown } from "../errors.ts";
import type { EncryptedDataKey } from "../format/header.ts";
import type { DecryptionMaterials, Keyring } from "../keyrings/keyring.ts";
import { requireNoDataKey, unwrapDataKey, weightiest } from "../keyrings/data-keys.ts";
import type { KeyOutcome } from "../keyrings/data-keys.ts";
import {
  having,
  isPlainObject,
  listOf,
  needed,
  nonEmpty,
  objectOf,
  oneOf,
  option,
  readOptions,
  text,
  thatIs,
} from "../options.ts";
import type { Reader, RowsFor } from "../options.ts";
import type { KmsClient } from "./aws-kms/client.ts";
import { grantsOf } from "./aws-kms/kms-call.ts";
import { inRegion, kmsDecrypt, PROVIDER_ID, requireKeyArn } from "./aws-kms/kms-key.ts";
import type { KeyArn } from "./aws-kms/kms-key.ts";
import { SINGLE_CALL_DEFAULTS, SINGLE_CALL_ROWS, SingleCalls } from "./aws-kms/single-calls.ts";
import type { SingleCallOptions } from "./aws-kms/single-calls.ts";

export type KmsDiscoveryClient = Pick<KmsClient, "decrypt">;

export interface KmsDiscoveryOptions extends SingleCallOptions {
  /** By region. A key of a region that is not listed is not asked for. Clients must not retry (`maxAttempts: 1`). */
  readonly clients: Readonly<Record<string, KmsDiscoveryClient>>;
  /** Whose keys may be asked, such as `{ partition: "aws", accounts: ["111122223333"] }`. */
  readonly filter: { readonly partition: string; readonly accounts: readonly string[] };
  /**
   * Whether a multi-Region key (`mrk-`) is asked for in the region that the message names only, or in any that is
   * listed.
   */
  readonly multiRegionKeys?: "own-region" | "any-region";
}

export const KMS_DISCOVERY_DEFAULTS: Required<SingleCallOptions> & {
  readonly multiRegionKeys: "own-region" | "any-region";
} = {
  ...SINGLE_CALL_DEFAULTS,
  multiRegionKeys: "own-region",
};

/**
 * @throws EnvelopeError `option-invalid`, with every problem listed
 *
 * @example
 * ```ts
 * import { KMS } from "@aws-sdk/client-kms";
 * import { decrypt, encrypt } from "@strongroom/envelope";
 * import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
 * import { kmsDiscoveryKeyring } from "@strongroom/envelope/aws-kms-discovery";
 *
 * // Your key ARNs; an endpoint only where it is not AWS itself.
 * const keys: { region: string; keyArn: string; endpoint?: string }[] = JSON.parse(process.env["KMS_KEYS"] ?? "[]");
 * const regions = keys.map(({ region, keyArn, ...endpoint }) => {
 *   return { region, keyArn, client: new KMS({ region, maxAttempts: 1, ...endpoint }) };
 * });
 * const writer = multiRegionKeyring({ regions, minimum: 2 });
 * const { message } = await encrypt(Buffer.from("Ada"), { keyring: writer, encryptionContext: { id: "42" } });
 *
 * const reader = kmsDiscoveryKeyring({
 *   clients: Object.fromEntries(regions.map(({ region, client }) => [region, client])),
 *   filter: { partition: "aws", accounts: ["000000000000"] },
 * });
 * const { plaintext } = await decrypt(message, { keyring: reader, encryptionContext: { id: "42" } });
 * console.log(Buffer.from(plaintext).toString()); // prints: Ada
 * ```
 */
export function kmsDiscoveryKeyring(options: KmsDiscoveryOptions): Keyring {
  const resolved = readOptions(readDiscovery, options);
  const { filter, clients, multiRegionKeys } = resolved;
  const regions = [...clients.keys()];
  const accounts = new Set(filter.accounts);
  const grants = grantsOf(resolved.grantTokens);

  /** Where to ask for a key: nowhere for one that the filter does not let through. */
  function keysToAsk(named: KeyArn): readonly KeyArn[] {
    if (named.partition !== filter.partition || !accounts.has(named.account)) return [];
    const own = regions.includes(named.region) ? [named] : [];
    if (multiRegionKeys === "own-region" || !named.multiRegion) return own;
    return [...own, ...regions.filter((region) => region !== named.region).map((region) => inRegion(named, region))];
  }

  return {
    async onEncrypt() {
      throw new EnvelopeError("keyring-unsuitable", "A discovery keyring cannot encrypt: it has no key of its own");
    },

    async onDecrypt(materials, encryptedDataKeys, call) {
      requireNoDataKey(materials);
      const ours = new Map(
        encryptedDataKeys
          .filter(({ providerId }) => providerId === PROVIDER_ID)
          .map((key) => [key, keysToAsk(requireKeyArn(key))]),
      );
      const openedWith = new Map<EncryptedDataKey, KeyArn>();
      using calls = new SingleCalls(resolved, call);
      return await unwrapDataKey(materials, encryptedDataKeys, call, {
        isOurs: (key) => (ours.get(key) ?? []).length > 0,
        unwrap: (key) =>
          unwrapWithAny(ours.get(key) ?? [], (arn) => {
            openedWith.set(key, arn);
            return unwrapWith(key, arn, materials, calls);
          }),
        openedBy: (key) => {
          const { arn, region } = openedWith.get(key) ?? requireKeyArn(key);
          return { providerId: PROVIDER_ID, key: arn, region };
        },
        notAccepted: "wrong-data-key",
        attempts: calls.attempts,
      });
    },
  };

  async function unwrapWithAny(
    asked: readonly KeyArn[],
    unwrap: (arn: KeyArn) => Promise<SecretBytes | KeyOutcome>,
  ): Promise<SecretBytes | KeyOutcome> {
    const outcomes: KeyOutcome[] = [];
    for (const arn of asked) {
      const result = await unwrap(arn);
      if (result instanceof SecretBytes) return result;
      outcomes.push(result);
    }
    return weightiest(outcomes);
  }

  async function unwrapWith(
    key: EncryptedDataKey,
    arn: KeyArn,
    { suite, encryptionContext }: DecryptionMaterials,
    calls: SingleCalls,
  ): Promise<SecretBytes | KeyOutcome> {
    const client = clients.get(arn.region);
    if (client === undefined) return "not-configured";
    const request = {
      ciphertext: key.ciphertext,
      keyLength: suite.keyLength,
      context: Object.fromEntries(encryptionContext.pairs),
    };
    return await calls.call<SecretBytes>({
      key: arn,
      operation: "Decrypt",
      send: (abortSignal) => kmsDecrypt({ client, arn: arn.arn, grants }, request, abortSignal),
      discard: (late) => {
        late.wipe();
      },
    });
  }
}

function isAccount(value: unknown): value is string {
  return typeof value === "string" && /^\d{12}$/.test(value);
}

const readFilter = objectOf({
  partition: needed(text),
  accounts: needed(nonEmpty(listOf(thatIs(isAccount, "an account of twelve digits")))),
} satisfies RowsFor<KmsDiscoveryOptions["filter"]>);

const client = having<KmsDiscoveryClient>("a client of AWS KMS", "decrypt");

/** Regions are names of the caller's, so this object has no table. */
const readClients: Reader<ReadonlyMap<string, KmsDiscoveryClient>> = (value, name, problems) => {
  const entries = isPlainObject(value) ? Object.entries(value).filter(([, one]) => one !== undefined) : [];
  if (entries.length === 0) problems.push(`${name} must have a client for at least one region`);
  return new Map(
    entries.map(([region, one]) => {
      if (!/^[a-z0-9-]+$/.test(region)) problems.push(`${name}: ${shown(region)} is not a region`);
      return [region, client(one, `${name}["${shown(region)}"]`, problems)];
    }),
  );
};

const readDiscovery = objectOf({
  ...SINGLE_CALL_ROWS,
  clients: needed(readClients),
  filter: needed(readFilter),
  multiRegionKeys: option(oneOf(["own-region", "any-region"]), KMS_DISCOVERY_DEFAULTS.multiRegionKeys),
} satisfies RowsFor<KmsDiscoveryOptions>);
