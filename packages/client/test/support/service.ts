/**
 * What the client is tested against: a real server over a real vault, and one whose answers a test makes up.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Client, type ClientOptions, createClient } from "@strongroom/client";
import { rawAesKeyring } from "@strongroom/envelope";
import { createServer, fileTokens, type Regions, type Scope } from "@strongroom/server";
import { openVault, type Vault } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";

/** A service, and tokens and clients of a scope. */
export interface Service {
  readonly url: string;
  readonly token: (scope: Scope) => Promise<string>;
  readonly client: (scope: Scope, options?: Partial<ClientOptions>) => Promise<Client>;
}

/** A service on a free port, ended after the test. @param front what stands before its vault */
export async function service(
  t: TestContext,
  regions: Regions = { minimum: 0, health: () => [] },
  front: (vault: Vault) => Vault = (vault) => vault,
): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-client-"));
  const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "test", wrappingKey: randomBytes(32) });
  const vault = await openVault({ store: await sqliteStore(join(folder, "records.sqlite")), keyring });
  const tokens = await fileTokens(join(folder, "tokens.json"));
  const server = await createServer({ vault: front(vault), tokens, regions });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  t.after(async () => {
    await server.close();
    await vault.close();
    await rm(folder, { recursive: true });
  });
  const token = async (scope: Scope): Promise<string> => (await tokens.create({ name: scope, scopes: [scope] })).token;
  return {
    url,
    token,
    client: async (scope, options) => createClient({ url, token: await token(scope), ...options }),
  };
}

/** A client whose requests are answered by `answer`. */
export function madeUp(answer: (request: Request) => Response | Promise<Response>, timeoutMs?: number): Client {
  return createClient({
    url: "http://vault.test",
    token: "srt_made_up",
    fetch: async (request) => answer(request),
    timeoutMs,
  });
}

/** An answer of JSON. */
export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json(body, { status, headers });
}
