// What the service does of its own accord, as CloudTrail records it: keys deleted when due, material expired,
// rotations. Source: AWS KMS Developer Guide, "AWS KMS log entries" (DeleteKey, RotateKey).

import { randomUUID } from "node:crypto";
import type { KeyRecord } from "../keys/key-record.ts";
import { eventTime } from "./event.ts";
import type { AuditEvent } from "./event.ts";

/** The event of something that fell due at `at` (milliseconds). */
export function serviceEvent({
  name,
  key,
  account,
  at,
}: {
  readonly name: string;
  readonly key: KeyRecord;
  readonly account: string;
  readonly at: number;
}): AuditEvent {
  return {
    eventVersion: "1.11",
    userIdentity: { accountId: account, invokedBy: "AWS Internal" },
    eventTime: eventTime(at),
    eventSource: "kms.amazonaws.com",
    eventName: name,
    awsRegion: key.region,
    sourceIPAddress: "AWS Internal",
    userAgent: "AWS Internal",
    requestParameters: null,
    responseElements: null,
    requestID: randomUUID(),
    eventID: randomUUID(),
    readOnly: false,
    resources: [{ accountId: account, type: "AWS::KMS::Key", ARN: key.arn }],
    eventType: "AwsServiceEvent",
    managementEvent: true,
    recipientAccountId: account,
    eventCategory: "Management",
  };
}
