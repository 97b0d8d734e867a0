/**
 * For whom a request is and where it comes from: the fields Host, Origin and Sec-Fetch-Site. Threats: a web page whose
 * name was made to resolve to this machine (DNS rebinding) reads what needs no token; a proxy and the service that
 * understand a repeated field differently.
 */
import type { FastifyRequest } from "fastify";
import { ServerError } from "../errors.ts";

/** Fields of which a request has one at most (RFC 9110, section 5.3). Node would take the first, or join them. */
const SINGLE_FIELDS: ReadonlySet<string> = new Set([
  "authorization",
  "content-length",
  "content-type",
  "host",
  "if-modified-since",
  "if-unmodified-since",
  "origin",
  "sec-fetch-site",
  "strongroom-about",
  "strongroom-export",
  "strongroom-purpose",
  "strongroom-repoint",
  "strongroom-subject",
  "strongroom-tenant",
  "strongroom-ticket",
  "transfer-encoding",
]);

/** @throws ServerError `request-malformed` */
export function requireSingleFields({ raw: { rawHeaders } }: Pick<FastifyRequest, "raw">): void {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    if (!SINGLE_FIELDS.has(name)) continue;
    if (seen.has(name)) throw new ServerError("request-malformed", `The header ${name} stands there more than once`);
    seen.add(name);
  }
}

/** A name or an address, and perhaps a port (RFC 9110, section 7.2); an address of IPv6 in brackets. */
const HOST = /^(?<name>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])\.?(?::\d{1,5})?$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Where a service listens that listens everywhere: no address of its own. */
const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::", "[::]"]);

/** The hosts that the service is, beside this machine's own names and the address that a connection came to. */
export class KnownHosts {
  readonly #names: ReadonlySet<string>;

  /** Names or addresses as in a Host field, without a port. */
  constructor(names: readonly string[]) {
    const known = names.filter((name) => !WILDCARDS.has(name));
    this.#names = new Set(known.map((name) => configuredName(name) ?? name));
  }

  /** @throws ServerError `request-malformed`, `host-not-allowed`, `origin-not-allowed` */
  require({ headers, raw, socket }: Pick<FastifyRequest, "headers" | "raw" | "socket">): void {
    const { host } = headers;
    // Before HTTP/1.1 there was none; every browser sends one.
    if (host !== undefined || raw.httpVersion !== "1.0") {
      this.#requireKnown(hostName(host ?? ""), socket.localAddress);
    }
    // A target may name a host itself, as if for a proxy, and then that one counts (RFC 9112, section 3.2.2).
    const target = /^[a-z]+:\/\/(?<host>[^/?]*)/i.exec(raw.url ?? "")?.groups?.["host"];
    if (target !== undefined) this.#requireKnown(hostName(target), socket.localAddress);
    const { origin, "sec-fetch-site": site = "same-origin" } = headers;
    if (this.#isForeign(origin, host) || (site !== "same-origin" && !isTyped(headers)))
      throw new ServerError("origin-not-allowed", "The request was made by a page of another site");
  }

  #requireKnown(name: string | null, address: string | undefined): void {
    if (name === null) throw new ServerError("request-malformed", "The host of the request is not a name and a port");
    if (!LOOPBACK.test(name) && !this.#names.has(name) && name !== ownAddress(address))
      throw new ServerError("host-not-allowed", "The request names a host that this service is not configured as");
  }

  /** A page of this very host, or of one that the service is configured as behind a proxy, may call it. */
  #isForeign(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined) return false;
    const from = /^https?:\/\/(?<host>[^/]+)$/.exec(origin.toLowerCase())?.groups?.["host"];
    if (from === undefined) return true;
    return from !== host?.toLowerCase() && !this.#names.has(hostName(from) ?? "");
  }
}

/** A person typed the address or followed a link: no page can read the answer (Fetch Metadata, section 2). */
function isTyped({ "sec-fetch-site": site, ...headers }: FastifyRequest["headers"]): boolean {
  return site === "none" || (headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document");
}

/** Whether a Host field can have this name or address, given without a port: any other would never be met. */
export function isHostName(name: string): boolean {
  return configuredName(name) !== null;
}

/** As a Host field would have it: an address of IPv6 in brackets and without its zone. */
function configuredName(name: string): string | null {
  return hostName(name.includes(":") ? `[${bare(name).replace(/%.*$/, "")}]` : name);
}

function hostName(host: string): string | null {
  const name = HOST.exec(host.toLowerCase())?.groups?.["name"] ?? null;
  // An address of IPv6 is written in many ways, and in one by a URL.
  return name?.startsWith("[") === true ? (URL.parse(`http://${name}`)?.hostname ?? null) : name;
}

/** As a Host field would have it. */
function ownAddress(address: string | undefined): string | null {
  if (address === undefined) return null;
  const plain = address.replace(/^::ffff:(?=\d+\.)/, "").replace(/%.*$/, "");
  return plain.includes(":") ? `[${plain}]` : plain;
}

function bare(address: string): string {
  return address.replace(/^\[|\]$/g, "");
}
