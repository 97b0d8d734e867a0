// What goes on record: each call as AWS CloudTrail would record it, and what the service does of its own accord (keys
// deleted when due, material expired, rotations). Source: CloudTrail User Guide, "CloudTrail record contents", and AWS
// KMS Developer Guide, "Understanding AWS KMS log entries". Secrets and blobs are never in it.

import { randomUUID } from "node:crypto";
import type { Caller } from "../auth/caller.ts";
import type { KnownKey } from "../auth/principals.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import type { AwsError } from "../protocol/aws-error.ts";
import { valuesOf } from "../protocol/exchange.ts";
import type { Answer, RegionRequest } from "../protocol/exchange.ts";
import type { Json, Shape } from "../protocol/shape.ts";

/** Who called. */
export interface UserIdentity {
  readonly type: "Root" | "IAMUser" | "AssumedRole";
  readonly principalId: string;
  readonly arn: string;
  readonly accountId: string;
  readonly accessKeyId: string;
  readonly userName?: string;
  /** Whom the holder of the access key calls for, as it signed. */
  readonly sessionContext?: { readonly sourceIdentity: string };
}

/** An entry of the audit log; the order of members is the order in the stored JSON. */
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

/** What a client says of itself is cut here. */
const MAX_USER_AGENT = 256;

/** CloudTrail names these error codes without AWS's suffix. */
const ERROR_CODES: Readonly<Record<string, string>> = { AccessDeniedException: "AccessDenied" };

/** How a call went. */
export type CallOutcome =
  | { readonly kind: "answer"; readonly input: unknown; readonly answer: Answer }
  | { readonly kind: "error"; readonly input: unknown; readonly error: AwsError };

/** A call as its event needs it. */
export interface RecordedCall {
  readonly operation: { readonly name: string; readonly readOnly: boolean; readonly input: Shape<unknown> };
  readonly call: {
    readonly account: string;
    /** Milliseconds. */
    readonly now: number;
    readonly requestId: string;
    readonly eventId: string;
    readonly touched: ReadonlySet<string>;
  };
  /** The access key that signed the request. */
  readonly key: KnownKey;
  /** On whose behalf, as the request says. */
  readonly caller: Caller | null;
  readonly request: RegionRequest;
  readonly outcome: CallOutcome;
}

/** The event of a call of the API that was answered or refused (CloudTrail's AwsApiCall). */
export function apiCallEvent({ operation, call, key, caller, request, outcome }: RecordedCall): AuditEvent {
  return {
    eventVersion: "1.11",
    userIdentity: { ...identityOf(key), ...sessionOf(caller) },
    eventTime: eventTime(call.now),
    eventSource: "kms.amazonaws.com",
    eventName: operation.name,
    awsRegion: request.region,
    sourceIPAddress: request.remoteAddress,
    userAgent: (valuesOf(request, "user-agent")[0] ?? "").slice(0, MAX_USER_AGENT),
    ...(outcome.kind === "error" && {
      errorCode: ERROR_CODES[outcome.error.type] ?? outcome.error.type,
      errorMessage: outcome.error.message.slice(0, 1024),
    }),
    requestParameters: outcome.input === null ? null : (operation.input.audit(outcome.input) ?? null),
    responseElements: outcome.kind === "answer" && !operation.readOnly ? withoutBytes(outcome.answer) : null,
    ...callerData(caller),
    requestID: call.requestId,
    eventID: call.eventId,
    readOnly: operation.readOnly,
    resources: [...call.touched].map((ARN) => ({ accountId: call.account, type: "AWS::KMS::Key", ARN })),
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: call.account,
    eventCategory: "Management",
  };
}

function identityOf(key: KnownKey): UserIdentity {
  const { principal } = key;
  const name = principal.arn.split("/").at(-1) ?? "";
  const base = { arn: principal.arn, accountId: principal.account, accessKeyId: key.accessKeyId };
  switch (principal.kind) {
    case "root":
      return { type: "Root", principalId: principal.account, ...base };
    case "user":
      return { type: "IAMUser", principalId: name, ...base, userName: name };
    case "role":
      return { type: "AssumedRole", principalId: name, ...base };
  }
}

/** What was signed is part of the identity. */
function sessionOf(caller: Caller | null): Pick<UserIdentity, "sessionContext"> {
  return caller?.signed === true && caller.session !== null
    ? { sessionContext: { sourceIdentity: caller.session } }
    : {};
}

/** What was not signed is on record as no more than what somebody said. */
function callerData(caller: Caller | null): Pick<AuditEvent, "additionalEventData"> {
  if (caller === null) return {};
  const { signed, session, requestId } = caller;
  const data = signed
    ? { ...(requestId !== null && { callerRequestId: requestId }) }
    : {
        ...(session !== null && { claimedSourceIdentity: session }),
        ...(requestId !== null && { claimedCallerRequestId: requestId }),
      };
  return Object.keys(data).length === 0 ? {} : { additionalEventData: data };
}

/** Byte values of an answer are ciphertexts, tokens or plaintexts: none belongs in the audit. Nor do grant tokens. */
function withoutBytes(answer: Answer): Json {
  if (answer === null) return null;
  const shown: Record<string, Json> = {};
  for (const [name, value] of Object.entries(answer)) {
    if (value === undefined || value instanceof Uint8Array || name === "GrantToken") continue;
    shown[name.charAt(0).toLowerCase() + name.slice(1)] = value;
  }
  return shown;
}

/** The event of what the service did by itself at `at`, in milliseconds (CloudTrail's AwsServiceEvent). */
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
