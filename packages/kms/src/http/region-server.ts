// The HTTP server of one region: its limits, and the way of a request from the socket to the operation and back.

import Fastify from "fastify";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { FaultPlan } from "../faults/fault-plan.ts";
import { respondUnder } from "../faults/fault-response.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { requestView } from "../protocol/exchange.ts";
import type { RegionRequest, RegionResponse, RequestView } from "../protocol/exchange.ts";
import { handle, operationOf } from "./handle.ts";
import type { Engine } from "./handle.ts";
import { LOOPBACK } from "./loopback.ts";

/** Limits of one region's server. */
const SERVER_LIMITS = {
  /** Longest request body in bytes: an attestation document and its base64 fit. */
  bodyLimit: 524_288,
  /** A request that has not arrived whole after so long is dropped. */
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 75_000,
  maxHeaders: 100,
} as const;

/** What one region's server is made of. */
export interface RegionServerParts {
  readonly region: string;
  readonly engine: Engine;
  /** Null: no faults can be injected. */
  readonly faults: FaultPlan | null;
}

/** A certificate and its private key, in PEM. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

/** Makes the server of a region; it listens once `listen` is called. Without `tls` it speaks plain HTTP. */
export function regionServer(parts: RegionServerParts, tls: TlsIdentity | null): FastifyInstance {
  const { region, engine } = parts;
  const app = kmsApp(engine, tls);
  app.get("/healthz", (_request, reply) => {
    const witness = engine.witness();
    return reply.type("application/json").send({ status: "ok", region, ...(witness !== "none" && { witness }) });
  });
  app.setNotFoundHandler((request, reply) => respond(parts, request, reply));
  app.post("/", (request, reply) => respond(parts, request, reply));
  return app;
}

/** A server with the limits and errors of the KMS API, and no routes yet. */
export function kmsApp(engine: Engine, tls: TlsIdentity | null = null): FastifyInstance {
  const options = {
    bodyLimit: SERVER_LIMITS.bodyLimit,
    requestTimeout: SERVER_LIMITS.requestTimeoutMs,
    keepAliveTimeout: SERVER_LIMITS.keepAliveTimeoutMs,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    logger: false,
  };
  // The types tell servers with TLS from those without; nothing here does.
  const app = Fastify((tls === null ? options : { ...options, https: { ...tls, minVersion: "TLSv1.2" } }) as object);
  app.server.maxHeadersCount = SERVER_LIMITS.maxHeaders;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => {
    done(null, body);
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) engine.logger.error({ err: error }, "request failed");
    const known =
      status === 413
        ? new AwsError("RequestEntityTooLargeException", "The request body is too large.")
        : new AwsError("SerializationException", "The request could not be read.");
    return jsonError(reply.code(status < 500 ? known.status : 500), known);
  });
  return app;
}

/** Sends an error that no operation made. */
export const jsonError = (reply: FastifyReply, error: AwsError): FastifyReply =>
  reply.type("application/x-amz-json-1.1").send(JSON.stringify(error.toBody()));

/** The request as it was received. */
export const viewOf = (request: FastifyRequest): RequestView =>
  requestView(request.raw, Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));

/** Answers a request of the KMS API that came to a region. */
export async function respond(
  { region, engine, faults }: RegionServerParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { socket } = request;
  // What comes over a Unix socket has no address; it comes from this machine.
  const from = { remoteAddress: socket.remoteAddress ?? LOOPBACK, secureTransport: "encrypted" in socket };
  const view: RegionRequest = { ...viewOf(request), region, ...from };
  const hits = faults?.take(region, operationOf(view)?.name ?? null) ?? [];
  const response =
    hits.length === 0
      ? await handle(engine, view)
      : await respondUnder(hits, view, reply.raw, () => handle(engine, view));
  if (response === null) return reply.hijack();
  // Clients correct their clocks by this header; it tells the time that signatures are checked against.
  reply.header("date", new Date(engine.clock.now()).toUTCString());
  return send(reply, response);
}

function send(reply: FastifyReply, { status, requestId, body }: RegionResponse): FastifyReply {
  // Threat: a plaintext that lingers in memory after it was handed out.
  reply.raw.once("close", () => body.fill(0));
  return reply
    .code(status)
    .header("x-amzn-requestid", requestId)
    .header("cache-control", "no-store")
    .type("application/x-amz-json-1.1")
    .send(body);
}
