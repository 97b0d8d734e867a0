// The regions that the doctor looks at, and how each is reached: as the service reaches it.
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import { readRunning } from "../data-folder.ts";
import type { KmsRegion } from "../installation/keyring.ts";
import { kmsTransport } from "../installation/kms-transport.ts";
import { keyOf } from "../installation/key-sets.ts";
import {
  type InstallationKeys,
  NO_KEYS,
  type KeyPurpose,
  readInstallationKeys,
} from "../installation/installed-keys.ts";
import type { CheckSubject } from "./check.ts";

/** A region, with the credentials that the service signs with. */
export interface KnownRegion extends KmsRegion {
  readonly keyArn: string | null;
  /** Of the key that wraps the keys of people; null: there is none of its own, or it is not known yet. */
  readonly keyStoreKeyArn: string | null;
}

/** The regions of `serve` if they are configured, else those of the local KMS where it listens now, or would. */
export async function knownRegions({ loaded: { config }, folder }: CheckSubject): Promise<readonly KnownRegion[]> {
  const keys = await readInstallationKeys(folder.keys).catch((): InstallationKeys => NO_KEYS);
  const { regions, allowUnauthenticatedKms: allowUnauthenticated } = config.keys;
  if (regions !== undefined)
    return regions.map((region) => ({
      ...region,
      allowUnauthenticated,
      keyArn: keyOf(region, "records", keys) ?? null,
      keyStoreKeyArn: keyOf(region, "keyStore", keys) ?? null,
    }));
  const running = foundRunning(folder.running);
  const pinned = running?.kmsTlsFingerprint ?? null;
  return config.kms.regions.map(({ name, port }) => ({
    region: name,
    endpoint: running?.kms[name] ?? `http://127.0.0.1:${port}`,
    socket: running?.kmsSockets[name],
    ...(pinned !== null && { tlsFingerprint: pinned }),
    // Without `up`, as with `kms serve` alone, there is its port; the doctor sends no secret.
    allowUnauthenticated: pinned === null,
    credentialsFile: folder.kmsServiceCredentials,
    keyArn: keys.records[name] ?? null,
    keyStoreKeyArn: keys.keyStore[name] ?? null,
  }));
}

/** The keys of a region that are known, by what they wrap. */
export function keysOf({ keyArn, keyStoreKeyArn }: KnownRegion): readonly (readonly [KeyPurpose, string])[] {
  const keys: [KeyPurpose, string | null][] = [
    ["records", keyArn],
    ["keyStore", keyStoreKeyArn],
  ];
  return keys.flatMap(([purpose, arn]) => (arn === null ? [] : [[purpose, arn] as const]));
}

function foundRunning(path: string): ReturnType<typeof readRunning> {
  try {
    return readRunning(path);
  } catch {
    // What is wrong with the file is said by the check of the service.
    return null;
  }
}

/** The address of a region, for people. */
export const addressOf = ({ region, socket, endpoint }: KnownRegion): string =>
  socket ?? endpoint ?? `https://kms.${region}.amazonaws.com`;

/** The headers of a region's answer to anything. Throws what the connection throws. */
export async function answerHeaders(region: KnownRegion, signal: AbortSignal): Promise<IncomingHttpHeaders> {
  const { endpoint = addressOf(region), agents } = kmsTransport(region);
  return new Promise((resolve, reject) => {
    const [request, agent] = endpoint.startsWith("https:")
      ? [httpsRequest, agents.httpsAgent]
      : [httpRequest, agents.httpAgent];
    const call = request(endpoint, { agent, signal }, (answer) => {
      resolve(answer.headers);
      answer.destroy();
    });
    call.once("error", reject).end();
  });
}
