/**
 * The body of an answer as bytes, each piece wiped once it is copied. The SDK's own collector leaves the pieces to the
 * garbage collector.
 */
import { malformed } from "./json-members.ts";
import { unmovedMemory } from "../../crypto/secret.ts";

/** The longest answer that is read, bytes: ten times what AWS KMS can have to say in one that holds a key. */
export const LONGEST_ANSWER = 65_536;

/** A node stream, as the SDK's request handlers for node give it. */
interface ByteStream {
  on(event: "data", listener: (piece: Uint8Array) => void): unknown;
  on(event: "end" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  destroy(): unknown;
}

/**
 * The whole of `body`, in memory that the caller wipes.
 * @throws SyntaxError when it is longer than LONGEST_ANSWER or ends too soon; TypeError when it is no node stream; the
 *   stream's own error
 */
export async function collectBody(body: unknown): Promise<Buffer> {
  if (!isByteStream(body)) throw new TypeError("keysAsBytes needs a request handler of the SDK for node");
  const pieces: Uint8Array[] = [];
  try {
    return join(await piecesOf(body, pieces));
  } finally {
    for (const piece of pieces) piece.fill(0);
  }
}

function piecesOf(body: ByteStream, pieces: Uint8Array[]): Promise<readonly Uint8Array[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly Uint8Array[]>();
  let length = 0;
  let over = false;
  const refuse = (error: Error): void => {
    over = true;
    reject(error);
  };
  // Events, not an async iterator: an iterator joins pieces that wait for it, and does not wipe them.
  body.on("data", (piece) => {
    length += piece.length;
    if (over || length > LONGEST_ANSWER) {
      piece.fill(0);
      if (over) return;
      refuse(malformed(`is longer than ${LONGEST_ANSWER} bytes`));
      body.destroy();
    } else pieces.push(piece);
  });
  body.on("error", refuse);
  body.on("end", () => {
    resolve(pieces);
  });
  body.on("close", () => {
    refuse(malformed("is cut short"));
  });
  return promise;
}

function join(pieces: readonly Uint8Array[]): Buffer {
  const whole = unmovedMemory(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function isByteStream(body: unknown): body is ByteStream {
  return (
    typeof body === "object" &&
    body !== null &&
    "on" in body &&
    typeof body.on === "function" &&
    "destroy" in body &&
    typeof body.destroy === "function"
  );
}
