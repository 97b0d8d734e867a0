/**
 * HTTP agents whose connections read into memory that is overwritten as soon as it is parsed. Threat answered: node reads each
 * piece of an answer into new memory and frees it as it is; a key in it stays there, as base64, until something else
 * comes to lie over it. (`onread`: node's documentation of `net.Socket`.) A connection through a proxy is as node makes it.
 */
import { Agent as HttpAgent } from "node:http";
import type { AgentOptions, ClientRequestArgs } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Duplex } from "node:stream";
import { unmovedMemory } from "./unmoved-memory.ts";

/** Connections are kept and bounded as the SDK's own agents keep and bound them. */
export const WIPING_AGENT_DEFAULTS: { readonly keepAlive: boolean; readonly maxSockets: number } = { keepAlive: true, maxSockets: 50 };

/** What a connection reads at a time, bytes. A call's answer is one or two kilobytes. */
const READ_BYTES = 16_384;

/** Ready for the SDK: `requestHandler: { ...wipingAgents() }`. */
export interface WipingAgents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/** @param options of node's agents, for both; what is not said is as in WIPING_AGENT_DEFAULTS. */
export function wipingAgents(options: AgentOptions = {}): WipingAgents {
  const settings = { ...WIPING_AGENT_DEFAULTS, ...options };
  return { httpAgent: new WipingHttpAgent(settings), httpsAgent: new WipingHttpsAgent(settings) };
}

type Connected = (error: Error | null, stream: Duplex) => void;
type Connection = Duplex | null | undefined;

class WipingHttpAgent extends HttpAgent {
  override createConnection(options: ClientRequestArgs, connected?: Connected): Connection {
    return wiping((onread) => super.createConnection({ ...options, ...onread }, connected));
  }
}

class WipingHttpsAgent extends HttpsAgent {
  override createConnection(options: ClientRequestArgs, connected?: Connected): Connection {
    return wiping((onread) => super.createConnection({ ...options, ...onread }, connected));
  }
}

interface OnRead {
  readonly onread: { readonly buffer: Uint8Array; callback(length: number): boolean };
}

/** A connection that reads into one piece of memory, tells of each piece as any connection does, and wipes it. */
function wiping(connect: (options: OnRead) => Connection): Connection {
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
