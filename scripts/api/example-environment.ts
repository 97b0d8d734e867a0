// What the examples find in their environment: a KMS with a key in each of three regions, a service with a vault, and an
// empty database of PostgreSQL.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CreateKeyCommandInput, KMS } from "@aws-sdk/client-kms";
import { rawAesKeyring } from "@strongroom/envelope";
import { createKms, type Kms } from "@strongroom/kms";
import { createServer, fileTokens } from "@strongroom/server";
import { openVault } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { PostgresServer } from "../../tests/support/postgres/server.ts";

/** Environment variables, and the end of what stands behind them. */
export interface ExampleEnvironment extends AsyncDisposable {
  readonly variables: Readonly<Record<string, string>>;
}

const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"] as const;

/**
 * Starts all. `KMS_KEYS` lists `{ region, endpoint, keyArn }` of each region; `KMS_ECDH_KEY` is one such key for key
 * agreement; `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` may use them; `STRONGROOM_URL` and `STRONGROOM_TOKEN` lead
 * to the service, `DATABASE_URL` to the database.
 */
export async function exampleEnvironment(): Promise<ExampleEnvironment> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "strongroom-examples-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const kms = stack.use(
    await createKms({ dataDir: join(folder, "kms"), regions: REGIONS.map((name) => ({ name, port: 0 })) }),
  );
  const server = stack.use(await PostgresServer.start({}));
  const variables = {
    ...(await kmsVariables(kms)),
    ...(await serviceVariables(folder, stack)),
    DATABASE_URL: server.url,
  };
  const end = stack.move();
  return { variables, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

async function kmsVariables(kms: Kms): Promise<Record<string, string>> {
  const key = async (region: string, input: Partial<CreateKeyCommandInput> = {}): Promise<object> => {
    const endpoint = kms.endpoints[region];
    const client = new KMS({ region, credentials: kms.credentials, ...(endpoint === undefined ? {} : { endpoint }) });
    try {
      const { KeyMetadata } = await client.createKey(input);
      return { region, endpoint, keyArn: KeyMetadata?.Arn };
    } finally {
      client.destroy();
    }
  };
  return {
    KMS_KEYS: JSON.stringify(await Promise.all(REGIONS.map((region) => key(region)))),
    KMS_ECDH_KEY: JSON.stringify(await key(REGIONS[0], { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" })),
    AWS_ACCESS_KEY_ID: kms.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: kms.credentials.secretAccessKey,
  };
}

async function serviceVariables(folder: string, stack: AsyncDisposableStack): Promise<Record<string, string>> {
  const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
  const vault = stack.use(await openVault({ store: await sqliteStore(join(folder, "records.sqlite")), keyring }));
  const tokens = await fileTokens(join(folder, "tokens.json"));
  const server = await createServer({ vault, tokens, regions: { minimum: 0, health: () => [] } });
  stack.defer(() => server.close());
  const { token } = await tokens.create({ name: "example", scopes: ["admin"] });
  return { STRONGROOM_URL: await server.listen({ host: "127.0.0.1", port: 0 }), STRONGROOM_TOKEN: token };
}
