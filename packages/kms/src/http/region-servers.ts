// The servers of all regions, each to be stopped and started by itself, so that a region can be lost without the others
// noticing. A region has a port, for every client, and where there is a folder for it a socket too, for those who may
// open that folder; both come and go together.

import type { FastifyInstance } from "fastify";
import { KmsError } from "../errors.ts";
import type { FaultPlan } from "../faults/fault-plan.ts";
import type { Engine } from "./handle.ts";
import { endpointOf, listen, listenOnSocket } from "./listen.ts";
import { prepareSocketDir, removeLeftSocket, socketPath } from "./local-socket.ts";
import { regionServer } from "./region-server.ts";
import type { TlsIdentity } from "./region-server.ts";

/** How long until a port that was in use is tried again. */
const RETRY_MS = 1000;

/** Where and how the regions listen. */
export interface Listening {
  readonly host: string;
  /** Null: plain HTTP. */
  readonly tls: TlsIdentity | null;
  /** The folder of the regions' sockets; null: ports alone. */
  readonly socketDir: string | null;
}

/** The servers of all regions; each keeps its port while it is stopped. */
export class RegionServers {
  readonly #engine: Engine;
  readonly #faults: FaultPlan | null;
  readonly #listening: Listening;
  readonly #ports = new Map<string, number>();
  readonly #onPort = new Map<string, FastifyInstance>();
  readonly #onSocket = new Map<string, FastifyInstance>();
  /** Regions whose port could not be had yet -> why. */
  readonly #notServing = new Map<string, string>();
  /** The last start or stop of each region: the next one waits for it. */
  readonly #turns = new Map<string, Promise<void>>();
  #retrying: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(engine: Engine, faults: FaultPlan | null, listening: Listening) {
    this.#engine = engine;
    this.#faults = faults;
    this.#listening = listening;
  }

  /** Region -> URL of its port. */
  endpoints(): Readonly<Record<string, string>> {
    const { host, tls } = this.#listening;
    const scheme = tls === null ? "http" : "https";
    return Object.fromEntries([...this.#ports].map(([name, port]) => [name, endpointOf(host, port, scheme)]));
  }

  /** Region -> path of its socket; empty if there are none. */
  sockets(): Readonly<Record<string, string>> {
    const { socketDir } = this.#listening;
    if (socketDir === null) return {};
    return Object.fromEntries([...this.#ports.keys()].map((name) => [name, socketPath(socketDir, name)]));
  }

  /** Whether the region can be reached. */
  isRunning(name: string): boolean {
    return this.#onPort.has(name) || this.#onSocket.has(name);
  }

  /** Opens all regions, or none. @throws KmsError `port-in-use`, `socket-dir-unusable`. */
  async openAll(regions: readonly { readonly name: string; readonly port: number }[]): Promise<void> {
    this.#prepare(regions);
    for (const { name, port } of regions) {
      await this.#openSocket(name);
      await this.#openPort(name, port);
    }
  }

  /**
   * Opens what can be had. A port that is in use keeps neither its region's socket nor the other regions from anything:
   * it is tried again each second.
   * @throws KmsError `port-in-use` if no region can be reached at all; `socket-dir-unusable`.
   */
  async openWhatIsFree(regions: readonly { readonly name: string; readonly port: number }[]): Promise<void> {
    this.#prepare(regions);
    let first: KmsError | null = null;
    for (const { name, port } of regions) {
      await this.#openSocket(name);
      const refused = await this.#tryPort(name, port);
      first ??= refused;
    }
    if (first !== null && !regions.some(({ name }) => this.isRunning(name))) throw first;
  }

  /** Region -> why its port never served so far. */
  notServing(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#notServing);
  }

  /** Closes the region's port and socket, and cuts its connections. @throws KmsError `region-unknown`. */
  async stop(name: string): Promise<void> {
    this.#port(name);
    await this.#inTurn(name, async () => {
      this.#notServing.delete(name);
      const servers = [this.#onPort, this.#onSocket].flatMap((each) => each.get(name) ?? []);
      this.#onPort.delete(name);
      this.#onSocket.delete(name);
      await Promise.all(servers.map(async (server) => server.close()));
    });
  }

  /**
   * Opens the same port again, and the socket; with a socket, a port that was taken meanwhile is tried again later.
   * @throws KmsError `region-unknown`, `port-in-use`.
   */
  start(name: string): Promise<void> {
    return this.#inTurn(name, () => this.#start(name));
  }

  async #start(name: string): Promise<void> {
    const port = this.#port(name);
    if (this.#closed) throw new KmsError("region-unknown", `${name}: the server is closed.`);
    await this.#openSocket(name);
    if (this.#onPort.has(name)) return;
    if (this.#onSocket.has(name)) await this.#tryPort(name, port);
    else await this.#openPort(name, port);
  }

  /** Stops them all, for good. */
  async closeAll(): Promise<void> {
    this.#closed = true;
    if (this.#retrying !== null) clearInterval(this.#retrying);
    await Promise.all([...this.#ports.keys()].map((name) => this.stop(name)));
  }

  #prepare(regions: readonly { readonly name: string; readonly port: number }[]): void {
    const { socketDir } = this.#listening;
    const names = regions.map(({ name }) => name);
    if (socketDir !== null) prepareSocketDir(socketDir, names);
    for (const { name, port } of regions) this.#ports.set(name, port);
  }

  async #openPort(name: string, port: number): Promise<void> {
    const { host, tls } = this.#listening;
    const server = this.#server(name, tls);
    const listensOn = await listen(server, host, port);
    await this.#keep(this.#onPort, name, server);
    this.#ports.set(name, listensOn);
    if (this.#notServing.delete(name))
      this.#engine.logger.warn({ region: name }, "its port is free: the region serves there");
  }

  /** As `#openPort`; one in use is tried again each second. @returns why it could not be had; null: it was. */
  async #tryPort(name: string, port: number): Promise<KmsError | null> {
    try {
      await this.#openPort(name, port);
      return null;
    } catch (error) {
      if (!(error instanceof KmsError) || error.code !== "port-in-use") throw error;
      this.#notServing.set(name, error.detail);
      this.#retrying ??= setInterval(() => void this.#retry(), RETRY_MS).unref();
      return error;
    }
  }

  async #openSocket(name: string): Promise<void> {
    const { socketDir } = this.#listening;
    if (socketDir === null || this.#onSocket.has(name)) return;
    const path = socketPath(socketDir, name);
    removeLeftSocket(path);
    const server = this.#server(name, null);
    await listenOnSocket(server, path);
    await this.#keep(this.#onSocket, name, server);
  }

  #server(name: string, tls: TlsIdentity | null): FastifyInstance {
    return regionServer({ region: name, engine: this.#engine, faults: this.#faults }, tls);
  }

  async #keep(servers: Map<string, FastifyInstance>, name: string, server: FastifyInstance): Promise<void> {
    if (this.#closed) {
      // Closed meanwhile: it would stay open for ever.
      await server.close();
      throw new KmsError("region-unknown", `${name}: the server is closed.`);
    }
    servers.set(name, server);
  }

  async #retry(): Promise<void> {
    for (const name of this.#notServing.keys()) {
      // Still in use: the next round tries again. One that was stopped meanwhile stays so.
      await this.#inTurn(name, () =>
        this.#notServing.has(name) && !this.#closed ? this.#openPort(name, this.#port(name)) : Promise.resolve(),
      ).catch(() => undefined);
    }
    if (this.#notServing.size > 0 || this.#retrying === null) return;
    clearInterval(this.#retrying);
    this.#retrying = null;
  }

  /** Starts and stops of a region come one after another, in the order in which they were asked for. */
  #inTurn(name: string, act: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(act);
    this.#turns.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  }

  #port(name: string): number {
    const port = this.#ports.get(name);
    if (port === undefined) throw new KmsError("region-unknown", `${name}.`);
    return port;
  }
}
