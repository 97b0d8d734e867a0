// The KMS: opens the data directory, starts one server per region, and lets go of everything again.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { readPrincipals, rootCredentials } from "./auth/principals.ts";
import { KmsError } from "./errors.ts";
import { FaultPlan } from "./faults/fault-plan.ts";
import { controlServer } from "./http/control-server.ts";
import type { Engine } from "./http/handle.ts";
import { listen, regionServer } from "./http/region-server.ts";
import { Lifecycle } from "./keys/lifecycle.ts";
import { settleOptions } from "./options.ts";
import type { KmsOptions, SettledOptions } from "./options.ts";
import { openCustody } from "./store/custody.ts";
import type { Custody } from "./store/custody.ts";
import { Store } from "./store/store.ts";

/** A running KMS. */
export interface Kms {
  /** Region -> `http://HOST:PORT`. A stopped region keeps its endpoint. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** The control port, if faults are allowed. */
  readonly faultsEndpoint: string | null;
  /** The faults in force, if they are allowed. */
  readonly faults: FaultPlan | null;
  /** The account's root access key, as in credentials.json. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Closes the region's port: connections are refused, those that are open are cut. */
  stopRegion(name: string): Promise<void>;
  /** Opens the same port again. */
  startRegion(name: string): Promise<void>;
  /** Ends the calls under way, closes all ports and the database. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a KMS on a data directory; a new directory gets a root key, credentials and an empty database.
 * @throws KmsError, whose codes are the keys of `KMS_ERRORS`.
 */
export async function createKms(options: KmsOptions): Promise<Kms> {
  const settled = settleOptions(options);
  mkdirSync(settled.dataDir, { recursive: true, mode: 0o700 });
  const custody = await openCustody(settled.dataDir, settled.rootKey);
  const running = await runOn(custody, settled).catch(async (error: unknown) => {
    await custody.database.close();
    custody.sealer.close();
    custody.chain.close();
    throw error;
  });
  return running;
}

async function runOn(custody: Custody, options: SettledOptions): Promise<Kms> {
  const root = rootCredentials(join(options.dataDir, "credentials.json"), options.accountId);
  const known = [root, ...(options.principalsFile === null ? [] : readPrincipals(options.principalsFile))];
  const accessKeys = new Map(known.map((key) => [key.accessKeyId, key]));
  const store = await Store.open(
    custody.database,
    custody.chain,
    options.regions.map((region) => region.name),
  );
  const engine: Engine = {
    store,
    sealer: custody.sealer,
    lifecycle: new Lifecycle(store),
    clock: options.clock,
    account: options.accountId,
    logger: options.logger,
    findKey: (accessKeyId) => accessKeys.get(accessKeyId) ?? null,
  };
  const names = options.regions.map((region) => region.name);
  const faults = options.faultsPort === null ? null : new FaultPlan(names);
  const regions = new RegionServers(engine, faults, options.host);
  let control: FastifyInstance | null = null;
  let faultsEndpoint: string | null = null;
  try {
    for (const { name, port } of options.regions) await regions.open(name, port);
    if (options.faultsPort !== null && faults !== null) {
      const stopRegion = (name: string): Promise<void> => regions.stop(name);
      const startRegion = (name: string): Promise<void> => regions.start(name);
      control = controlServer({ regions: names, isRunning: (name) => regions.isRunning(name), stopRegion, startRegion, faults, clock: options.clock });
      faultsEndpoint = `http://127.0.0.1:${await listen(control, "127.0.0.1", options.faultsPort)}`;
    }
  } catch (error) {
    await control?.close();
    await regions.closeAll();
    throw error;
  }
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    await control?.close();
    await regions.closeAll();
    await store.close();
    custody.sealer.close();
    custody.chain.close();
  };
  return {
    endpoints: regions.endpoints(),
    faultsEndpoint,
    faults,
    credentials: { accessKeyId: root.accessKeyId, secretAccessKey: root.secretAccessKey },
    stopRegion: (name) => regions.stop(name),
    startRegion: (name) => regions.start(name),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
}

/** The servers of all regions; each keeps its port while it is stopped. */
class RegionServers {
  readonly #engine: Engine;
  readonly #faults: FaultPlan | null;
  readonly #host: string;
  readonly #ports = new Map<string, number>();
  readonly #servers = new Map<string, FastifyInstance>();

  constructor(engine: Engine, faults: FaultPlan | null, host: string) {
    this.#engine = engine;
    this.#faults = faults;
    this.#host = host;
  }

  endpoints(): Readonly<Record<string, string>> {
    const host = this.#host.includes(":") ? `[${this.#host}]` : this.#host;
    return Object.fromEntries([...this.#ports].map(([name, port]) => [name, `http://${host}:${port}`]));
  }

  isRunning(name: string): boolean {
    return this.#servers.has(name);
  }

  async open(name: string, port: number): Promise<void> {
    const server = regionServer({ region: name, engine: this.#engine, faults: this.#faults });
    this.#ports.set(name, await listen(server, this.#host, port));
    this.#servers.set(name, server);
  }

  async stop(name: string): Promise<void> {
    this.#port(name);
    const server = this.#servers.get(name);
    this.#servers.delete(name);
    await server?.close();
  }

  async start(name: string): Promise<void> {
    const port = this.#port(name);
    if (!this.#servers.has(name)) await this.open(name, port);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#servers.keys()].map((name) => this.stop(name)));
  }

  #port(name: string): number {
    const port = this.#ports.get(name);
    if (port === undefined) throw new KmsError("region-unknown", `${name}.`);
    return port;
  }
}
