/**
 * @strongroom/envelope/aws-kms: keyrings over AWS KMS. The caller brings the clients.
 */
export { multiRegionKeyring } from "../multi-region/keyring.ts";
export type { MultiRegionKeyring } from "../multi-region/keyring.ts";
export { MULTI_REGION_DEFAULTS } from "./aws-kms/multi-region-options.ts";
export type { KeyRegion, MultiRegionOptions } from "./aws-kms/multi-region-options.ts";
export type { ResilienceSettings } from "../resilience/settings.ts";
export type { CancelTimer, Time } from "../resilience/time.ts";
export type { RegionHealth } from "../multi-region/telemetry.ts";
export type { KeyringCounters } from "./aws-kms/counters.ts";
export { KMS_CHANNEL } from "./aws-kms/events.ts";
export type { CallPurpose, KmsEvent } from "./aws-kms/events.ts";
export type {
  DecryptInput,
  DescribeKeyInput,
  EncryptInput,
  GenerateDataKeyInput,
  KmsCallOptions,
  KmsClient,
} from "./aws-kms/client.ts";
export type { RegionAttempt, RegionFailureKind } from "../errors.ts";
export type { WrapReport } from "../keyrings/keyring.ts";
