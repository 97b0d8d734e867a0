/**
 * Paths that no route has: 405 when the path is right and the method is not, 404 with a hint otherwise.
 */
import type { FastifyInstance } from "fastify";
import { ServerError } from "../errors.ts";

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

export class AbsentRoutes {
  readonly #known = new Map<string, KnownPath>();

  /** Notes every route of `app` as it is added. */
  watch(app: FastifyInstance): void {
    app.addHook("onRoute", ({ url, method }) => {
      const known = this.#known.get(url) ?? { pattern: pathPattern(url), methods: new Set<string>() };
      for (const one of [method].flat()) known.methods.add(one);
      this.#known.set(url, known);
    });
  }

  error(method: string, url: string): ServerError {
    const [path = ""] = url.split("?", 1);
    const allowed = [...this.#known.values()].find(({ pattern }) => pattern.test(path))?.methods;
    if (allowed !== undefined) {
      const methods = [...allowed].sort();
      return new ServerError("method-not-allowed", `This route takes ${methods.join(", ")}, not ${method}`, {
        allowed: methods,
      });
    }
    if (/^\/v1\/records\/[^/]+\/[^/]+\/./.test(path)) {
      return new ServerError(
        "route-absent",
        "There is no such route. If the id holds '/': that is not allowed in an id",
      );
    }
    return new ServerError("route-absent", "There is no such route");
  }
}

/** `/a/:b` matches any one segment in place of `:b`. Route URLs hold no other special characters than dots. */
function pathPattern(url: string): RegExp {
  return new RegExp(`^${url.replaceAll(".", "\\.").replaceAll(/:[a-z]+/gi, "[^/]*")}$`);
}
