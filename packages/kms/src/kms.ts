// The KMS: opens the data directory, starts one server per region, and lets go of everything again.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DiskReserve } from "@strongroom/base/disk-reserve";
import type { WitnessPublisher } from "@strongroom/witness/publisher";
import type { Witness } from "@strongroom/witness/witness";
import { admissionOf } from "./admission.ts";
import { Retention } from "./audit/retention.ts";
import { IdleSweep } from "./crypto/freed-memory.ts";
import { openEmulator } from "./emulator/emulator-port.ts";
import type { EmulatorPort } from "./emulator/emulator-port.ts";
import { KmsError } from "./errors.ts";
import { FaultPlan } from "./faults/fault-plan.ts";
import { openControlPort } from "./http/control-port.ts";
import type { ControlPort } from "./http/control-port.ts";
import type { Engine } from "./http/handle.ts";
import { RegionServers } from "./http/region-servers.ts";
import { KeyMaterial } from "./keys/key-material.ts";
import { Lifecycle } from "./keys/lifecycle.ts";
import { isRegionName } from "./keys/region-name.ts";
import { settleOptions } from "./options.ts";
import type { KmsOptions, SettledOptions } from "./options.ts";
import { applySeed, warningOf } from "./seed/apply-seed.ts";
import type { SeedReport } from "./seed/apply-seed.ts";
import { readSeed } from "./seed/read-seed.ts";
import type { SeedKey } from "./seed/read-seed.ts";
import { closeCustody, openCustody } from "./store/custody.ts";
import type { Custody } from "./store/custody.ts";
import { DATABASE_FILE } from "./store/database.ts";
import { Store } from "./store/store.ts";
import { tlsIdentity } from "./tls/tls-identity.ts";
import type { TlsFacts } from "./tls/tls-identity.ts";
import { openWitness } from "./witnesses/open-witness.ts";
import { headOf, publisherFor } from "./witnesses/publisher.ts";

/** How often the server looks for what fell due, when no call made it look. */
const SETTLE_INTERVAL_MS = 60_000;

/** A running KMS. */
export interface Kms {
  /** Where it keeps its files. */
  readonly dataDir: string;
  /** Region -> `http://HOST:PORT`, or `https://`. A stopped region keeps its endpoint. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Region -> path of its Unix socket; empty without `socketDir`. */
  readonly sockets: Readonly<Record<string, string>>;
  /** The certificate of the regions' ports; null: they speak plain HTTP. */
  readonly tls: TlsFacts | null;
  /** The one port of an emulator; null for a server. */
  readonly emulatorEndpoint: string | null;
  /** Region -> why it does not serve: its port is in use, and is tried again (`takenPorts: "retried"`). */
  readonly notServing: Readonly<Record<string, string>>;
  /** The control port, if faults are allowed. */
  readonly faultsEndpoint: string | null;
  /** The file with the header that the control port wants (`curl -H @FILE`), made anew at each start. */
  readonly faultsHeaderFile: string | null;
  /** The faults in force, if they are allowed. */
  readonly faults: FaultPlan | null;
  /** The account's root access key, as in credentials.json; an emulator takes any, and this one by custom. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** What came of the seed, if there was one. */
  readonly seeded: SeedReport | null;
  /**
   * The options of an AWS SDK's client for a region (the first by default): `new KMSClient(kms.clientConfig())`.
   * An emulator has every region.
   * @throws KmsError `region-unknown`.
   */
  clientConfig(region?: string): ClientConfig;
  /** Closes the region's port: connections are refused, those that are open are cut. */
  stopRegion(name: string): Promise<void>;
  /** Opens the same port again. */
  startRegion(name: string): Promise<void>;
  /** Ends the calls under way, closes all ports and the database. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What an AWS SDK's client needs to reach a region. */
export interface ClientConfig {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/**
 * Starts a KMS on a data directory; a new directory gets a root key, credentials and an empty database. Without
 * options it is one for a test, gone without a trace once it is closed.
 * @throws KmsError, whose codes are the keys of `KMS_ERRORS`.
 * @example
 * ```ts
 * import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
 * import { createKms } from "@strongroom/kms";
 *
 * await using kms = await createKms(); // a free port, a temporary directory, both gone at the end
 * const client = new KMSClient(kms.clientConfig());
 * const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
 * console.log(KeyMetadata?.KeyState); // prints: Enabled
 * ```
 */
export async function createKms(options: KmsOptions = {}): Promise<Kms> {
  const settled = settleOptions(options);
  const names = settled.regions.map((region) => region.name);
  const removeTemporary = (): void => {
    if (settled.dataDirLife === "removed-on-close") rmSync(settled.dataDir, { recursive: true, force: true });
  };
  try {
    // Read before anything is made: a mistake in the seed leaves nothing behind.
    const seed = settled.seed === null ? null : readSeed(settled.seed, names);
    mkdirSync(settled.dataDir, { recursive: true, mode: 0o700 });
    const { rootKey, acceptRestore, clock } = settled;
    const keeper = settled.emulatorPort === null ? "server" : "emulator";
    const witness = settled.witness === null ? null : openWitness(settled.witness, settled.dataDir);
    const opening = { keeper, witness, acceptRestore, now: clock.now() } as const;
    const custody = await openCustody(settled.dataDir, rootKey, opening);
    return await start({ custody, witness, seed, removeTemporary }, settled).catch(async (error: unknown) => {
      await closeCustody(custody);
      throw error;
    });
  } catch (error) {
    removeTemporary();
    throw error;
  }
}

/** What a KMS has in hand before it starts. */
interface Opened {
  readonly custody: Custody;
  readonly witness: Witness | null;
  readonly seed: readonly SeedKey[] | null;
  /** The last step of closing. */
  readonly removeTemporary: () => void;
}

async function start({ custody, witness, seed, removeTemporary }: Opened, options: SettledOptions): Promise<Kms> {
  const { authenticate, credentials } = admissionOf(options);
  const tls = options.tls === null ? null : tlsIdentity(options.tls, options.dataDir, options.host);
  const names = options.regions.map((region) => region.name);
  // What an earlier run left in SQLite's log, and what the opening added, is for the witness once the disk has it.
  await custody.database.syncLog();
  const publisher = witness === null ? null : publisherFor(witness, custody, options.logger);
  const supply = options.emulatorPort === null ? "fixed" : "on-demand";
  const reserve = options.reserve ? new DiskReserve(join(options.dataDir, `${DATABASE_FILE}.reserve`)) : null;
  const store = await Store.open(
    { ...custody, reserve, onDurable: () => publisher?.publish(headOf(custody)) },
    names,
    supply,
  );
  const engine = engineOf({ store, publisher, material: new KeyMaterial(custody.sealer), authenticate }, options);
  publisher?.publish(headOf(custody));
  const seeded = seed === null ? null : await applySeed(seed, { ...engine, now: options.clock.now() });
  const warning = seeded === null ? null : warningOf(seeded);
  if (warning !== null) options.logger.warn(warning);

  const faults = options.faultsPort === null ? null : new FaultPlan(names);
  const regions = new RegionServers(engine, faults, { ...options, tls });
  let control: ControlPort | null = null;
  let emulator: EmulatorPort | null = null;
  try {
    if (options.emulatorPort !== null) emulator = await openEmulator(engine, options.emulatorPort, options);
    else if (options.takenPorts === "retried") await regions.openWhatIsFree(options.regions);
    else await regions.openAll(options.regions);
    if (options.faultsPort !== null && faults !== null)
      control = await openControlPort(options.dataDir, options.faultsPort, {
        regions: names,
        isRunning: (name) => regions.isRunning(name),
        stopRegion: (name) => regions.stop(name),
        startRegion: (name) => regions.start(name),
        faults,
        clock: options.clock,
      });
  } catch (error) {
    await regions.closeAll();
    throw error;
  }
  const settling = settleRegularly(engine);
  const { auditDays: days, clock, logger } = options;
  const retention = days === null ? null : new Retention({ database: custody.database, store, clock, logger, days });

  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    clearInterval(settling);
    engine.idleSweep.close();
    try {
      await control?.close();
      await emulator?.close();
      await regions.closeAll();
      await retention?.close();
      await store.settle();
      await publisher?.close();
      await store.close();
    } finally {
      custody.sealer.close();
      custody.log.close();
      custody.rowKeys.close();
      removeTemporary();
    }
  };
  const endpoints =
    emulator === null ? regions.endpoints() : Object.fromEntries(names.map((name) => [name, emulator.endpoint]));
  return {
    dataDir: options.dataDir,
    endpoints,
    sockets: emulator === null ? regions.sockets() : {},
    tls: tls === null ? null : { certificateFile: tls.certificateFile, fingerprint: tls.fingerprint },
    emulatorEndpoint: emulator?.endpoint ?? null,
    get notServing() {
      return regions.notServing();
    },
    faultsEndpoint: control?.endpoint ?? null,
    faultsHeaderFile: control?.headerFile ?? null,
    faults,
    credentials,
    seeded,
    clientConfig: (region = names[0] ?? "") => {
      const endpoint = endpoints[region] ?? (isRegionName(region) ? emulator?.endpoint : undefined);
      if (endpoint === undefined) throw new KmsError("region-unknown", `${region}.`);
      return { region, endpoint, credentials };
    },
    stopRegion: (name) => regions.stop(name),
    startRegion: (name) => regions.start(name),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
}

/** What the engine is made of that the options do not say. */
interface EngineParts extends Pick<Engine, "store" | "material" | "authenticate"> {
  readonly publisher: WitnessPublisher | null;
}

function engineOf({ store, publisher, material, authenticate }: EngineParts, options: SettledOptions): Engine {
  return {
    store,
    material,
    idleSweep: new IdleSweep(),
    lifecycle: new Lifecycle(store, material, options.accountId),
    clock: options.clock,
    account: options.accountId,
    logger: options.logger,
    witness: () => publisher?.state ?? "none",
    authenticate,
  };
}

/** What falls due while nobody calls is done all the same: a deleted key's material goes when its time has come. */
function settleRegularly({ lifecycle, store, clock, logger }: Engine): NodeJS.Timeout {
  const settle = (): void => {
    const due = lifecycle.settle(clock.now());
    if (due.events.length === 0) return;
    store.commit(store.epoch, due.changes, due.events).catch((error: unknown) => {
      logger.error({ err: error }, "what fell due could not be committed");
    });
  };
  const settling = setInterval(settle, SETTLE_INTERVAL_MS).unref();
  settle();
  return settling;
}
