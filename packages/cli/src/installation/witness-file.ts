// Where the audit's witness is when none is configured: a file in the user's own state folder, which is not copied,
// backed up or set back together with the data folder. It is on the same disk, mostly, and the same user writes it: it
// tells of a folder that was put back, not of somebody who is this user.
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { liesIn } from "@strongroom/base/paths";
import type { Environment } from "@strongroom/base/settings";

/** A vault's id is a file's name here, and it is read from a database that somebody else may have written. */
const VAULT_ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The file of a vault's newest checkpoint: `$XDG_STATE_HOME`, or `~/.local/state`, `/strongroom/witness/ID.checkpoint`;
 * below the folder of the user's configuration where that would lie in the data folder. Null: both do. Never below the
 * present folder, whatever the environment says of it.
 *
 * @throws RangeError for what is no vault's id
 */
export function witnessFile(vaultId: string, dataFolder: string, env: Environment): string | null {
  if (!VAULT_ID.test(vaultId)) throw new RangeError("that is no vault's id");
  const { XDG_STATE_HOME: state, XDG_CONFIG_HOME: config, HOME } = env;
  const home = absolute(HOME) ?? homedir();
  const places = [absolute(state) ?? join(home, ".local", "state"), absolute(config) ?? join(home, ".config")];
  const files = places.map((place) => join(place, "strongroom", "witness", `${vaultId}.checkpoint`));
  return files.find((file) => !liesIn(file, dataFolder)) ?? null;
}

const absolute = (path = ""): string | null => (isAbsolute(path) ? path : null);
