// The keyring of an installation, over clients of the ordinary AWS SDK, one a region: AWS's own KMS where no endpoint
// is given, with the default credential chain. The SDK's retries are off (the next region is the better retry) and its
// timeouts are set (its default is to wait for ever). Threat answered: plaintext keys in the service's memory; they
// come and go as bytes, over connections that wipe what they read.
import { KMS, type KMSClientConfig } from "@aws-sdk/client-kms";
import { systemErrorCode, systemReason } from "@strongroom/base/files";
import { isEnvelopeError } from "@strongroom/envelope";
import { multiRegionKeyring, type MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { keysAsBytes } from "@strongroom/envelope/aws-sdk";
import { currentCaller } from "@strongroom/server";
import { z } from "zod";
import { readAuthority } from "../authority.ts";
import { type Config, wrapPolicy } from "../config/config.ts";
import { CliError } from "../errors.ts";
import { type KmsPlace, kmsTransport } from "./kms-transport.ts";

/** A region as a client needs it. */
export interface KmsRegion extends KmsPlace {
  /** A file `{"accessKeyId", "secretAccessKey"}`; absent: the SDK's default credential chain. */
  readonly credentialsFile?: string | undefined;
}

/**
 * Longest time to connect, and longest silence, in milliseconds. The keyring ends its calls sooner, each by an
 * AbortSignal.
 */
export const KMS_TIMEOUTS: { readonly connectionTimeout: number; readonly requestTimeout: number } = {
  connectionTimeout: 3000,
  requestTimeout: 10_000,
};

const credentialsSchema = z.object({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1) });

/**
 * Makes the client of one region. Throws `kms-unauthenticated` for a KMS over plain HTTP, and `input-unreadable` or
 * `file-permissions` when its credentials file cannot be used.
 */
export async function kmsClient({ region, credentialsFile, ...place }: KmsRegion): Promise<KMS> {
  const transport = kmsTransport({ region, ...place });
  const { endpoint, agents } = transport;
  const config: KMSClientConfig = {
    region,
    maxAttempts: 1,
    requestHandler: { ...KMS_TIMEOUTS, throwOnRequestTimeout: true, ...agents },
  };
  if (endpoint !== undefined) config.endpoint = endpoint;
  if (credentialsFile !== undefined) config.credentials = await readCredentials(credentialsFile);
  const client = new KMS(config);
  if (endpoint !== undefined) sayOnWhoseBehalf(client);
  if (transport.plainHttp === "never") refusePlainHttp(client);
  return keysAsBytes(client);
}

/**
 * Clients, one for each place and whoever calls there: a KMS moves a wrap from key to key inside itself only where one
 * client speaks for both keys.
 */
export class KmsClients {
  readonly #made = new Map<string, Promise<KMS>>();

  /** The place's client. Throws what {@link kmsClient} does. */
  of(place: KmsRegion): Promise<KMS> {
    const { region, endpoint, socket, tlsFingerprint, caFile, allowUnauthenticated, credentialsFile } = place;
    const all = [region, endpoint, socket, tlsFingerprint, caFile, allowUnauthenticated, credentialsFile];
    const key = JSON.stringify(all.map((each) => each ?? null));
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = kmsClient(place);
    this.#made.set(key, made);
    return made;
  }
}

/**
 * Has each call say which token and which request it is for, so that the audit of the KMS joins with the service's log.
 * Added before the request is signed, so that it is under the signature. AWS's own KMS would not record it.
 */
function sayOnWhoseBehalf(client: KMS): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const caller = currentCaller();
      if (caller !== null) {
        const { headers } = args.request as { readonly headers: Record<string, string> };
        headers["x-strongroom-session"] = `token/${caller.tokenId}`;
        headers["x-strongroom-request-id"] = caller.requestId;
      }
      return next(args);
    },
    { step: "build", name: "strongroomCaller" },
  );
}

/** The AWS SDK takes endpoints from places that no setting of ours shows, such as ~/.aws/config. */
function refusePlainHttp(client: KMS): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const { protocol } = args.request as { readonly protocol?: string };
      if (protocol !== "https:") throw new CliError("kms-unauthenticated");
      return next(args);
    },
    { step: "finalizeRequest", priority: "high", name: "strongroomNoPlainHttp" },
  );
}

async function readCredentials(path: string): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  try {
    return credentialsSchema.parse(JSON.parse(readAuthority(path, "secret")));
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    if (systemErrorCode(cause) !== null)
      throw new CliError("input-unreadable", { detail: `${path}: ${systemReason(cause)}.`, cause });
    // Neither the file's text nor a parser's message about it is kept: it holds a secret.
    throw new CliError("input-unreadable", {
      detail: `${path} does not hold KMS credentials.`,
      remedy:
        "Name the service-credentials.json that strongroom kms serve made: " +
        '{ "accessKeyId": …, "secretAccessKey": … }.',
    });
  }
}

/** A region, the key that wraps there, and the client that reaches it. */
export interface InstalledRegion {
  readonly region: string;
  readonly keyArn: string;
  readonly client: KMS;
}

/** Makes the keyring. Throws `config-invalid` with what the keyring says. */
export function installedKeyring(config: Config, regions: readonly InstalledRegion[]): MultiRegionKeyring {
  const { attemptTimeoutMs, deadlineMs, stragglerMinMs, proveWraps } = config.keys;
  try {
    return multiRegionKeyring({
      regions,
      ...wrapPolicy(config, regions.length),
      ...(attemptTimeoutMs === undefined ? {} : { attemptTimeoutMs }),
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      ...(stragglerMinMs === undefined ? {} : { stragglerMinMs }),
      ...(proveWraps === undefined ? {} : { proveWraps }),
    });
  } catch (cause) {
    if (isEnvelopeError(cause)) throw new CliError("config-invalid", { detail: `keys: ${cause.message}`, cause });
    throw cause;
  }
}
