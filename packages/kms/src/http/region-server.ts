// The HTTP servers of the regions, each with a port of its own, to be stopped and started by itself: so that a region
// can be lost without the others noticing.

import Fastify from "fastify";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { KmsError } from "../errors.ts";
import type { FaultPlan } from "../faults/fault-plan.ts";
import { respondUnder } from "../faults/fault-response.ts";
import { AwsError } from "../protocol/aws-error.ts";
import { requestView } from "../protocol/exchange.ts";
import type { RegionRequest, RegionResponse, RequestView } from "../protocol/exchange.ts";
import { handle, operationOf } from "./handle.ts";
import type { Engine } from "./handle.ts";
import { endpointOf, listen } from "./listen.ts";

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
interface RegionServerParts {
  readonly region: string;
  readonly engine: Engine;
  /** Null: no faults can be injected. */
  readonly faults: FaultPlan | null;
}

/** Makes the server of a region; it listens once `listen` is called. */
function regionServer(parts: RegionServerParts): FastifyInstance {
  const { region, engine } = parts;
  const app = kmsApp(engine);
  app.get("/healthz", (_request, reply) => {
    const witness = engine.witness();
    return reply.type("application/json").send({ status: "ok", region, ...(witness !== "none" && { witness }) });
  });
  app.setNotFoundHandler((request, reply) => respond(parts, request, reply));
  app.post("/", (request, reply) => respond(parts, request, reply));
  return app;
}

/** A server with the limits and errors of the KMS API, and no routes yet. */
export function kmsApp(engine: Engine): FastifyInstance {
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
  const view: RegionRequest = { ...viewOf(request), region, remoteAddress: request.ip };
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

/** How long until a port that was in use is tried again. */
const RETRY_MS = 1000;

/** The servers of all regions; each keeps its port while it is stopped. */
export class RegionServers {
  readonly #engine: Engine;
  readonly #faults: FaultPlan | null;
  readonly #host: string;
  readonly #ports = new Map<string, number>();
  readonly #servers = new Map<string, FastifyInstance>();
  /** Regions whose port could not be had yet -> why. */
  readonly #notServing = new Map<string, string>();
  /** The last start or stop of each region: the next one waits for it. */
  readonly #turns = new Map<string, Promise<void>>();
  #retrying: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(engine: Engine, faults: FaultPlan | null, host: string) {
    this.#engine = engine;
    this.#faults = faults;
    this.#host = host;
  }

  /** Region -> URL. */
  endpoints(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#ports].map(([name, port]) => [name, endpointOf(this.#host, port)]));
  }

  /** Whether the region's port is open. */
  isRunning(name: string): boolean {
    return this.#servers.has(name);
  }

  /** Opens a region for the first time. @throws KmsError `port-in-use`. */
  async open(name: string, port: number): Promise<void> {
    const server = regionServer({ region: name, engine: this.#engine, faults: this.#faults });
    const listensOn = await listen(server, this.#host, port);
    if (this.#closed) {
      // Closed meanwhile: this port would stay open for ever.
      await server.close();
      throw new KmsError("region-unknown", `${name}: the server is closed.`);
    }
    this.#ports.set(name, listensOn);
    this.#servers.set(name, server);
    if (this.#notServing.delete(name))
      this.#engine.logger.warn({ region: name }, "its port is free: the region serves");
  }

  /**
   * Opens all regions. One whose port cannot be had keeps the others from nothing: it is tried again each second.
   * @throws KmsError `port-in-use` if that is so for all of them.
   */
  async openAll(regions: readonly { readonly name: string; readonly port: number }[]): Promise<void> {
    let first: KmsError | null = null;
    for (const { name, port } of regions) {
      try {
        await this.open(name, port);
      } catch (error) {
        if (!(error instanceof KmsError) || error.code !== "port-in-use") throw error;
        first ??= error;
        this.#ports.set(name, port);
        this.#notServing.set(name, error.detail);
      }
    }
    if (first === null) return;
    if (this.#servers.size === 0) throw first;
    this.#retrying = setInterval(() => void this.#retry(), RETRY_MS).unref();
  }

  /** Region -> why it never served so far. */
  notServing(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#notServing);
  }

  async #retry(): Promise<void> {
    for (const name of this.#notServing.keys()) {
      // Still in use: the next round tries again. One that was stopped meanwhile stays so.
      await this.#inTurn(name, () => (this.#notServing.has(name) ? this.#start(name) : Promise.resolve())).catch(
        () => undefined,
      );
    }
    if (this.#notServing.size === 0 && this.#retrying !== null) clearInterval(this.#retrying);
  }

  /** Closes the region's port and cuts its connections. @throws KmsError `region-unknown`. */
  async stop(name: string): Promise<void> {
    this.#port(name);
    await this.#inTurn(name, async () => {
      this.#notServing.delete(name);
      const server = this.#servers.get(name);
      this.#servers.delete(name);
      await server?.close();
    });
  }

  /** Opens the same port again. @throws KmsError `region-unknown`, `port-in-use`. */
  start(name: string): Promise<void> {
    return this.#inTurn(name, () => this.#start(name));
  }

  async #start(name: string): Promise<void> {
    const port = this.#port(name);
    if (this.#closed) throw new KmsError("region-unknown", `${name}: the server is closed.`);
    if (!this.#servers.has(name)) await this.open(name, port);
  }

  /** Stops them all, for good. */
  async closeAll(): Promise<void> {
    this.#closed = true;
    if (this.#retrying !== null) clearInterval(this.#retrying);
    await Promise.all([...this.#ports.keys()].map((name) => this.stop(name)));
  }

  /** Starts and stops of a region come one after another, in the order in which they were asked for. */
  #inTurn(name: string, act: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(act);
    this.#turns.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  }

  #port(name: string): number {
    const port = this.#ports.get(name);
    if (port === undefined) throw new KmsError("region-unknown", `${name}.`);
    return port;
  }
}
