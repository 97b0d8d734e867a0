// One exchange over HTTP: the request as it was received, every header line and the exact bytes of the body, and the
// bytes of the answer. Plaintexts and data keys are written straight into a buffer that is wiped once it is sent: a
// string would stay in the heap until the garbage collector comes by, and cannot be wiped at all.

import { secretConcat } from "@strongroom/base/secret-memory";
import type { IncomingMessage } from "node:http";
import type { Json } from "./shape.ts";

/** What verification needs of an HTTP request. */
export interface RequestView {
  readonly method: string;
  /** Path without the query, as sent. */
  readonly path: string;
  /** The query without `?`, as sent; empty if there is none. */
  readonly query: string;
  /** Header names in lower case, each with the values of all its lines in the order sent. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
}

/** Node's flat `rawHeaders`, which alone still have every line, by name. */
export function headersByName(rawHeaders: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [rawHeaders[i + 1] ?? ""]);
    else values.push(rawHeaders[i + 1] ?? "");
  }
  return headers;
}

/** A request as Node's parser has it, with its body. */
export function requestView(
  { method, url, rawHeaders }: Pick<IncomingMessage, "method" | "url" | "rawHeaders">,
  body: Buffer,
): RequestView {
  const [path = "/", ...query] = url?.split("?") ?? [];
  return { method: method ?? "", path, query: query.join("?"), headers: headersByName(rawHeaders), body };
}

/** All values of a header, given in lower case. */
export const valuesOf = (request: RequestView, name: string): readonly string[] => request.headers.get(name) ?? [];

/** A request as one region's server received it. */
export interface RegionRequest extends RequestView {
  readonly region: string;
  readonly remoteAddress: string;
  /** Whether it came over TLS. */
  readonly secureTransport: boolean;
}

/** What goes back. The body is wiped once it is sent. */
export interface RegionResponse {
  readonly status: number;
  readonly requestId: string;
  readonly body: Buffer;
}

/** An operation's answer: bytes become base64. Null: the operation answers with nothing. */
export type Answer = Readonly<Record<string, Json | Uint8Array | undefined>> | null;

const ALPHABET = Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "latin1");
const PAD = 0x3d;
const QUOTE = 0x22;

/** The JSON of an answer; the caller wipes it after sending. Byte arrays of the answer are wiped here. */
export function answerBytes(answer: Answer): Buffer {
  if (answer === null) return Buffer.alloc(0);
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(answer)) {
    if (value === undefined) continue;
    parts.push(Buffer.from(`${parts.length === 0 ? "{" : ","}${JSON.stringify(name)}:`, "utf8"));
    if (value instanceof Uint8Array) {
      parts.push(quotedBase64(value));
      value.fill(0);
    } else {
      parts.push(Buffer.from(JSON.stringify(value), "utf8"));
    }
  }
  if (parts.length === 0) return Buffer.from("{}");
  parts.push(Buffer.from("}"));
  const bytes = secretConcat(parts);
  for (const part of parts) part.fill(0);
  return bytes;
}

/** Base64 (RFC 4648, section 4) between quotes, without a string in between. */
function quotedBase64(bytes: Uint8Array): Buffer {
  const out = Buffer.alloc(2 + 4 * Math.ceil(bytes.length / 3));
  let at = 0;
  out[at++] = QUOTE;
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = [bytes[i], bytes[i + 1], bytes[i + 2]];
    out[at++] = ALPHABET[a >> 2] ?? 0;
    out[at++] = ALPHABET[((a & 3) << 4) | ((b ?? 0) >> 4)] ?? 0;
    out[at++] = b === undefined ? PAD : (ALPHABET[((b & 15) << 2) | ((c ?? 0) >> 6)] ?? 0);
    out[at++] = c === undefined ? PAD : (ALPHABET[c & 63] ?? 0);
  }
  out[at] = QUOTE;
  return out;
}

/** A point in time (milliseconds) as the AWS JSON 1.1 protocol writes it: seconds since 1970, with a fraction. */
export const seconds = (milliseconds: number): number => Math.round(milliseconds) / 1000;
