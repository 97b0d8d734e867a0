/**
 * Bodies are JSON, parsed by the vault's own strict parser, and their bytes are wiped as soon as they are parsed.
 */
import type { FastifyInstance } from "fastify";
import { parseJson } from "@strongroom/vault";

export function useJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => {
    try {
      // Fastify's own copy of the body; nothing else holds it.
      done(null, parseJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    } finally {
      (body as Buffer).fill(0);
    }
  });
}
