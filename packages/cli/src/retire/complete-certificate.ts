// `strongroom certificate complete`: asks the KMS of every wrapping key what has become of it, and has the vault say
// what that means for somebody who was erased.
import type { SecondStage, SubjectId } from "@strongroom/vault";
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { prepareDataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { withVault } from "../installation/with-vault.ts";
import { type AskedKms, describeBy } from "./describe-key.ts";
import { retiredKey, type RetiredPlace } from "./retired-key.ts";

/** Whose certificate it is. */
export interface CompleteRequest {
  /** The opaque id. */
  readonly person: string;
  readonly credentials: string | undefined;
}

/** Throws `config-invalid`, `certificate-absent` of the vault, and what opening a vault does. */
export async function completeCertificate(
  context: CommandContext,
  config: Config,
  { person, credentials }: CompleteRequest,
): Promise<SecondStage> {
  const { folder } = await prepareDataFolder(config.dataDir);
  return withVault(context, { config, folder }, async ({ vault: { erasure } }, { place }) => {
    if (erasure === null)
      throw new CliError("config-invalid", { detail: "Certificates are of a vault with an audit." });
    const describe = describeBy((key) => asked(key, { config, folder, place, credentials }));
    return erasure.secondStage(person as SubjectId, describe);
  });
}

/** Null: it is no key of a KMS, or of a region that is not known here. */
async function asked(key: string, parts: RetiredPlace): Promise<AskedKms | null> {
  try {
    const { operator } = await retiredKey(key, parts);
    return { client: operator, isAws: isOfAws(key, parts) };
  } catch (error) {
    if (error instanceof CliError && error.code === "usage") return null;
    throw error;
  }
}

/** At an endpoint of somebody's choice is whoever has it. */
function isOfAws(key: string, { config, place }: RetiredPlace): boolean {
  const { regions = [], next = [] } = config.keys;
  const region = key.split(":")[3];
  return place === null && [...regions, ...next].every((one) => one.region !== region || one.endpoint === undefined);
}
