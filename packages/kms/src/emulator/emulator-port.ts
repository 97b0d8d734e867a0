// The emulator's one port, in place of the regions' ports.

import type { FastifyInstance } from "fastify";
import { listen } from "../http/region-server.ts";
import { emulatorServer } from "./emulator-server.ts";
import type { EmulatorParts } from "./emulator-server.ts";

/** The access key that people who come from other emulators sign with. Any other one does as well. */
export const EMULATOR_CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test" } as const;

/** What a person is told whenever the emulator starts. */
export const EMULATOR_WARNING =
  "EMULATOR: no signature is checked. Any program on this machine may use, read and delete every key. For tests only.";

/** The open port. */
export class EmulatorPort {
  readonly endpoint: string;
  readonly #app: FastifyInstance;

  private constructor(app: FastifyInstance, endpoint: string) {
    this.#app = app;
    this.endpoint = endpoint;
  }

  /** Opens it. @param host an address of the loopback interface. @throws KmsError `port-in-use`. */
  static async open(parts: EmulatorParts, host: string, port: number): Promise<EmulatorPort> {
    const app = emulatorServer(parts);
    const listensOn = await listen(app, host, port);
    return new EmulatorPort(app, `http://${host.includes(":") ? `[${host}]` : host}:${listensOn}`);
  }

  async close(): Promise<void> {
    await this.#app.close();
  }
}
