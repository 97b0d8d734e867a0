// How the key that is to be retired is reached: in the KMS of this folder, or in the region that its ARN names, by the
// configuration of that region where there is one still.
import type { Config, WrappingRegion } from "../config/config.ts";
import type { DataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { kmsClient } from "../installation/keyring.ts";
import type { CommandKeys } from "../installation/command-keys.ts";
import { regionClients } from "../installation/local-kms.ts";
import type { RetiredKey } from "./kms-side.ts";

const KEY_ARN = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key\/[A-Za-z0-9-]{1,128}$/;

/** The region of a key's ARN. Throws `usage` for anything else. */
export function regionOfKey(arn: string): string {
  const region = KEY_ARN.exec(arn)?.[1];
  if (region !== undefined) return region;
  throw new CliError("usage", {
    detail: "A key is retired by its ARN, arn:aws:kms:REGION:ACCOUNT:key/ID: an alias points elsewhere tomorrow.",
    remedy: "strongroom keys inventory lists the keys that there is anything under, by their ARNs.",
  });
}

/** Where it is looked for. */
export interface RetiredPlace {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly place: CommandKeys["place"];
  /** The access key of whoever may change keys; left out: the operator's of this folder, or the service's own. */
  readonly credentials: string | undefined;
}

/** Throws `usage`, and what making clients does. */
export async function retiredKey(keyArn: string, parts: RetiredPlace): Promise<RetiredKey> {
  const region = regionOfKey(keyArn);
  const { config, folder, place, credentials } = parts;
  if (place !== null) {
    const clientOf = async (file: string): Promise<RetiredKey["service"]> => {
      const [found] = await regionClients([region], place, file);
      if (found !== undefined && place.endpoints[region] !== undefined) return found.client;
      throw new CliError("usage", { detail: `The KMS of this folder has no region ${region}.` });
    };
    const [operator, service] = [credentials ?? folder.kmsOperatorCredentials, folder.kmsServiceCredentials];
    return { keyArn, operator: await clientOf(operator), service: await clientOf(service) };
  }
  const { regions = [], next = [], allowUnauthenticatedKms: allowUnauthenticated } = config.keys;
  // A region that was left may be in no configuration any more: then it is AWS's own.
  const known: WrappingRegion = [...regions, ...next].find((one) => one.region === region) ?? { region };
  const service = { ...known, allowUnauthenticated };
  const operator = credentials === undefined ? service : { ...service, credentialsFile: credentials };
  return { keyArn, operator: await kmsClient(operator), service: await kmsClient(service) };
}
