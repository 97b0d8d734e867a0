// The tokens of a data folder: its token file, opened for the service and for the commands that change it, and the
// first administrator's token, which the client commands on the same machine pick up. That one is made at first start;
// made anew when its file is lost or no longer fits, and what it replaces is revoked. Beside it lies the same token as
// an HTTP header, for `curl -H @FILE`: a token on a command line could be read by every process of the machine.
import { writeFileAtomic } from "@strongroom/base/files";
import {
  type Approver,
  approversIn,
  fileTokens,
  type FileTokens,
  SERVER_ERRORS,
  ServerError,
} from "@strongroom/server";
import type { DataFolder } from "../data-folder.ts";
import { readAuthorityIfPresent } from "../authority.ts";
import { CliError } from "../errors.ts";

/**
 * Opens the token file. Throws `data-dir-unusable` when it is there and not valid (a service must know whom it may
 * answer); what is opened throws `token-absent` and `data-dir-unusable`.
 */
export async function openTokens(folder: DataFolder): Promise<FileTokens> {
  const tokens = await fileTokens(folder.tokens).catch(failed);
  return {
    create: (options) => tokens.create(options).catch(failed),
    list: () => tokens.list().catch(failed),
    revoke: (id) => tokens.revoke(id).catch(failed),
    verify: (token) => tokens.verify(token),
  };
}

/** Those by whom a restore of a backup is approved. Throws `data-dir-unusable`. */
export function approversOf(folder: DataFolder): Promise<readonly Approver[]> {
  return approversIn(folder.tokens).catch(failed);
}

/** Rethrows what the token file threw, with what to do. */
function failed(cause: unknown): never {
  if (!(cause instanceof ServerError)) throw cause;
  const { title, remedy } = SERVER_ERRORS[cause.code];
  const code = cause.code === "token-absent" ? "token-absent" : "data-dir-unusable";
  throw new CliError(code, {
    title,
    detail: cause.message,
    reportedCode: cause.code,
    ...(code === "token-absent" ? {} : { remedy }),
    cause,
  });
}

/** The name that the first token has in `strongroom token list`. */
export const FIRST_TOKEN_NAME = "administrator of this data folder";

/** Makes sure that the token file holds a token that works. */
export async function ensureFirstToken(folder: DataFolder, tokens: FileTokens): Promise<void> {
  const present = readAuthorityIfPresent(folder.token, "secret")?.trim();
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
  if (readAuthorityIfPresent(folder.tokenHeader, "secret") !== header)
    await writeFileAtomic(folder.tokenHeader, header);
}
