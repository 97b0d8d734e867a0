// The emulator's HTTP server: one port for all regions, for test suites that were written for another emulator of AWS.
// The region is the one that a signature claims, whoever claims it. Everything here is for programs on this machine.

import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Engine } from "../http/handle.ts";
import { isFromProgramHere } from "../http/loopback.ts";
import { jsonError, kmsApp, respond, viewOf } from "../http/region-server.ts";
import { AwsError } from "../protocol/aws-error.ts";
import type { RequestView } from "../protocol/exchange.ts";
import { claimedScope } from "./anyone.ts";
import { actionOf, callerIdentity, isForKms, kmsOnly, noSuchService } from "./other-services.ts";
import type { XmlAnswer } from "./other-services.ts";
import { ReadWriteLock } from "./read-write-lock.ts";

/** What the emulator's server is made of. */
export interface EmulatorParts {
  readonly engine: Engine;
  /** The region of requests that claim none. */
  readonly region: string;
  /** Brings everything back to how it started; no call is under way meanwhile. */
  readonly reset: () => Promise<void>;
}

/** In every answer, so that nobody takes the emulator for a server. */
const MARK = { "x-strongroom-emulator": "lets everyone in" } as const;

const running = { kms: "running" } as const;
/** GET: what start scripts wait for, of other emulators and our own. */
const HEALTH: Readonly<Record<string, object>> = {
  "/healthz": { status: "ok", mode: "emulator" },
  "/health": { status: "ok", mode: "emulator", services: running },
  "/_localstack/health": { mode: "emulator", services: running },
  "/_ministack/health": { status: "ok", mode: "emulator", services: running },
  "/moto-api/": { status: "ok", mode: "emulator" },
};

/** POST: what fixtures call between tests. */
const RESETS = ["/_strongroom/reset", "/_localstack/state/reset", "/_ministack/reset", "/moto-api/reset"] as const;

/** Makes the server; it listens once `listen` is called. */
export function emulatorServer(parts: EmulatorParts): FastifyInstance {
  const { engine, reset } = parts;
  const calls = new ReadWriteLock();
  const app = kmsApp(engine);
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(MARK);
    if (isFromProgramHere(request)) return undefined;
    return jsonError(
      reply.code(403),
      new AwsError("AccessDeniedException", "The emulator answers programs on this machine only."),
    );
  });
  for (const [path, health] of Object.entries(HEALTH)) app.get(path, () => health);
  for (const path of RESETS) {
    app.post(path, async () => {
      await calls.exclusive(reset);
      return { status: "ok" };
    });
  }
  const answer = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    calls.shared(() => answerOne(parts, request, reply));
  app.post("/", answer);
  app.setNotFoundHandler(answer);
  return app;
}

async function answerOne(
  { engine, region }: EmulatorParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const view = viewOf(request);
  const scope = claimedScope(view);
  if (!isForKms(view)) return answerOther(engine, view, reply);
  const known = engine.store.findRegion(scope?.region ?? region);
  if (known !== null) return respond({ region: known.name, engine, faults: null }, request, reply);
  const message = `Credential should be scoped to a valid region, not '${(scope?.region ?? region).slice(0, 32)}'.`;
  const error = new AwsError("InvalidSignatureException", message);
  return jsonError(reply.code(error.status), error);
}

function answerOther(engine: Engine, view: RequestView, reply: FastifyReply): FastifyReply {
  const requestId = randomUUID();
  const target = view.headers.get("x-amz-target")?.[0];
  if (target !== undefined) {
    const error = new AwsError("UnknownOperationException", kmsOnly(target.slice(0, 128)));
    return jsonError(reply.code(error.status), error);
  }
  const action = actionOf(view);
  if (action !== "GetCallerIdentity")
    return sendXml(reply, noSuchService(action ?? `${view.method} of this path`, requestId));
  const { key } = engine.authenticate(
    { ...view, region: "", remoteAddress: "", secureTransport: false },
    engine.clock.now(),
  );
  return sendXml(reply, callerIdentity(key.principal, requestId));
}

const sendXml = (reply: FastifyReply, { status, xml }: XmlAnswer): FastifyReply =>
  reply.code(status).type("text/xml").send(xml);
