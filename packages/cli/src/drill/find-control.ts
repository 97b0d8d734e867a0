// Where the control port is: a flag first, then what the running installation says, then the configuration. Faults are
// never assumed to be allowed: an installation that holds someone's data has no such port.
import type { LoadedConfig } from "../config/load.ts";
import { dataFolder } from "../data-folder/layout.ts";
import { readRunning } from "../data-folder/running.ts";
import { CliError } from "../errors.ts";

/** Finds the endpoint. Throws `faults-not-allowed`, with how to allow them. */
export async function findControl({ config }: LoadedConfig, flag: string | undefined): Promise<string> {
  if (flag !== undefined) return flag;
  const running = await readRunning(dataFolder(config.dataDir).running);
  if (running !== null) {
    if (running.faultsEndpoint !== null) return running.faultsEndpoint;
    throw new CliError("faults-not-allowed", {
      detail: `The installation in ${config.dataDir} was started without them.`,
    });
  }
  const { allowFaults, faultsPort } = config.kms;
  if (allowFaults && faultsPort !== 0) return `http://127.0.0.1:${faultsPort}`;
  throw new CliError("faults-not-allowed", {
    detail: `No installation runs in ${config.dataDir}, and no other control port is given.`,
  });
}
