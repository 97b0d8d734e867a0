// A port that is opened, and what it is called from outside.

import type { FastifyInstance } from "fastify";
import { KmsError } from "../errors.ts";

/** `http://HOST:PORT`, the host of an IPv6 address in brackets. */
export const endpointOf = (host: string, port: number): string =>
  `http://${host.includes(":") ? `[${host}]` : host}:${port}`;

/**
 * Opens a port.
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
