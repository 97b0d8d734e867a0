// Checks of the service: is it there, does the token fit.
import { findConnection, findOrigin } from "../client/connection.ts";
import { serviceClient } from "../client/service-client.ts";
import { CliError } from "../errors.ts";
import type { Check } from "./check.ts";

/**
 * Whether the service answers and takes the token. Not running is no failure: the doctor is often called before the
 * first start.
 */
export const checkService: Check = async ({ loaded, env, signal }) => {
  const what = "Service";
  const { origin } = await findOrigin(loaded);
  try {
    const connection = await findConnection(loaded, env);
    await serviceClient({ ...connection, timeoutMs: 5000, signal }).collections();
    return [{ what, severity: "ok", detail: `${origin} answers and takes the token` }];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    if (error.code === "service-unreachable" || error.code === "token-missing") {
      return [{ what, severity: "warning", detail: error.detail ?? error.title, remedy: error.remedy }];
    }
    return [
      { what, severity: "failure", detail: `${origin}: ${error.title} [${error.reportedCode}]`, remedy: error.remedy },
    ];
  }
};
