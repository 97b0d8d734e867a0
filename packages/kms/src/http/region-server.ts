// One region's HTTP server: a port of its own, so that a region can be lost without the others noticing.

import Fastify from "fastify";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { headersByName } from "../auth/request-view.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { KmsError } from "../errors.ts";
import type { FaultPlan } from "../faults/fault-plan.ts";
import { respondUnder } from "../faults/fault-response.ts";
import type { RegionRequest, RegionResponse } from "./exchange.ts";
import { handle, operationOf } from "./handle.ts";
import type { Engine } from "./handle.ts";

/** Limits of one region's server. */
export const SERVER_LIMITS = {
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

/** Makes the server of a region; it listens once `listen` is called. */
export function regionServer(parts: RegionServerParts): FastifyInstance {
  const { region, engine } = parts;
  const app = Fastify({
    bodyLimit: SERVER_LIMITS.bodyLimit,
    requestTimeout: SERVER_LIMITS.requestTimeoutMs,
    keepAliveTimeout: SERVER_LIMITS.keepAliveTimeoutMs,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    logger: false,
  });
  app.server.maxHeadersCount = SERVER_LIMITS.maxHeaders;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => {
    done(null, body);
  });
  app.get("/healthz", (_request, reply) => reply.type("application/json").send({ status: "ok", region }));
  app.setNotFoundHandler((request, reply) => respond(parts, request, reply));
  app.post("/", (request, reply) => respond(parts, request, reply));
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) engine.logger.error({ err: error, region }, "request failed");
    const known =
      status === 413
        ? new AwsError("RequestEntityTooLargeException", "The request body is too large.")
        : new AwsError("SerializationException", "The request could not be read.");
    return reply
      .code(status < 500 ? known.status : 500)
      .type("application/x-amz-json-1.1")
      .send(JSON.stringify(known.toBody()));
  });
  return app;
}

/**
 * Opens the region's port.
 * @returns the port it has, which differs from `port` if that is 0.
 * @throws KmsError `port-in-use`.
 */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === "EADDRINUSE") throw new KmsError("port-in-use", `${host}:${port}.`, { cause: error });
    throw error;
  }
  const address = app.server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

async function respond(
  { region, engine, faults }: RegionServerParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const [path = "/", ...query] = request.raw.url?.split("?") ?? [];
  const view: RegionRequest = {
    region,
    remoteAddress: request.ip,
    method: request.method,
    path,
    query: query.join("?"),
    headers: headersByName(request.raw.rawHeaders),
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  };
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
