// One call as AWS CloudTrail would record it. Source: CloudTrail User Guide, "CloudTrail record contents", and
// AWS KMS Developer Guide, "Understanding AWS KMS log entries". Secrets and blobs are never in it.

import type { Json } from "../protocol/shape.ts";

/** Who called. */
export interface UserIdentity {
  readonly type: "Root" | "IAMUser" | "AssumedRole";
  readonly principalId: string;
  readonly arn: string;
  readonly accountId: string;
  readonly accessKeyId: string;
  readonly userName?: string;
}

/** A record of the audit chain; the order of members is the order in the stored JSON. */
export interface AuditEvent {
  readonly eventVersion: "1.11";
  readonly userIdentity: UserIdentity | { readonly accountId: string; readonly invokedBy: "AWS Internal" };
  /** See the function of this name. */
  readonly eventTime: string;
  readonly eventSource: "kms.amazonaws.com";
  readonly eventName: string;
  readonly awsRegion: string;
  readonly sourceIPAddress: string;
  readonly userAgent: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly requestParameters: Json;
  readonly responseElements: Json;
  readonly additionalEventData?: Json;
  readonly requestID: string;
  readonly eventID: string;
  readonly readOnly: boolean;
  readonly resources: readonly { readonly accountId: string; readonly type: "AWS::KMS::Key"; readonly ARN: string }[];
  readonly eventType: "AwsApiCall" | "AwsServiceEvent";
  readonly managementEvent: true;
  readonly recipientAccountId: string;
  readonly eventCategory: "Management";
}

/** A time (milliseconds) as CloudTrail writes it: ISO 8601, UTC, whole seconds. */
export const eventTime = (at: number): string => new Date(at).toISOString().replace(/\.\d{3}/, "");
