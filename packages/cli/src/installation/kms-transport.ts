// How a KMS is reached so that nothing else can take its place: over a Unix socket in a folder that is ours alone, or
// over TLS, with a certificate that is pinned, of a named authority, or of a public one. Threat: who takes the port of
// a KMS over plain HTTP is sent data keys in plaintext, and what it answers is stored as wraps that nothing opens.
import { X509Certificate } from "node:crypto";
import type { Agent as HttpAgent } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import { TLSSocket } from "node:tls";
import { systemReason } from "@strongroom/base/files";
import { parseFingerprint, PINNED_TLS_OPTIONS, requireFingerprint } from "@strongroom/base/tls-pin";
import { wipingAgents } from "@strongroom/envelope/aws-sdk";
import { readAuthority } from "../authority.ts";
import { CliError } from "../errors.ts";

/** Where a KMS is, and how it is known. */
export interface KmsPlace {
  readonly region: string;
  /** Absent: AWS's own. */
  readonly endpoint?: string | undefined;
  /** Its Unix socket, in a folder that is ours alone. Goes before the endpoint. */
  readonly socket?: string | undefined;
  /** SHA-256 of the one certificate that the endpoint may have. */
  readonly tlsFingerprint?: string | undefined;
  /** PEM file of the authorities that may have signed the endpoint's certificate; absent: the public ones. */
  readonly caFile?: string | undefined;
  /** Whether plain HTTP is allowed, which authenticates nobody. */
  readonly allowUnauthenticated?: boolean | undefined;
}

/** What a client is made with. */
export interface KmsTransport {
  /** Absent: AWS's own. */
  readonly endpoint: string | undefined;
  readonly agents: { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent };
  /** Whether requests may leave over plain HTTP: to the socket, or because that is allowed. */
  readonly plainHttp: "never" | "allowed";
}

/** The host that requests over a socket name, for the signature. */
const SOCKET_ENDPOINT = "http://localhost";

/**
 * The way to a KMS.
 * @throws CliError `kms-unauthenticated` for plain HTTP that is not allowed; `input-unreadable` and `file-permissions`
 *   for the CA's file.
 */
export function kmsTransport(place: KmsPlace): KmsTransport {
  const { socket, endpoint, tlsFingerprint, caFile } = place;
  if (socket !== undefined) return { endpoint: SOCKET_ENDPOINT, agents: socketAgents(socket), plainHttp: "allowed" };
  requireAuthenticated([place]);
  const plainHttp = place.allowUnauthenticated === true ? "allowed" : "never";
  if (tlsFingerprint !== undefined) return { endpoint, agents: pinnedAgents(tlsFingerprint), plainHttp: "never" };
  const authorities = caFile === undefined ? {} : { ca: readAuthorities(caFile) };
  // Said, because a variable of the environment turns it off (NODE_TLS_REJECT_UNAUTHORIZED).
  return { endpoint, agents: wipingAgents({ rejectUnauthorized: true, ...authorities }), plainHttp };
}

/** @throws CliError `kms-unauthenticated`, naming every region that would be reached over plain HTTP. */
export function requireAuthenticated(places: readonly KmsPlace[]): void {
  const problems = places.flatMap(({ region, socket, endpoint, allowUnauthenticated }) => {
    const address = endpoint ?? endpointOfEnvironment();
    if (socket !== undefined || allowUnauthenticated === true || !isPlainHttp(address)) return [];
    return [`${region}: ${address ?? ""}${endpoint === undefined ? " (from AWS_ENDPOINT_URL)" : ""}`];
  });
  if (problems.length > 0) throw new CliError("kms-unauthenticated", { problems });
}

/** Regions that are reached over plain HTTP, because that is allowed. */
export function openRegions(places: readonly KmsPlace[]): readonly string[] {
  return places
    .filter(({ socket, endpoint }) => socket === undefined && isPlainHttp(endpoint ?? endpointOfEnvironment()))
    .map(({ region }) => region);
}

const isPlainHttp = (address: string | undefined): boolean => /^http:/i.test(address ?? "");

/** Where the SDK goes instead of to AWS. Its configuration file can say so too: keyring.ts looks at each request. */
function endpointOfEnvironment(): string | undefined {
  if (process.env["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.toLowerCase() === "true") return undefined;
  return process.env["AWS_ENDPOINT_URL_KMS"] ?? process.env["AWS_ENDPOINT_URL"];
}

/** Agents whose connections all go to a socket. Node takes the path of a socket with each connection only. */
function socketAgents(path: string): KmsTransport["agents"] {
  const agents = wipingAgents();
  const { httpAgent } = agents;
  const connect = httpAgent.createConnection.bind(httpAgent);
  httpAgent.createConnection = (options, connected) => connect({ ...options, path }, connected);
  return agents;
}

/** Agents whose connections go to the server with this certificate and to no other. */
function pinnedAgents(tlsFingerprint: string): KmsTransport["agents"] {
  const fingerprint = parseFingerprint(tlsFingerprint);
  if (fingerprint === null) throw new CliError("config-invalid", { detail: "a tlsFingerprint is no SHA-256." });
  const agents = wipingAgents({ ...PINNED_TLS_OPTIONS });
  const { httpsAgent } = agents;
  const connect = httpsAgent.createConnection.bind(httpsAgent);
  httpsAgent.createConnection = (options, connected) => {
    const connection = connect(options, connected);
    // A connection that cannot be looked at is none.
    if (!(connection instanceof TLSSocket)) throw new TypeError("a pinned connection must be one of TLS");
    requireFingerprint(connection, fingerprint);
    return connection;
  };
  return agents;
}

/** Whoever may write the file says who the KMS is. */
function readAuthorities(path: string): string {
  const text = readable(path, () => readAuthority(path, "public"));
  // Node takes an empty file for no file, and then believes every public authority.
  readable(path, () => new X509Certificate(text), "has no certificate in it that can be read");
  return text;
}

function readable<T>(path: string, read: () => T, why?: string): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("input-unreadable", {
      detail: `${path}, the file of a KMS's authorities, ${why ?? `cannot be read: ${systemReason(cause)}`}.`,
      cause,
    });
  }
}
