// The keyring of an installation: one client a region, the policy of the configuration.
import type { KMS } from "@aws-sdk/client-kms";
import { EnvelopeError } from "@strongroom/envelope";
import { multiRegionKeyring, type MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { type Config, wrapPolicy } from "../config/schema.ts";
import { CliError } from "../errors.ts";

/** A region, the key that wraps there, and the client that reaches it. */
export interface InstalledRegion {
  readonly region: string;
  readonly keyArn: string;
  readonly client: KMS;
}

/** Makes the keyring. Throws `config-invalid` with what the keyring says. */
export function installedKeyring(config: Config, regions: readonly InstalledRegion[]): MultiRegionKeyring {
  const { attemptTimeoutMs, deadlineMs, stragglerMinMs } = config.keys;
  try {
    return multiRegionKeyring({
      regions,
      ...wrapPolicy(config, regions.length),
      ...(attemptTimeoutMs === undefined ? {} : { attemptTimeoutMs }),
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      ...(stragglerMinMs === undefined ? {} : { stragglerMinMs }),
    });
  } catch (cause) {
    if (cause instanceof EnvelopeError)
      throw new CliError("config-invalid", { detail: `keys: ${cause.message}`, cause });
    throw cause;
  }
}
