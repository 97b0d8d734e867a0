/**
 * Puts the HTTP API together: limits, hooks in the order in which they guard a request, error answers, routes.
 */
import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import Fastify, { LogController } from "fastify";
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from "fastify";
import { validatorCompiler } from "fastify-type-provider-zod";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { hasMethods, ruledOptions } from "@strongroom/base/options";
import type { OptionRule } from "@strongroom/base/options";
import { parseRoles } from "@strongroom/vault";
import type { Policy, Vault } from "@strongroom/vault";
import { Admission } from "./admission/admission.ts";
import { REFUSAL_CODES, Refusals } from "./admission/refusals.ts";
import { admitRoutes } from "./admission/admitted-routes.ts";
import { FindLimit, limitFinds } from "./admission/find-limit.ts";
import { Connections, LARGEST_KEPT, SURPLUS } from "./admission/connections.ts";
import { Streams } from "./admission/streams.ts";
import type { Api, ApiContext } from "./api.ts";
import { actAs } from "./audit/acting.ts";
import { actorOf } from "./audit/actor.ts";
import type { ActorHeaders } from "./audit/actor.ts";
import { AuditLook } from "./audit/audit-look.ts";
import { Principals } from "./audit/principals.ts";
import { RefusalTally } from "./audit/refusal-tally.ts";
import { RunFeed } from "./convergence/run-feed.ts";
import { ServerError } from "./errors.ts";
import { runAs } from "./http/caller.ts";
import { isHostName, KnownHosts, requireSingleFields } from "./http/host.ts";
import { isDamage, knownError, PROBLEM_TYPE, problemAnswer } from "./http/problems.ts";
import { deadlineError, endedRequest, logFault, logRequest, requestSignal, useJsonBodies } from "./http/request.ts";
import { AbsentRoutes, answerSocket } from "./http/unrouted.ts";
import { parseServerLimits } from "./limits.ts";
import type { ServerLimits } from "./limits.ts";
import { serverMetrics } from "./metrics.ts";
import type { DiskState, KeyAge } from "./metrics.ts";
import { describeApi, openApiRoute } from "./openapi/document.ts";
import { ProbedRegions } from "./regions.ts";
import type { Regions } from "./regions.ts";
import { approvalRoutes } from "./routes/approvals.ts";
import { auditRoutes, auditStateRoutes, exportRoutes } from "./routes/audit.ts";
import { collectionRoutes } from "./routes/collections.ts";
import { findRoutes } from "./routes/find.ts";
import { indexRoutes, indexWorkRoutes } from "./routes/indexes.ts";
import { convergenceRoutes, runRoutes } from "./routes/convergence.ts";
import { erasureRoutes, holdRoutes } from "./routes/erasure.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { keyRoutes } from "./routes/keys.ts";
import { processingRoute, retentionRoutes, rightsRoutes } from "./routes/rights.ts";
import { recordRoutes, versionRoutes } from "./routes/records.ts";
import { regionRoutes } from "./routes/regions.ts";
import { runEventRoute } from "./routes/run-events.ts";
import { healthRoutes, metricsRoute } from "./routes/service.ts";
import { IndexWorks } from "./search/index-work.ts";
import { purposeOf, requireAccess, rolesOf } from "./tokens/access.ts";
import { authenticate } from "./tokens/token.ts";
import type { TokenVerifier } from "./tokens/token.ts";

/** What a server is made of. */
export interface ServerOptions {
  readonly vault: Vault;
  readonly tokens: TokenVerifier;
  readonly regions: Regions;
  /** A pino logger, or what has its methods. Left out: nothing is logged. */
  readonly logger?: FastifyBaseLogger;
  readonly limits?: { readonly [Limit in keyof ServerLimits]?: ServerLimits[Limit] | undefined };
  /** How the disk is, for the metrics. Left out: they do not tell. */
  readonly disk?: () => DiskState | null;
  /** How old the keys in force are, for the metrics. Left out: they do not tell. */
  readonly keyAges?: () => readonly KeyAge[];
  /** The only collections there may be. Left out: a collection comes into being with its first record. */
  readonly collections?: readonly string[];
  /**
   * Names or addresses by which the service may be called, without a port, beside this machine's own and the address
   * that a connection came to.
   */
  readonly hosts?: readonly string[];
}

/**
 * How often Node looks for requests that do not arrive, in milliseconds. Its own default would let them stay 30 s
 * longer.
 */
const CONNECTION_CHECK_MS = 1000;

/** On every answer. Documents are nobody's to cache, and nothing here is to be taken for a page. */
const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

/**
 * Makes the server; `listen` starts it, `close` ends it after the requests that it has begun. It closes neither vault
 * nor regions.
 *
 * @throws ServerError `option-invalid`
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { createServer, fileTokens } from "@strongroom/server";
 * import { openVault } from "@strongroom/vault";
 * import { sqliteStore } from "@strongroom/vault/sqlite";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
 * await using vault = await openVault({ store: await sqliteStore("records.sqlite"), keyring });
 * const tokens = await fileTokens("tokens.json");
 * const server = await createServer({ vault, tokens, regions: { minimum: 0, health: () => [] } });
 * const url = await server.listen({ host: "127.0.0.1", port: 0 });
 * console.log(new URL(url).hostname); // prints: 127.0.0.1
 * await server.close();
 * ```
 */
export async function createServer(given: ServerOptions): Promise<Api> {
  const { limits, ...options } = readServerOptions(given);
  const regions = new ProbedRegions(options.regions);
  const admission = new Admission(limits);
  const connections = new Connections(limits);
  const finds = new FindLimit(limits);
  const refusals = new Refusals();
  const audit = new AuditLook(options.vault);
  const feed = new RunFeed(options.vault);
  const streams = new Streams(limits);
  const measured = { vault: options.vault, audit, regions, feed, keyAges: options.keyAges ?? (() => []) };
  const metrics = serverMetrics(measured, { admission, finds, connections, streams }, options.disk);
  const onEnd: OnEnd = (request, reply) => {
    const ended = endedRequest(request, reply);
    logRequest(request, ended);
    metrics.request(ended);
    audit.note(ended.code);
    if (ended.code === null) return;
    if (REFUSAL_CODES.has(ended.code)) refusals.note(ended.code, app.log);
    tally.note({ code: ended.code, tokenId: request.token?.id ?? null, method: ended.method, route: ended.route });
  };
  const onMalformed = (code: string): void => {
    tally.note({ code, tokenId: null, method: "any", route: null });
  };
  const app = newApp(options, limits, { onEnd, onMalformed });
  const tally = new RefusalTally(options.vault, app.log);
  const { vault, tokens } = options;
  const indexWorks = new IndexWorks(app.log);
  const policy = policyOf(vault);
  const context: ApiContext = { vault, policy, tokens, regions, limits, audit, feed, streams, indexWorks };
  const absent = new AbsentRoutes();
  const hosts = new KnownHosts(options.hosts ?? []);

  absent.note(app);
  useJsonBodies(app);
  app.setValidatorCompiler(validatorCompiler);
  // What is sent is made here: it is described by the schemas, and tests hold it to them. Filtering it again would cost
  // each answer.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.decorateRequest("token", null);
  app.decorateRequest("problemCode", null);
  app.decorateRequest("damaged", 0);
  app.decorateRequest("taken", 0);
  app.decorateRequest("deadline");
  connections.watch(app.server, (socket) => {
    answerSocket(SURPLUS, socket);
    onMalformed(SURPLUS.code);
  });
  app.server.on("connect", (_request, socket: Socket) => {
    answerSocket(new ServerError("method-not-allowed", "The service is no proxy and does not take CONNECT"), socket);
  });
  // Node's own answer, 417, would be one that no hook has seen. A server may pass over what it does not know.
  app.server.on("checkExpectation", (request, answer) => {
    app.routing(request, answer);
  });
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ ...HEADERS, "request-id": request.id });
    request.deadline = requestSignal(reply, limits.answerMs);
    // Not `onResponse`: that hook does not run when the client is gone.
    reply.raw.once("close", () => {
      onEnd(request, reply);
    });
    requireSingleFields(request);
    hosts.require(request);
    if (connections.isSurplus(request.raw)) {
      reply.header("connection", "close");
      if (request.routeOptions.config.work !== "none") throw SURPLUS;
    }
    // Not sooner than its token under /v1, and not later: Fastify has views of its own of bodies that no route takes.
    if (request.is404 && !isGuarded(request)) throw absent.error(request.method, request.url);
  });
  app.addHook("onSend", (_request, reply, payload, done) => {
    if (typeof payload === "string" && payload.length > LARGEST_KEPT) reply.header("connection", "close");
    connections.mustBeRead(reply.raw);
    done();
  });
  app.addHook("preClose", (done) => {
    streams.close();
    done();
  });
  app.addHook("onClose", async () => {
    metrics.close();
    await indexWorks.close();
    await tally.flush();
  });
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  app.setNotFoundHandler((request, reply) => sendProblem(absent.error(request.method, request.url), request, reply));

  await describeApi(app);
  openApiRoute(app);
  healthRoutes(app, context);
  metricsRoute(app, metrics);
  await app.register(
    (v1: Api) => {
      guardedRoutes(v1, { context, options, absent, admission, finds, refusals });
    },
    { prefix: "/v1" },
  );
  return app;
}

/** A program may have put something of its own before its vault that lacks it: then there are no roles but scopes. */
function policyOf({ policy }: Partial<Pick<Vault, "policy">>): Policy {
  return policy ?? parseRoles({});
}

interface ReadServerOptions extends Omit<ServerOptions, "limits"> {
  readonly limits: ServerLimits;
}

function isListOfText(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

const CHECKS: Readonly<Record<keyof ServerOptions, OptionRule>> = {
  vault: [(value) => hasMethods(value, "as", "get", "put", "putMany", "remove", "list", "ping"), "a vault"],
  tokens: [(value) => hasMethods(value, "verify"), "a verifier of tokens"],
  regions: [(value) => hasMethods(value, "health"), "what knows the regions' health"],
  disk: [(value) => typeof value === "function", "a function that tells how the disk is"],
  keyAges: [(value) => typeof value === "function", "a function that tells how old keys are"],
  logger: [(value) => hasMethods(value, "info", "error", "child"), "a pino logger"],
  collections: [isListOfText, "a list of names"],
  hosts: [
    (value) => isListOfText(value) && (value as string[]).every(isHostName),
    "a list of names or addresses, without a port",
  ],
  // Read with problems of its own, one for each number.
  limits: [() => true, "an object"],
};
const NEEDED: readonly (keyof ServerOptions)[] = ["vault", "tokens", "regions"];

/** @throws ServerError `option-invalid`, with every problem listed */
function readServerOptions(given: unknown): ReadServerOptions {
  const { values, problems: found } = ruledOptions(given, CHECKS, { what: "the options of a server", needed: NEEDED });
  const problems = [...found];
  const limits = parseServerLimits(values["limits"], problems);
  if (problems.length > 0) throw new ServerError("option-invalid", problems.join("; "));
  return { ...(values as unknown as ServerOptions), limits };
}

/** Called once for each request, when its answer is out or its client is gone. */
type OnEnd = (request: FastifyRequest, reply: FastifyReply) => void;

/** Who hears of what has ended. */
interface Listeners {
  readonly onEnd: OnEnd;
  /** Of what never became a request: with which code it was refused. */
  readonly onMalformed: (code: string) => void;
}

function newApp({ logger }: Pick<ServerOptions, "logger">, limits: ServerLimits, listeners: Listeners): Api {
  const { onEnd, onMalformed } = listeners;
  const log = logger?.child({}, { serializers: { req: () => undefined, res: () => undefined, err: () => undefined } });
  return Fastify({
    ...(log === undefined ? {} : { loggerInstance: log }),
    // One line for each request is written by a hook; Fastify's own lines hold the URL.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "requestId" }),
    genReqId: () => randomUUID(),
    bodyLimit: limits.documentBytes,
    requestTimeout: limits.receiveMs,
    keepAliveTimeout: limits.keepAliveMs,
    forceCloseConnections: "idle",
    // A request that came on an open connection while closing is still answered properly.
    return503OnClosing: false,
    // Longer than a header may be: the vault says what is wrong with an id.
    routerOptions: { maxParamLength: limits.headerBytes },
    http: {
      maxHeaderSize: limits.headerBytes,
      // Here too: Node refuses a time for the head that is longer than that for the whole, before Fastify sets it.
      requestTimeout: limits.receiveMs,
      headersTimeout: limits.receiveMs,
      connectionsCheckingInterval: CONNECTION_CHECK_MS,
      // A hook looks at it, and answers as to everything else.
      requireHostHeader: false,
    },
    frameworkErrors: (error, request, reply) => {
      // Hooks do not run for what the router itself refuses.
      reply.headers({ ...HEADERS, "request-id": request.id });
      reply.raw.once("close", () => {
        onEnd(request, reply);
      });
      void sendProblem(error, request, reply);
    },
    clientErrorHandler: (error: Error, socket: Socket) => {
      const answer = answerSocket(error, socket);
      if (answer === null) return;
      log?.info(answer, "request refused before it was one");
      onMalformed(answer.code);
    },
  }).withTypeProvider<ZodTypeProvider>();
}

function isGuarded({ url }: FastifyRequest): boolean {
  return /^(?:[a-z]+:\/\/[^/?]*)?\/v1(?:[/?]|$)/i.test(url);
}

interface GuardedParts {
  readonly context: ApiContext;
  readonly options: Pick<ServerOptions, "tokens" | "collections">;
  readonly absent: AbsentRoutes;
  readonly admission: Admission;
  readonly finds: FindLimit;
  readonly refusals: Refusals;
}

/** Everything under /v1: authenticated before anything else is looked at, also where there is no such route. */
function guardedRoutes(v1: Api, { context, options, absent, admission, finds, refusals }: GuardedParts): void {
  const { tokens, collections } = options;
  v1.addHook("onRequest", async (request) => {
    request.token = await authenticate(request, tokens);
    const { scope, action, isDecidedByVault } = request.routeOptions.config;
    const { collection = null } = request.params as { readonly collection?: string };
    const asked = { collection, purpose: purposeOf(request) };
    if (scope !== undefined) requireAccess(request.token, context.policy, { scope, action, isDecidedByVault }, asked);
    else if (request.is404) throw absent.error(request.method, request.url);
    else throw new ServerError("internal", "The route names no scope");
  });
  v1.addHook("onRequest", async (request) => {
    const { collection } = request.params as { readonly collection?: string };
    if (collections !== undefined && collection !== undefined && !collections.includes(collection)) {
      throw new ServerError("collection-unknown", "The service is not configured for this collection");
    }
  });
  admitRoutes(v1, admission, refusals);
  limitFinds(v1, finds, refusals);
  // Not sooner: reading the body goes through the events of a socket, which belong to no request.
  v1.addHook("preHandler", (request, _reply, done) => {
    if (request.token === null) done();
    else runAs({ tokenId: request.token.id, requestId: request.id }, done);
  });
  const principals = new Principals(context.vault);
  v1.addHook("preHandler", async (request) => {
    const { token, routeOptions } = request;
    const { work, isActing = work !== "none" } = routeOptions.config;
    if (token === null || !isActing) return;
    const roles = rolesOf(token, context.policy);
    actAs(request, context.vault.as(actorOf(token, request.headers as ActorHeaders), { roles }));
    await principals.introduce(token);
  });
  v1.setNotFoundHandler((request, reply) => sendProblem(absent.error(request.method, request.url), request, reply));
  recordRoutes(v1, context);
  versionRoutes(v1);
  collectionRoutes(v1, context);
  findRoutes(v1, context);
  indexRoutes(v1, context);
  indexWorkRoutes(v1, context);
  regionRoutes(v1, context);
  jobRoutes(v1, context);
  keyRoutes(v1, context);
  convergenceRoutes(v1, context);
  runRoutes(v1);
  runEventRoute(v1, context);
  approvalRoutes(v1);
  erasureRoutes(v1);
  holdRoutes(v1);
  auditRoutes(v1, context);
  auditStateRoutes(v1, context);
  exportRoutes(v1);
  rightsRoutes(v1, context);
  processingRoute(v1, context);
  retentionRoutes(v1);
}

function sendProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { error, fault } = knownError(thrown);
  // An operation that the deadline cut off says "aborted"; the client is still there and is told why.
  const shown = error.code === "aborted" ? (deadlineError(request.deadline) ?? error) : error;
  if (fault !== null) logFault(request.log, fault);
  const { status, headers, body } = problemAnswer(shown, request.id);
  request.problemCode = body.code;
  if (isDamage(body.code)) request.damaged = 1;
  if (body.code === "value-taken") request.taken = 1;
  return reply.code(status).headers(headers).type(PROBLEM_TYPE).send(JSON.stringify(body));
}
