// Ports that ask for no signature are for programs on this machine: what comes from another one is refused, by whatever
// way it comes.

import type { FastifyRequest } from "fastify";

/** Where such a port listens if nobody says otherwise. */
export const LOOPBACK = "127.0.0.1";

/** The addresses that such a port may listen on. Names are not looked up: what they mean is for others to say. */
export const LOOPBACK_HOSTS: Readonly<Record<string, string>> = {
  [LOOPBACK]: LOOPBACK,
  localhost: LOOPBACK,
  "::1": "::1",
};

const LOOPBACK_ADDRESS = /^(?:(?:::ffff:)?127(?:\.\d{1,3}){3}|::1)$/;
/** Threat: a web page whose name was made to resolve to this machine (DNS rebinding). */
const LOOPBACK_HOST_HEADER = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/;

/** Threat: a proxy on this machine that lets others in. */
const HANDED_ON = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"] as const;

/** Whether a request comes from a program on this machine: not from another, through a proxy, or from a web page. */
export function isFromProgramHere({ headers, socket }: Pick<FastifyRequest, "headers" | "socket">): boolean {
  return (
    LOOPBACK_ADDRESS.test(socket.remoteAddress ?? "") &&
    LOOPBACK_HOST_HEADER.test(headers.host ?? "") &&
    headers.origin === undefined &&
    // Browsers say where a request comes from; "none" is a person who typed the address.
    (headers["sec-fetch-site"] ?? "none") === "none" &&
    HANDED_ON.every((name) => headers[name] === undefined)
  );
}
