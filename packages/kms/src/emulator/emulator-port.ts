// The emulator's one port, in place of the regions' ports.

import type { Engine } from "../http/handle.ts";
import { endpointOf, listen } from "../http/listen.ts";
import { KMS_DEFAULTS } from "../options.ts";
import type { SettledOptions } from "../options.ts";
import { readSeed } from "../seed/read-seed.ts";
import { emulatorServer } from "./emulator-server.ts";
import { resetStore } from "./reset.ts";

/** The access key that people who come from other emulators sign with. Any other one does as well. */
export const EMULATOR_CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test" } as const;

/** What a person is told whenever the emulator starts. */
export const EMULATOR_WARNING =
  "EMULATOR: no signature is checked. Any program on this machine may use, read and delete every key. For tests only.";

/** The open port. */
export interface EmulatorPort {
  /** `http://HOST:PORT` */
  readonly endpoint: string;
  close(): Promise<void>;
}

/**
 * Opens it.
 * @param port 0 takes a free one.
 * @throws KmsError `port-in-use`.
 */
export async function openEmulator(
  engine: Engine,
  port: number,
  { host, regions, seed }: Pick<SettledOptions, "host" | "regions" | "seed">,
): Promise<EmulatorPort> {
  engine.logger.warn(EMULATOR_WARNING);
  const names = regions.map(({ name }) => name);
  const app = emulatorServer({
    engine,
    region: names[0] ?? KMS_DEFAULTS.emulatorRegion,
    reset: () => resetStore(engine, () => (seed === null ? [] : readSeed(seed, names))),
  });
  const listensOn = await listen(app, host, port);
  return {
    endpoint: endpointOf(host, listensOn),
    close: async () => {
      await app.close();
    },
  };
}
