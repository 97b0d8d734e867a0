// The client of one command run: its connection found, its calls ended by Ctrl-C.
import type { Invocation, OptionTable } from "../command/spec.ts";
import { findConnection } from "./connection.ts";
import { type ServiceClient, serviceClient } from "./service-client.ts";

/** Opens the client for a command. Throws `token-missing`, `plain-http` or `input-unreadable`. */
export async function openClient<Table extends OptionTable>({
  loaded,
  context,
}: Invocation<Table>): Promise<ServiceClient> {
  const connection = await findConnection(loaded, context.env);
  return serviceClient({ ...connection, timeoutMs: loaded.config.client.timeoutMs, signal: context.signal });
}
