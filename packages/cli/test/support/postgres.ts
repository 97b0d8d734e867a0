// For tests: a real PostgreSQL as a person names it to the command: the URL without a password, the password in a file.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type PostgresOptions, type PostgresServer, startPostgres } from "../../../../tests/support/postgres/server.ts";

/** A server, and what a command needs for a database of it. */
export interface NamedDatabase {
  readonly server: PostgresServer;
  /** Without a password. */
  readonly url: string;
  readonly passwordFile: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts it; it ends with the test. The file of the password lies in `folder`. */
export async function namedDatabase(
  t: TestContext,
  folder: string,
  options: PostgresOptions = {},
): Promise<NamedDatabase> {
  const server = await startPostgres(t, options);
  const url = withoutPassword(await server.createDatabase());
  const passwordFile = join(folder, "database.password");
  await writeFile(passwordFile, `${server.password}\n`, { mode: 0o600 });
  return { server, url, passwordFile, env: { STRONGROOM_STORE: url, STRONGROOM_STORE_PASSWORD_FILE: passwordFile } };
}

/** The same URL without its password. */
export function withoutPassword(url: string): string {
  const bare = new URL(url);
  bare.password = "";
  return bare.href;
}
