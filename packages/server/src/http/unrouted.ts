/**
 * Answers to what no route takes. What never became a request: broken HTTP, headers too large, a request that does not
 * arrive; Node hands over the bare socket. And paths that no route has.
 */
import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { ServerError } from "../errors.ts";
import type { ServerErrorCode } from "../errors.ts";
import { PROBLEM_TYPE, problemAnswer } from "./problems.ts";

/** Node's codes -> the answer; every other one is malformed HTTP. */
const MEANINGS: ReadonlyMap<string, { readonly code: ServerErrorCode; readonly message: string }> = new Map([
  [
    "HPE_HEADER_OVERFLOW",
    { code: "headers-too-large", message: "The request line and headers are larger than this service takes" },
  ],
  ["ERR_HTTP_REQUEST_TIMEOUT", { code: "request-timeout", message: "The request did not arrive whole in time" }],
]);
const MALFORMED = { code: "request-malformed", message: "The bytes received are not an HTTP/1.1 request" } as const;

/** How long a connection stays that was answered and ended on this side alone, in milliseconds. */
const LINGER_MS = 1000;

/** What was written to a socket, for the log. */
export interface RawAnswer {
  readonly requestId: string;
  readonly status: number;
  readonly code: ServerErrorCode;
}

/** Writes the answer and ends the connection; null when there is nobody to write to. */
export function answerSocket(error: Error & { readonly code?: string }, socket: Socket): RawAnswer | null {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return null;
  }
  const requestId = randomUUID();
  const { code, message } = MEANINGS.get(error.code ?? "") ?? MALFORMED;
  const known = error instanceof ServerError ? error : new ServerError(code, message);
  const { status, headers, body } = problemAnswer(known, requestId);
  const text = JSON.stringify(body);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // Bytes that the client is still sending would make the kernel reset the connection and the answer with it.
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n` +
      `${lines.join("")}Cache-Control: no-store\r\nConnection: close\r\n\r\n${text}`,
  );
  // Threat: a client that never ends its half keeps the connection.
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => {
    clearTimeout(linger);
  });
  return { requestId, status, code: known.code };
}

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** Paths that no route has: 405 when the path is right and the method is not, 404 with a hint otherwise. */
export class AbsentRoutes {
  readonly #known = new Map<string, KnownPath>();

  /** Notes every route of `app` as it is added. */
  note(app: FastifyInstance): void {
    app.addHook("onRoute", ({ url, method }) => {
      const known = this.#known.get(url) ?? { pattern: pathPattern(url), methods: new Set<string>() };
      for (const allowed of [method].flat()) known.methods.add(allowed);
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
