// For tests: commands against a real service in the test's own process, without a KMS: for what does not depend on one.
import type { TestContext } from "node:test";
import type { Client } from "@strongroom/client";
import type { Vault } from "@strongroom/vault";
import { service } from "../../../client/test/support/service.ts";
import { runCommand } from "./command.ts";
import { type Ended, temporaryFolder } from "./installation.ts";

/** A service, a folder to work in, and commands that find both. */
export interface CommandService {
  readonly folder: string;
  readonly url: string;
  readonly client: Client;
  readonly run: (
    line: string,
    options?: {
      readonly stdin?: string | Uint8Array;
      readonly url?: string;
      /** Of a terminal; left out: a pipe. */
      readonly columns?: number;
      readonly signal?: AbortSignal;
    },
  ) => Promise<Ended>;
}

/** Starts it; it ends with the test. @param front what stands before its vault */
export async function commandService(t: TestContext, front?: (vault: Vault) => Vault): Promise<CommandService> {
  const { url, token, client } = await service(t, undefined, front);
  const folder = await temporaryFolder();
  t.after(() => folder[Symbol.asyncDispose]());
  const env = { STRONGROOM_TOKEN: await token("admin"), STRONGROOM_DATA_DIR: folder.path };
  return {
    folder: folder.path,
    url,
    client: await client("admin"),
    run: (line, { stdin = "", url: other = url, ...how } = {}) =>
      runCommand(line.split(" "), { cwd: folder.path, stdin, env: { ...env, STRONGROOM_URL: other }, ...how }),
  };
}
