// Ports and sockets that are opened, and what a port is called from outside.

import { chmodSync } from "node:fs";
import type { FastifyInstance } from "fastify";
import { KmsError } from "../errors.ts";

/** `http://HOST:PORT`, the host of an IPv6 address in brackets. */
export const endpointOf = (host: string, port: number, scheme: "http" | "https" = "http"): string =>
  `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;

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

/** Opens a Unix socket, in a folder that local-socket.ts made. @throws the system's error. */
export async function listenOnSocket(app: FastifyInstance, path: string): Promise<void> {
  await app.listen({ path });
  // The folder keeps others out already; a socket that is moved elsewhere is closed as well.
  chmodSync(path, 0o600);
}
