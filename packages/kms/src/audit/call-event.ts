// From a call to its audit event.

import type { KnownKey } from "../auth/principals.ts";
import { valuesOf } from "../auth/request-view.ts";
import type { Outcome, RegionRequest } from "../http/exchange.ts";
import type { Call } from "../operations/call.ts";
import type { Operation } from "../operations/operation.ts";
import type { Answer } from "../protocol/answer.ts";
import type { Json } from "../protocol/shape.ts";
import { eventTime } from "./event.ts";
import type { AuditEvent, UserIdentity } from "./event.ts";

/** What a client says of itself is cut here. */
const MAX_USER_AGENT = 256;

/** CloudTrail names these error codes without AWS's suffix. */
const ERROR_CODES: Readonly<Record<string, string>> = { AccessDeniedException: "AccessDenied" };

/** The event of a call that was answered or refused. */
export function callEvent(parts: {
  readonly operation: Operation;
  readonly call: Call;
  readonly key: KnownKey;
  readonly request: RegionRequest;
  readonly outcome: Outcome;
}): AuditEvent {
  const { operation, call, key, request, outcome } = parts;
  return {
    eventVersion: "1.11",
    userIdentity: identityOf(key),
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

/**
 * Byte values of an answer are ciphertexts, tokens or plaintexts: none belongs in the audit. Neither do grant tokens.
 */
function withoutBytes(answer: Answer): Json {
  if (answer === null) return null;
  const shown: Record<string, Json> = {};
  for (const [name, value] of Object.entries(answer)) {
    if (value === undefined || value instanceof Uint8Array || name === "GrantToken") continue;
    shown[name.charAt(0).toLowerCase() + name.slice(1)] = value;
  }
  return shown;
}
