/**
 * Puts admission before the routes: a request counts as its token's as soon as the token is known, and its handler
 * runs when its turn has come.
 */
import type { Api } from "../api.ts";
import type { Admission } from "./admission.ts";
import type { Refusals } from "./refusals.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /**
     * How many records a request works on at once; left out: one. `none`: it is answered also while the service is
     * overloaded, because whoever runs it must see why.
     */
    work?: "none" | ((request: FastifyRequest) => number);
  }
}

/** Every route that is added to `app` from here on; their requests have a token. */
export function admitRoutes(app: Api, admission: Admission, refusals: Refusals): void {
  app.addHook("onRequest", (request, reply, done) => {
    const { token, routeOptions } = request;
    if (token === null || routeOptions.config.work === "none") {
      done();
      return;
    }
    const opened = admission.open(token.id);
    if (opened instanceof Error) {
      refusals.pace(() => {
        done(opened);
      });
      return;
    }
    // Looking up the token took its time: who went meanwhile closes nothing any more.
    if (reply.raw.closed) opened();
    else reply.raw.once("close", opened);
    done();
  });
  app.addHook("onRoute", (route) => {
    const { handler } = route;
    const work = route.config?.work ?? one;
    if (work === "none") return;
    route.handler = function (request, reply) {
      const { token, deadline: signal } = request;
      if (token === null) return handler.call(this, request, reply);
      // Not sooner: only a body that is there and right says how much it asks for.
      return admission.run({ tokenId: token.id, size: work(request), signal }, async () =>
        handler.call(this, request, reply),
      );
    };
  });
}

function one(): number {
  return 1;
}
