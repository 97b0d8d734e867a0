/**
 * E-mail addresses. Letters of either case are one address, and so are the spellings of one domain. Nothing that only
 * some providers do is done to the part before the `@`: where dots or `+tags` tell two people apart, they are two.
 */
import { domainToASCII } from "node:url";
import { normaliserOf } from "./normaliser.ts";
import type { Normaliser } from "./normaliser.ts";

/** RFC 5321, 4.5.3.1.1. */
const MAX_LOCAL = 64;
/** Atoms and dots (RFC 5322, 3.2.3), of any script (RFC 6531). Quoted ones are found as they are written. */
const LOCAL = /^[^\s\p{C}"(),:;<>@[\\\]]+$/u;
/** What the parser of hosts would decode, drop or end at: two spellings that are no spellings of one domain. */
const DOMAIN = /^[^\s\p{Cc}%/\\?#@:[\]<>^|"]+$/u;
const NUMERIC_TOP = /(?:^|\.)\d+$/;

/**
 * The normaliser of e-mail addresses.
 *
 * @example
 * ```ts
 * import { email } from "@strongroom/vault/normalisers";
 *
 * console.log(email().normalise("Ada@Example.COM") === email().normalise("ada@example.com")); // prints: true
 * console.log(email().normalise("ada+news@example.com") === email().normalise("ada@example.com")); // prints: false
 * ```
 */
export function email(): Normaliser {
  return normaliserOf({ kind: "email", version: 1, form });
}

function form(text: string): string | null {
  const address = text.normalize("NFKC").trim();
  const at = address.lastIndexOf("@");
  const [local, domain] = [address.slice(0, Math.max(at, 0)), address.slice(at + 1)];
  if (local.length > MAX_LOCAL || !LOCAL.test(local) || !DOMAIN.test(domain)) return null;
  const host = domainToASCII(domain);
  // The parser takes 127.1 for an address of a machine: another name for the same one, and no domain.
  if (host === "" || host.endsWith(".") || NUMERIC_TOP.test(host)) return null;
  return `${local.toLowerCase().normalize("NFC")}@${host}`;
}
