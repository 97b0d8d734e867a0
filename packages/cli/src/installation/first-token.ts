// The first administrator's token, which the client commands on the same machine pick up. Made at first start; made
// anew when its file is lost or no longer fits, and what it replaces is revoked. Beside it lies the same token as an
// HTTP header, for `curl -H @FILE`: a token on a command line could be read by every process of the machine.
import { readIfPresent, writeFileAtomic } from "@strongroom/base/files";
import type { FileTokens } from "@strongroom/server";
import type { DataFolder } from "../data-folder/layout.ts";

/** The name it has in `strongroom token list`. */
export const FIRST_TOKEN_NAME = "administrator of this data folder";

/** Makes sure that the token file holds a token that works. */
export async function ensureFirstToken(folder: DataFolder, tokens: FileTokens): Promise<void> {
  const present = (await readIfPresent(folder.token))?.trim();
  if (present !== undefined && (await tokens.verify(present)) !== null) {
    await writeHeader(folder, present);
    return;
  }
  for (const { id, name } of await tokens.list()) {
    if (name === FIRST_TOKEN_NAME) await tokens.revoke(id);
  }
  const { token } = await tokens.create({ name: FIRST_TOKEN_NAME, scopes: ["admin"] });
  await writeFileAtomic(folder.token, `${token}\n`);
  await writeHeader(folder, token);
}

async function writeHeader(folder: DataFolder, token: string): Promise<void> {
  const header = `Authorization: Bearer ${token}\n`;
  if ((await readIfPresent(folder.tokenHeader)) !== header) await writeFileAtomic(folder.tokenHeader, header);
}
