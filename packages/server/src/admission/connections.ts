/**
 * Connections: how many there may be, and how long an answer may lie in one unread. What is beyond the limit is told so
 * by an answer, as far as there is room for that, and else dropped before it costs anything.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { ServerError } from "../errors.ts";
import type { ServerLimits } from "../limits.ts";

/** What is to be counted of them. */
export interface ConnectionFigures {
  readonly open: number;
  /** Beyond the limit: told to come again, or dropped. */
  readonly refused: number;
  /** Ended because an answer was not read. */
  readonly unread: number;
}

/** How a connection beyond the limit that asks for nothing is told so. */
type Refuse = (socket: Socket) => void;

/** How long a connection beyond the limit may stay silent before it is told, in milliseconds. */
const SILENCE_MS = 1000;

/**
 * Characters of the largest answer after which a connection is kept. The system takes in some megabytes for a client
 * that reads nothing, and does not tell: an idle connection that holds them would be kept as one that holds nothing.
 */
export const LARGEST_KEPT: number = 256 * 1024;

export class Connections {
  readonly #limits: Pick<ServerLimits, "connections" | "stallMs" | "sendMs">;
  /** Connections beyond the limit, each with what ends it unless it asks for something. */
  readonly #surplus = new WeakMap<Socket, NodeJS.Timeout>();
  #open = 0;
  #refused = 0;
  #unread = 0;

  constructor(limits: Pick<ServerLimits, "connections" | "stallMs" | "sendMs">) {
    this.#limits = limits;
  }

  figures(): ConnectionFigures {
    return { open: this.#open, refused: this.#refused, unread: this.#unread };
  }

  /** Counts the connections of `server`. `refuse` writes an answer to one that has sent no request. */
  watch(server: Server, refuse: Refuse): void {
    // As many again may be on their way out; they stay for a second at most.
    server.maxConnections = 2 * this.#limits.connections;
    server.on("drop", () => this.#refused++);
    server.on("connection", (socket: Socket) => {
      this.#open++;
      socket.once("close", () => this.#open--);
      if (this.#open <= this.#limits.connections) return;
      this.#refused++;
      const silence = setTimeout(refuse, SILENCE_MS, socket);
      this.#surplus.set(socket, silence);
      socket.once("close", () => {
        clearTimeout(silence);
      });
    });
  }

  /** Whether the connection of a request is beyond the limit; the request will be answered, and it ends then. */
  isSurplus({ socket }: Pick<IncomingMessage, "socket">): boolean {
    clearTimeout(this.#surplus.get(socket));
    return this.#surplus.has(socket);
  }

  /**
   * From now on the answer must be read. Threat: clients that ask for much and read nothing, or a byte now and then.
   * The connection is reset, so that the system forgets what lies in it, too.
   */
  mustBeRead(answer: ServerResponse): void {
    const { stallMs, sendMs } = this.#limits;
    // The client is gone already, and its close with it.
    if (answer.closed || answer.socket?.destroyed === true) return;
    const arm = (socket: Socket): void => {
      const end = (): void => {
        this.#unread++;
        socket.resetAndDestroy();
      };
      // Node's own clock of a socket: set back by each byte that goes out, and set anew after the answer.
      socket.setTimeout(stallMs);
      answer.once("timeout", end);
      const whole = setTimeout(end, sendMs).unref();
      answer.once("close", () => {
        clearTimeout(whole);
      });
    };
    // Behind another answer on the same connection it has no socket yet.
    if (answer.socket === null) answer.once("socket", arm);
    // A request that a program injected has none at all.
    else if (answer.socket instanceof Socket) arm(answer.socket);
  }
}

/** Of a request that came on a connection beyond the limit. */
export const SURPLUS: ServerError = new ServerError(
  "overloaded",
  "There are as many connections as there may be; this one ends",
);
