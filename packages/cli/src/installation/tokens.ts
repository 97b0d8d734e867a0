// The token file of a data folder, opened for the service and for the commands that change it.
import { fileTokens, type FileTokens, SERVER_ERRORS, ServerError } from "@strongroom/server";
import type { DataFolder } from "../data-folder/layout.ts";
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
