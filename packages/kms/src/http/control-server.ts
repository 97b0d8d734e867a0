// The control port, open only when faults are allowed: it stops and starts regions. It asks for no signature, so it
// listens on loopback only, and refuses what a web page could make a browser send (a foreign Origin or Host).

import Fastify from "fastify";
import type { FastifyInstance } from "fastify";

/** What the control port can do to the server. */
export interface Controls {
  readonly regions: readonly string[];
  stopRegion(name: string): Promise<void>;
  startRegion(name: string): Promise<void>;
}

const LOOPBACK_HOST = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/;

/** Makes the control server. */
export function controlServer(controls: Controls): FastifyInstance {
  const app = Fastify({ logger: false, forceCloseConnections: true });
  app.addHook("onRequest", async (request, reply) => {
    if (request.headers.origin !== undefined || !LOOPBACK_HOST.test(request.headers.host ?? "")) {
      return reply.code(403).send({ error: "The control port answers programs on this machine only." });
    }
    return undefined;
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    done(null, body);
  });
  const actions = { stop: (name: string) => controls.stopRegion(name), start: (name: string) => controls.startRegion(name) };
  for (const [action, act] of Object.entries(actions)) {
    app.post<{ Params: { name: string } }>(`/_strongroom/regions/:name/${action}`, async (request, reply) => {
      const { name } = request.params;
      if (!controls.regions.includes(name)) return reply.code(404).send({ error: `This server has no region ${name.slice(0, 64)}.` });
      await act(name);
      return reply.send({ region: name, state: action === "stop" ? "stopped" : "running" });
    });
  }
  return app;
}
