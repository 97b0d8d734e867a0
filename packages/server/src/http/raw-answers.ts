/**
 * Answers to what never became a request: broken HTTP, headers too large, a request that does not arrive. Node hands
 * over the bare socket.
 */
import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { ServerError } from "../errors.ts";
import type { ServerErrorCode } from "../errors.ts";
import { PROBLEM_TYPE, problemAnswer } from "../problems.ts";

/** Node's codes -> the answer; every other one is malformed HTTP. */
const MEANINGS: ReadonlyMap<string, { readonly code: ServerErrorCode; readonly says: string }> = new Map([
  [
    "HPE_HEADER_OVERFLOW",
    { code: "headers-too-large", says: "The request line and headers are larger than this service takes" },
  ],
  ["ERR_HTTP_REQUEST_TIMEOUT", { code: "request-timeout", says: "The request did not arrive whole in time" }],
]);
const MALFORMED = { code: "request-malformed", says: "The bytes received are not an HTTP/1.1 request" } as const;

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
  const { code, says } = MEANINGS.get(error.code ?? "") ?? MALFORMED;
  const { status, body } = problemAnswer(new ServerError(code, says), requestId);
  const text = JSON.stringify(body);
  // Bytes that the client is still sending would make the kernel reset the connection and the answer with it.
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n` +
      `Cache-Control: no-store\r\nConnection: close\r\n\r\n${text}`,
  );
  return { requestId, status, code };
}
