// The service: does it answer, and does it take the token.
import { asCliError, clientOf, findConnection, findOrigin } from "../connection.ts";
import { CliError } from "../errors.ts";
import { type Check, PATIENCE_MS } from "./check.ts";

/**
 * Whether the service answers and takes the token. Not running is no failure: the doctor is often called before the
 * first start.
 */
export const checkService: Check = async ({ loaded, env, signal }) => {
  const what = "Service";
  let place = "";
  try {
    place = `${findOrigin(loaded).origin}: `;
    const connection = await findConnection(loaded, env);
    await clientOf(connection, { timeoutMs: PATIENCE_MS, signal }).collections();
    return [{ what, severity: "ok", detail: `${connection.origin.origin} answers and takes the token` }];
  } catch (cause) {
    const error = asCliError(cause);
    if (!(error instanceof CliError)) throw error;
    if (error.code === "service-unreachable" || error.code === "token-missing") {
      return [{ what, severity: "warning", detail: error.detail ?? error.title, remedy: error.remedy }];
    }
    return [
      { what, severity: "failure", detail: `${place}${error.title} [${error.reportedCode}]`, remedy: error.remedy },
    ];
  }
};
