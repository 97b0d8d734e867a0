// What a fault makes of an answer: another answer instead, a true answer changed, or bytes that do not arrive
// as they should.

import { randomBytes, randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { secretText } from "@strongroom/base/secret-memory";
import { AwsError } from "../protocol/aws-error.ts";
import type { RegionRequest, RegionResponse } from "../protocol/exchange.ts";
import type { Fault, FaultKind } from "./fault.ts";

/** How a fault acts on a request. */
type Effect =
  | { readonly kind: "instead"; readonly respond: (fault: Fault, request: RegionRequest) => RegionResponse }
  | { readonly kind: "change"; readonly change: (response: RegionResponse, request: RegionRequest) => RegionResponse }
  | {
      readonly kind: "wire";
      readonly send: (raw: ServerResponse, response: RegionResponse | null, fault: Fault) => Promise<void>;
    };

const errorAnswer = (type: string, message: string, status?: number): RegionResponse => {
  const error = new AwsError(type, message);
  return { status: status ?? error.status, requestId: randomUUID(), body: Buffer.from(JSON.stringify(error.toBody())) };
};

const EFFECTS: Readonly<Record<Exclude<FaultKind, "delay">, Effect>> = {
  refuse: {
    kind: "wire",
    send: (raw) => {
      // A Unix socket knows no reset; its end without an answer is one to the client.
      if (raw.socket?.remoteAddress === undefined) raw.socket?.destroy();
      else raw.socket.resetAndDestroy();
      return Promise.resolve();
    },
  },
  // The client's own limit ends it; the socket goes with the region's server at the latest.
  "black-hole": { kind: "wire", send: () => Promise.resolve() },
  "server-error": {
    kind: "instead",
    respond: (fault) =>
      errorAnswer(
        "KMSInternalException",
        "An internal error occurred.",
        fault.kind === "server-error" ? fault.status : undefined,
      ),
  },
  throttle: { kind: "instead", respond: () => errorAnswer("ThrottlingException", "Rate exceeded") },
  "expired-credentials": {
    kind: "instead",
    respond: () => errorAnswer("ExpiredTokenException", "The security token included in the request is expired"),
  },
  "access-denied": {
    kind: "instead",
    respond: (_fault, request) =>
      errorAnswer(
        "AccessDeniedException",
        `User is not authorized to perform this operation on resource: ${keyNamedIn(request)} ` +
          "because no identity-based policy allows it",
      ),
  },
  "disabled-key": {
    kind: "instead",
    respond: (_fault, request) => errorAnswer("DisabledException", `${keyNamedIn(request)} is disabled.`),
  },
  "wrong-key-id": {
    kind: "change",
    change: (response, request) =>
      changed(response, { KeyId: `arn:aws:kms:${request.region}:000000000000:key/${randomUUID()}` }),
  },
  "wrong-plaintext": {
    kind: "change",
    change: (response) => changed(response, { Plaintext: (plain: unknown) => otherBytes(plain, 0) }),
  },
  "short-plaintext": {
    kind: "change",
    change: (response) => changed(response, { Plaintext: (plain: unknown) => otherBytes(plain, 1) }),
  },
  "corrupt-json": {
    kind: "change",
    change: (response) => ({ ...response, body: response.body.subarray(0, Math.floor(response.body.length / 2)) }),
  },
  "slow-body": { kind: "wire", send: sendSlowly },
  "half-closed": { kind: "wire", send: sendHalf },
};

/** Waits out the delays among `faults`. */
async function waitOut(faults: readonly Fault[]): Promise<void> {
  for (const fault of faults) {
    if (fault.kind !== "delay") continue;
    const jitter = (fault.jitterMs ?? 0) * (2 * Math.random() - 1);
    await sleep(Math.max(0, fault.delayMs + jitter));
  }
}

/**
 * Answers a request under a fault.
 * @param answer the true answer, made only if the fault needs it.
 * @returns the answer to send, or null if the fault has dealt with the connection itself.
 */
export async function respondUnder(
  faults: readonly Fault[],
  request: RegionRequest,
  raw: ServerResponse,
  answer: () => Promise<RegionResponse>,
): Promise<RegionResponse | null> {
  await waitOut(faults);
  const fault = faults.find((candidate) => candidate.kind !== "delay");
  if (fault === undefined) return answer();
  const effect = EFFECTS[fault.kind];
  switch (effect.kind) {
    case "instead":
      return effect.respond(fault, request);
    case "change":
      return effect.change(await answer(), request);
    case "wire":
      await effect.send(raw, fault.kind === "slow-body" || fault.kind === "half-closed" ? await answer() : null, fault);
      return null;
  }
}

function headersOf(response: RegionResponse): Record<string, string> {
  return {
    "content-type": "application/x-amz-json-1.1",
    "content-length": String(response.body.length),
    "x-amzn-requestid": response.requestId,
  };
}

async function sendSlowly(raw: ServerResponse, response: RegionResponse | null, fault: Fault): Promise<void> {
  if (response === null) return;
  raw.writeHead(response.status, headersOf(response));
  for (const byte of response.body) {
    if (raw.destroyed) return;
    raw.write(Buffer.of(byte));
    await sleep(fault.kind === "slow-body" ? (fault.intervalMs ?? 100) : 0);
  }
  raw.end();
}

async function sendHalf(raw: ServerResponse, response: RegionResponse | null): Promise<void> {
  if (response === null) return;
  raw.writeHead(response.status, headersOf(response));
  raw.write(response.body.subarray(0, Math.floor(response.body.length / 2)));
  // The bytes must be on their way before the connection ends.
  await sleep(5);
  raw.socket?.end();
}

/** The KeyId that the request names, for messages that cite it; the request was not checked in any way. */
function keyNamedIn(request: RegionRequest): string {
  try {
    const body = JSON.parse(request.body.toString("utf8")) as { KeyId?: unknown };
    if (typeof body.KeyId === "string") return body.KeyId.slice(0, 2048);
  } catch {
    // Not JSON: the message then cites no key.
  }
  return `arn:aws:kms:${request.region}:000000000000:key/*`;
}

/** A true answer with some members replaced; errors stay as they are. */
function changed(
  response: RegionResponse,
  members: Readonly<Record<string, string | ((value: unknown) => unknown)>>,
): RegionResponse {
  if (response.status !== 200) return response;
  const body = JSON.parse(response.body.toString("utf8")) as Record<string, unknown>;
  for (const [name, value] of Object.entries(members)) {
    if (Object.hasOwn(body, name)) body[name] = typeof value === "function" ? value(body[name]) : value;
  }
  return { ...response, body: secretText(JSON.stringify(body), "utf8") };
}

function otherBytes(plaintext: unknown, shorterBy: number): string {
  const length = Buffer.from(String(plaintext), "base64").length;
  return randomBytes(Math.max(1, length - shorterBy)).toString("base64");
}
