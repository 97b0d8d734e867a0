// The token file of a data folder, opened for the service and for the commands that change it.
import { fileTokens, type FileTokens, SERVER_ERRORS, ServerError } from "@strongroom/server";
import type { DataFolder } from "../data-folder/layout.ts";
import { CliError } from "../errors.ts";

/** Opens the token file. Throws `data-dir-unusable` when it is there and not valid: a service must know whom it may answer. */
export async function openTokens(folder: DataFolder): Promise<FileTokens> {
  return fileTokens(folder.tokens).catch(tokenFailure);
}

/** Rethrows what the token file threw, with what to do. */
export function tokenFailure(cause: unknown): never {
  if (!(cause instanceof ServerError)) throw cause;
  const { title, remedy } = SERVER_ERRORS[cause.code];
  const code = cause.code === "token-absent" ? "token-absent" : "data-dir-unusable";
  throw new CliError(code, { title, detail: cause.message, reportedCode: cause.code, ...(code === "token-absent" ? {} : { remedy }), cause });
}
