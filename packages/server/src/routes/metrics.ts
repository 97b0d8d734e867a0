/**
 * GET /metrics: for Prometheus. Without a token, like the other two paths for whoever runs the service: a scraper that
 * needed one would hold a token that reads records.
 */
import { z } from "zod";
import type { Api } from "../api.ts";
import type { Metrics } from "../metrics/metrics.ts";

export function metricsRoute(app: Api, metrics: Metrics): void {
  app.get(
    "/metrics",
    {
      schema: {
        operationId: "getMetrics",
        summary: "What the service counts",
        description: "The text format of Prometheus. No label holds an id of a record, a token or a key.",
        tags: ["service"],
        security: [],
        response: { 200: { description: "The page.", content: { "text/plain": { schema: z.string() } } } },
      },
      // The page is text as it is, not JSON.
      serializerCompiler: () => (page) => page as string,
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
}
