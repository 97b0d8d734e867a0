// What is asked of other services than KMS. Fixtures ask STS who they are before they do anything else: that is
// answered. Everything else gets an error that says where it went.

import type { Principal } from "../auth/principals.ts";
import { valuesOf } from "../protocol/exchange.ts";
import type { RequestView } from "../protocol/exchange.ts";

/** An answer in AWS's query protocol. */
export interface XmlAnswer {
  readonly status: number;
  readonly xml: string;
}

/** Whether a request is one of KMS, whether or not there is such an operation. */
export const isForKms = (request: RequestView): boolean =>
  (valuesOf(request, "x-amz-target")[0] ?? "").startsWith("TrentService.");

/** What a query request asks for, by its form or its query. */
export function actionOf({ body, query }: RequestView): string | null {
  const form = body.length <= MAX_FORM ? body.toString("utf8") : "";
  const action = new URLSearchParams(form).get("Action") ?? new URLSearchParams(query).get("Action");
  return action === null || !/^\w{1,64}$/.test(action) ? null : action;
}

const MAX_FORM = 4096;

/**
 * STS GetCallerIdentity. No ARN of a principal has a character that means something in XML.
 * Source: AWS Security Token Service API Reference, API_GetCallerIdentity.
 */
export function callerIdentity({ arn, account }: Principal, requestId: string): XmlAnswer {
  return {
    status: 200,
    xml:
      '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>' +
      `<Arn>${arn}</Arn><UserId>${account}</UserId><Account>${account}</Account>` +
      `</GetCallerIdentityResult><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>` +
      "</GetCallerIdentityResponse>",
  };
}

/** The refusal of another service's request; `asked` has no character that means something in XML. */
export function noSuchService(asked: string, requestId: string): XmlAnswer {
  return {
    status: 400,
    xml:
      `<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>${kmsOnly(asked)}</Message></Error>` +
      `<RequestId>${requestId}</RequestId></ErrorResponse>`,
  };
}

/** Why a request is not answered. */
export const kmsOnly = (asked: string): string => `This emulator is a KMS and nothing else: it has no ${asked}.`;
