// One request from its bytes to the bytes of its answer: verify the signature, find the operation, read the input,
// run it, commit its changes together with the audit entry, answer. In this order: nothing is parsed before its
// sender is known, and nothing leaves before it is on record.

import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { apiCallEvent } from "../audit/event.ts";
import type { CallOutcome } from "../audit/event.ts";
import type { Authenticator } from "../auth/authenticator.ts";
import { callerOf } from "../auth/caller.ts";
import { Call } from "../calls/call.ts";
import type { Operation } from "../calls/operation.ts";
import type { Clock } from "../clock.ts";
import type { IdleSweep } from "../crypto/freed-memory.ts";
import type { KeyMaterial } from "../keys/key-material.ts";
import type { Lifecycle } from "../keys/lifecycle.ts";
import { OPERATIONS } from "../operations/table.ts";
import { AwsError, serializationError } from "../protocol/aws-error.ts";
import { answerBytes, valuesOf } from "../protocol/exchange.ts";
import type { Answer, RegionRequest, RegionResponse, RequestView } from "../protocol/exchange.ts";
import { readInput } from "../protocol/shape.ts";
import type { Json } from "../protocol/shape.ts";
import type { Store } from "../store/store.ts";
import type { WitnessState } from "../witnesses/publisher.ts";

/** What all requests of all regions share. */
export interface Engine {
  readonly store: Store;
  readonly material: KeyMaterial;
  readonly lifecycle: Lifecycle;
  readonly idleSweep: IdleSweep;
  readonly clock: Clock;
  readonly account: string;
  readonly logger: Logger;
  /** Whether the audit's witness is up to date. */
  witness(): WitnessState;
  readonly authenticate: Authenticator;
}

/** What goes on when the disk is full: to open what is there, to look, to take away. */
const SERVED_WITHOUT_ROOM: ReadonlySet<string> = new Set([
  "Decrypt",
  "DescribeKey",
  "GetPublicKey",
  "Verify",
  "VerifyMac",
  "DisableKey",
  "ScheduleKeyDeletion",
  "DeleteImportedKeyMaterial",
  "RevokeGrant",
  "RetireGrant",
]);

/** The operation that a request asks for by its `X-Amz-Target`, or null. */
export const operationOf = (request: RequestView): Operation | null =>
  OPERATIONS.get(valuesOf(request, "x-amz-target")[0] ?? "") ?? null;

/** Answers a request; never throws. */
export async function handle(engine: Engine, request: RegionRequest): Promise<RegionResponse> {
  const requestId = randomUUID();
  try {
    const body = answerBytes(await answer(engine, request, requestId));
    return { status: 200, requestId, body };
  } catch (error) {
    const known = error instanceof AwsError ? error : internal(engine, error, requestId);
    if (known.detail !== known.message) engine.logger.warn({ requestId, type: known.type }, known.detail);
    return { status: known.status, requestId, body: Buffer.from(JSON.stringify(known.toBody())) };
  }
}

async function answer(engine: Engine, request: RegionRequest, requestId: string): Promise<Answer> {
  const now = engine.clock.now();
  const { key, signedHeaders } = engine.authenticate(request, now);
  const operation = operationOf(request);
  if (operation === null)
    throw new AwsError("UnknownOperationException", "The X-Amz-Target header names no operation of this service.");
  const { store, material, account } = engine;
  // Before anything is put on record: on a full disk, entries are for what reads and removes.
  if (!SERVED_WITHOUT_ROOM.has(operation.name) && !store.hasRoom)
    throw new AwsError("LimitExceededException", "Only what reads and removes is answered.", {
      detail: "the disk of the data directory is full: make room there",
    });
  const { epoch } = store;
  engine.idleSweep.touch();
  const due = engine.lifecycle.settle(now);
  const call = new Call({
    store,
    epoch,
    material,
    account,
    region: request.region,
    principal: key.principal,
    now,
    requestId,
    eventId: randomUUID(),
    remoteAddress: request.remoteAddress,
    secureTransport: request.secureTransport,
    userAgent: valuesOf(request, "user-agent")[0] ?? null,
  });
  const outcome = await run(operation, call, request.body, engine);
  const event = apiCallEvent({ operation, call, key, caller: callerOf(request, signedHeaders), request, outcome });
  // Fail closed: without its audit entry a call has not happened.
  await store.commit(epoch, [...due.changes, ...call.changes], [...due.events, event]);
  if (outcome.kind === "error") throw outcome.error;
  return outcome.answer;
}

async function run(operation: Operation, call: Call, body: Buffer, engine: Engine): Promise<CallOutcome> {
  let input: unknown = null;
  try {
    input = readInput(operation.input, parseBody(body));
    call.input = input as Readonly<Record<string, unknown>>;
    return { kind: "answer", input, answer: await operation.run(call, input) };
  } catch (error) {
    return { kind: "error", input, error: error instanceof AwsError ? error : internal(engine, error, call.requestId) };
  }
}

function parseBody(body: Buffer): Json {
  if (body.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as Json;
  } catch {
    throw serializationError("The request body is not valid JSON.");
  }
}

/** What went wrong inside goes to the log; the client learns only that something did. */
function internal(engine: Engine, error: unknown, requestId: string): AwsError {
  engine.logger.error({ err: error, requestId }, "request failed");
  return new AwsError("KMSInternalException", `An internal error occurred. Request id: ${requestId}`);
}
