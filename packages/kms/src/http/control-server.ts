// The control port, open only when faults are allowed: it stops and starts regions, injects faults and puts the clock
// forward. It listens on loopback only, takes a token that is made anew at every start and lies in a file of the
// server's owner, and refuses what a web page could make a browser send (a foreign Origin or Host).

import { createHash, timingSafeEqual } from "node:crypto";
import Fastify from "fastify";
import type { FastifyInstance } from "fastify";
import { AdjustableClock, DAY } from "../clock.ts";
import type { Clock } from "../clock.ts";
import { KmsError } from "../errors.ts";
import type { Fault } from "../faults/fault.ts";
import type { FaultPlan } from "../faults/fault-plan.ts";
import { isFromProgramHere } from "./loopback.ts";

/** What the control port can do to the server. */
export interface Controls {
  readonly regions: readonly string[];
  readonly isRunning: (name: string) => boolean;
  readonly stopRegion: (name: string) => Promise<void>;
  readonly startRegion: (name: string) => Promise<void>;
  readonly faults: FaultPlan;
  readonly clock: Clock;
  /** What the header Authorization must say: `Bearer ` and the token. */
  readonly authorization: string;
}

const PREFIX = "/_strongroom";

/**
 * Makes the control server. Every request needs the token:
 *
 *   GET    /_strongroom/regions                     state and faults of every region
 *   POST   /_strongroom/regions/{name}/stop|start
 *   GET    /_strongroom/regions/{name}/faults
 *   POST   /_strongroom/regions/{name}/faults       a fault (faults/fault.ts) as JSON
 *   DELETE /_strongroom/regions/{name}/faults[/id]
 *   POST   /_strongroom/clock                       {"advanceDays": n} or {"advanceMs": n}
 */
export function controlServer(controls: Controls): FastifyInstance {
  const { faults } = controls;
  const app = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: 16_384 });
  app.addHook("onRequest", async (request, reply) => {
    if (!isFromProgramHere(request)) {
      return reply.code(403).send({ error: "The control port answers programs on this machine only." });
    }
    if (!isSame(request.headers.authorization ?? "", controls.authorization))
      return reply.code(401).header("www-authenticate", "Bearer").send({
        error: "The control port takes the token that lies in control.header of the KMS's folder: curl -H @FILE.",
      });
    const name = (request.params as { name?: string }).name;
    if (name !== undefined && !controls.regions.includes(name))
      return reply.code(404).send({ error: `This server has no region ${name.slice(0, 64)}.` });
    return undefined;
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, body.length === 0 ? null : JSON.parse(String(body)));
    } catch {
      done(new KmsError("option-invalid", "the body is not JSON."));
    }
  });
  app.setErrorHandler((error, _request, reply) =>
    reply
      .code(error instanceof KmsError ? 400 : 500)
      .send({ error: error instanceof KmsError ? error.message : "The control port failed." }),
  );

  const stateOf = (name: string): object => ({
    region: name,
    state: controls.isRunning(name) ? "running" : "stopped",
    faults: faults.list(name),
  });
  app.get(`${PREFIX}/regions`, () => ({ regions: controls.regions.map(stateOf) }));
  const actions = { stop: controls.stopRegion, start: controls.startRegion };
  for (const [action, act] of Object.entries(actions)) {
    app.post<{ Params: { name: string } }>(`${PREFIX}/regions/:name/${action}`, async (request) => {
      await act(request.params.name);
      return stateOf(request.params.name);
    });
  }
  app.get<{ Params: { name: string } }>(`${PREFIX}/regions/:name/faults`, (request) => ({
    faults: faults.list(request.params.name),
  }));
  app.post<{ Params: { name: string } }>(`${PREFIX}/regions/:name/faults`, async (request, reply) =>
    reply.code(201).send(faults.add(request.params.name, request.body as Fault)),
  );
  app.delete<{ Params: { name: string } }>(`${PREFIX}/regions/:name/faults`, (request) => ({
    removed: faults.remove(request.params.name),
  }));
  app.delete<{ Params: { name: string; id: string } }>(`${PREFIX}/regions/:name/faults/:id`, async (request, reply) => {
    const removed = faults.remove(request.params.name, request.params.id);
    return reply.code(removed === 0 ? 404 : 200).send({ removed });
  });
  app.post(`${PREFIX}/clock`, (request) => ({ now: new Date(advance(controls.clock, request.body)).toISOString() }));
  return app;
}

/** Compares in a time that tells neither a common beginning nor a length. */
function isSame(given: string, wanted: string): boolean {
  const [a, b] = [given, wanted].map((text) => createHash("sha256").update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

function advance(clock: Clock, body: unknown): number {
  const { advanceDays, advanceMs } = (body ?? {}) as { advanceDays?: unknown; advanceMs?: unknown };
  const step = typeof advanceDays === "number" ? advanceDays * DAY : advanceMs;
  if (typeof step !== "number" || !Number.isFinite(step) || step < 0)
    throw new KmsError("option-invalid", "give advanceDays or advanceMs, zero or more.");
  if (!(clock instanceof AdjustableClock))
    throw new KmsError("option-invalid", "this server's clock cannot be put forward.");
  try {
    clock.advance(step);
  } catch (cause) {
    throw new KmsError("option-invalid", `${(cause as Error).message}.`, { cause });
  }
  return clock.now();
}
