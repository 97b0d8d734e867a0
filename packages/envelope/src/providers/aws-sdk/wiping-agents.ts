/**
 * HTTP agents whose connections overwrite what they have read and written. Threat answered: node and OpenSSL read each
 * piece of an answer into memory of their own and free it as it is; a key in it stays there, as base64, until something
 * else comes to lie over it. A connection through a proxy is as node makes it.
 */
import { Agent as HttpAgent } from "node:http";
import type { ClientRequestArgs } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { AgentOptions } from "node:https";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { EnvelopeError } from "../../errors.ts";
import { isPlainObject } from "../../options.ts";
import { unmovedMemory } from "../../crypto/secret.ts";

/** Connections are kept and bounded as the SDK's own agents keep and bound them. */
export const WIPING_AGENT_DEFAULTS: { readonly keepAlive: boolean; readonly maxSockets: number } = {
  keepAlive: true,
  maxSockets: 50,
};

/** What a connection reads at a time, bytes. A call's answer is one or two kilobytes. */
const READ_BYTES = 16_384;

/**
 * SSL_OP_CLEANSE_PLAINTEXT: OpenSSL overwrites what it has decrypted (SSL_CTX_set_options(3), since OpenSSL 3.0). Node
 * has no name for it.
 */
const CLEANSE_PLAINTEXT = 2;

/** Ready for the SDK: `requestHandler: { ...wipingAgents() }`. */
export interface WipingAgents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/**
 * @param options of node's agents, for both; what is not said is as in WIPING_AGENT_DEFAULTS.
 * @throws EnvelopeError `option-invalid`
 *
 * @example
 * ```ts
 * import { KMS } from "@aws-sdk/client-kms";
 * import { wipingAgents } from "@strongroom/envelope/aws-sdk";
 *
 * const client = new KMS({ region: "eu-west-1", maxAttempts: 1, requestHandler: wipingAgents({ maxSockets: 10 }) });
 * console.log(typeof client.decrypt); // prints: function
 * ```
 */
export function wipingAgents(options: AgentOptions = {}): WipingAgents {
  // What an agent takes is node's affair, and which of it is wrong.
  if (!isPlainObject(options))
    throw new EnvelopeError("option-invalid", "the options of wipingAgents must be a plain object");
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: AgentOptions = { ...WIPING_AGENT_DEFAULTS, ...given };
  const secureOptions = (settings.secureOptions ?? 0) | CLEANSE_PLAINTEXT;
  return { httpAgent: new WipingHttpAgent(settings), httpsAgent: new WipingHttpsAgent({ ...settings, secureOptions }) };
}

type Connected = (error: Error | null, stream: Duplex) => void;
type Connection = Duplex | null | undefined;

class WipingHttpAgent extends HttpAgent {
  override createConnection(options: ClientRequestArgs, connected?: Connected): Connection {
    return readingIntoOnePlace((onread) => super.createConnection({ ...options, ...onread }, connected));
  }
}

class WipingHttpsAgent extends HttpsAgent {
  override createConnection(options: ClientRequestArgs, connected?: Connected): Connection {
    const connection = readingIntoOnePlace((onread) => super.createConnection({ ...options, ...onread }, connected));
    if (connection instanceof TLSSocket) writeInOnePiece(connection);
    return connection;
  }
}

/** Node's documentation of `net.Socket`, "onread". */
interface OnRead {
  readonly onread: { readonly buffer: Uint8Array; callback(length: number): boolean };
}

/** A connection that reads into one piece of memory, tells of what came as any connection does, and wipes it. */
function readingIntoOnePlace(connect: (options: OnRead) => Connection): Connection {
  const memory = unmovedMemory(READ_BYTES);
  const callback = (length: number): boolean => {
    const piece = memory.subarray(0, length);
    const heard = connection?.emit("data", piece);
    piece.fill(0);
    // Bytes that no request waits for would be taken for the next one's answer.
    if (heard !== true) connection?.destroy();
    return true;
  };
  const connection = connect({ onread: { buffer: memory, callback } });
  return connection;
}

/**
 * Node copies what it cannot encrypt at once, headers and body together or anything before the handshake is done, and
 * frees the copy as it is. So nothing is written before, and pieces are put together in memory that is wiped.
 */
function writeInOnePiece(connection: TLSSocket): void {
  connection.cork();
  connection.once("secureConnect", () => {
    connection.uncork();
  });
  connection._writev = (
    pieces: readonly { readonly chunk: Uint8Array | string; readonly encoding: BufferEncoding }[],
    written,
  ) => {
    const length = pieces.reduce((sum, { chunk, encoding }) => sum + Buffer.byteLength(chunk, encoding), 0);
    const whole = unmovedMemory(length);
    let at = 0;
    for (const { chunk, encoding } of pieces) {
      if (typeof chunk === "string") at += whole.write(chunk, at, encoding);
      else {
        whole.set(chunk, at);
        at += chunk.length;
      }
    }
    // The word for "not text" that streams have, and their types lack.
    connection._write(whole, "buffer" as BufferEncoding, (error) => {
      whole.fill(0);
      written(error);
    });
  };
}
