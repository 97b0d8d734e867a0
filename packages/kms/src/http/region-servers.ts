// The servers of all regions, each to be stopped and started by itself.

import type { FastifyInstance } from "fastify";
import { KmsError } from "../errors.ts";
import type { FaultPlan } from "../faults/fault-plan.ts";
import type { Engine } from "./handle.ts";
import { listen, regionServer } from "./region-server.ts";

/** The servers of all regions; each keeps its port while it is stopped. */
export class RegionServers {
  readonly #engine: Engine;
  readonly #faults: FaultPlan | null;
  readonly #host: string;
  readonly #ports = new Map<string, number>();
  readonly #servers = new Map<string, FastifyInstance>();
  #closed = false;

  constructor(engine: Engine, faults: FaultPlan | null, host: string) {
    this.#engine = engine;
    this.#faults = faults;
    this.#host = host;
  }

  /** Region -> URL. */
  endpoints(): Readonly<Record<string, string>> {
    const host = this.#host.includes(":") ? `[${this.#host}]` : this.#host;
    return Object.fromEntries([...this.#ports].map(([name, port]) => [name, `http://${host}:${port}`]));
  }

  /** Whether the region's port is open. */
  isRunning(name: string): boolean {
    return this.#servers.has(name);
  }

  /** Opens a region for the first time. @throws KmsError `port-in-use`. */
  async open(name: string, port: number): Promise<void> {
    const server = regionServer({ region: name, engine: this.#engine, faults: this.#faults });
    const listensOn = await listen(server, this.#host, port);
    if (this.#closed) {
      // Closed meanwhile: this port would stay open for ever.
      await server.close();
      throw new KmsError("region-unknown", `${name}: the server is closed.`);
    }
    this.#ports.set(name, listensOn);
    this.#servers.set(name, server);
  }

  /** Closes the region's port and cuts its connections. @throws KmsError `region-unknown`. */
  async stop(name: string): Promise<void> {
    this.#port(name);
    const server = this.#servers.get(name);
    this.#servers.delete(name);
    await server?.close();
  }

  /** Opens the same port again. @throws KmsError `region-unknown`, `port-in-use`. */
  async start(name: string): Promise<void> {
    const port = this.#port(name);
    if (this.#closed) throw new KmsError("region-unknown", `${name}: the server is closed.`);
    if (!this.#servers.has(name)) await this.open(name, port);
  }

  /** Stops them all, for good. */
  async closeAll(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#servers.keys()].map((name) => this.stop(name)));
  }

  #port(name: string): number {
    const port = this.#ports.get(name);
    if (port === undefined) throw new KmsError("region-unknown", `${name}.`);
    return port;
  }
}
