/**
 * A proxy between a pool and PostgreSQL that reads the protocol far enough to lose one request, or the answer to it, at
 * will (protocol 3, without TLS). What belongs to one request goes on together: up to `Sync` or a simple `Query`.
 */
import { EventEmitter, once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** What becomes of a request. */
export type Fate =
  | "pass"
  /** The server has done it and has said so; the client never hears of it, its connection breaks. */
  | "lose-answer"
  /** The connection breaks before the server has heard of it. */
  | "lose-request"
  /** The client's connection breaks; the request comes to the server when {@link WireProxy.release} says so. */
  | "keep-request"
  /** As `keep-request`, but that the client waits for the answer, and gets it. */
  | "hold-request";

/** Says what becomes of a request with this statement. */
export type Judge = (statement: string) => Fate;

export class WireProxy implements AsyncDisposable {
  /** Left to pass until this is set. */
  judge: Judge = () => "pass";
  readonly #target: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #waiting = new EventEmitter();

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => {
      const link = new Link(
        client,
        connect(this.#target, "127.0.0.1"),
        (statement) => this.judge(statement),
        this.#waiting,
      );
      this.#links.add(link);
      void link.ended.then(() => this.#links.delete(link));
    });
  }

  /** A proxy before the server on this port. */
  static async start(target: number): Promise<WireProxy> {
    const proxy = new WireProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** The same database, through the proxy. */
  through(url: string): string {
    const changed = new URL(url);
    changed.port = String((this.#server.address() as { readonly port: number }).port);
    return changed.href;
  }

  /** Resolves when the next request is kept or held. */
  async kept(): Promise<void> {
    await once(this.#waiting, "kept");
  }

  /** Sends what is kept; resolves with how many requests the server has answered. */
  async release(): Promise<number> {
    const answered = await Promise.all([...this.#links].map((link) => link.release()));
    return answered.filter(Boolean).length;
  }

  /** Breaks every connection off. */
  cut(): void {
    for (const link of this.#links) link.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
  }
}

/** One client's connection and the server's behind it. */
class Link {
  readonly ended: Promise<void>;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #judge: Judge;
  readonly #waiting: EventEmitter;
  readonly #statements = new Map<string, string>();
  readonly #fromClient = new Messages();
  readonly #fromServer = new Messages();
  #isStarted = false;
  /** Of the request that is being read: its messages so far, and its statement. */
  #group: Buffer[] = [];
  #statement = "";
  #isLosing = false;
  #kept: Buffer | null = null;
  #isHeld = false;
  #answered: (() => void) | null = null;

  constructor(client: Socket, server: Socket, judge: Judge, waiting: EventEmitter) {
    this.#waiting = waiting;
    this.#client = client;
    this.#server = server;
    this.#judge = judge;
    for (const socket of [client, server]) socket.setNoDelay(true).on("error", () => undefined);
    client.on("data", (chunk) => {
      this.#read(chunk);
    });
    server.on("data", (chunk) => {
      this.#answer(chunk);
    });
    client.on("close", () => {
      if (this.#kept === null) server.destroy();
    });
    server.on("close", () => {
      client.destroy();
      this.#answered?.();
    });
    this.ended = once(server, "close").then(() => undefined);
  }

  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  /** False when nothing was kept. */
  async release(): Promise<boolean> {
    const kept = this.#kept;
    // Whoever came first waits for the answer.
    if (kept === null || this.#answered !== null) return false;
    const answered = new Promise<void>((resolve) => (this.#answered = resolve));
    if (this.#isHeld) this.#kept = null;
    this.#server.write(kept);
    await answered;
    if (this.#isHeld) this.#answered = null;
    else this.#server.destroy();
    return true;
  }

  #read(chunk: Buffer): void {
    // Until the session stands, the messages are a conversation of another form.
    if (!this.#isStarted) {
      this.#server.write(chunk);
      return;
    }
    for (const message of this.#fromClient.take(chunk)) {
      const type = String.fromCharCode(message[0]!);
      this.#note(type, message);
      this.#group.push(message);
      if (type === "S" || type === "Q" || type === "X") this.#decide();
    }
  }

  /** Which statement it is: of one that was prepared earlier only the name comes. */
  #note(type: string, message: Buffer): void {
    if (type === "Q") this.#statement = textAt(message, 5).text;
    if (type !== "P" && type !== "B") return;
    const first = textAt(message, 5);
    const second = textAt(message, first.end);
    if (type === "P") this.#statements.set(first.text, second.text);
    this.#statement = type === "P" ? second.text : (this.#statements.get(second.text) ?? "");
  }

  #decide(): void {
    const request = Buffer.concat(this.#group);
    const fate = this.#judge(this.#statement);
    this.#group = [];
    this.#statement = "";
    if (fate === "lose-request") {
      this.cut();
    } else if (fate === "keep-request" || fate === "hold-request") {
      this.#kept = request;
      this.#isHeld = fate === "hold-request";
      if (!this.#isHeld) this.#client.destroy();
      this.#waiting.emit("kept");
    } else {
      this.#isLosing = fate === "lose-answer";
      this.#server.write(request);
    }
  }

  #answer(chunk: Buffer): void {
    const types = this.#fromServer.take(chunk).map((message) => String.fromCharCode(message[0]!));
    const isReady = types.includes("Z");
    if (isReady) this.#isStarted = true;
    if (!this.#isLosing && this.#kept === null) this.#client.write(chunk);
    if (!isReady) return;
    if (this.#isLosing) this.cut();
    this.#answered?.();
  }
}

/** Cuts a stream into messages: a letter, four bytes of length (its own with it), the rest. */
class Messages {
  #rest = Buffer.alloc(0);

  take(chunk: Buffer): readonly Buffer[] {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: Buffer[] = [];
    while (rest.length >= 5) {
      const length = 1 + rest.readUInt32BE(1);
      if (rest.length < length) break;
      messages.push(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    this.#rest = Buffer.from(rest);
    return messages;
  }
}

function textAt(message: Buffer, start: number): { readonly text: string; readonly end: number } {
  const end = message.indexOf(0, start);
  return { text: message.toString("utf8", start, end), end: end + 1 };
}
