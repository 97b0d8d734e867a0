/**
 * A server known by its certificate alone: the client has been told the certificate's SHA-256, and takes no other,
 * whoever signed it and whatever name or date it has. For a server whose certificate is its own.
 */
import type { TLSSocket } from "node:tls";

/** Thrown, and given to whoever waits for the connection, when the server has another certificate. */
export class PinnedCertificateError extends Error {
  override readonly name = "PinnedCertificateError";
  readonly code = "certificate-not-pinned";
}

/** The certificate's own chain is not asked: it is its own authority. Sessions are not resumed without it. */
export const PINNED_TLS_OPTIONS: { readonly rejectUnauthorized: false; readonly maxCachedSessions: 0 } = {
  rejectUnauthorized: false,
  maxCachedSessions: 0,
};

/**
 * A SHA-256 fingerprint in one form, upper-case hexadecimal with colons, as Node and OpenSSL print it; null if it is
 * none. Without colons, in lower case and with `sha256:` or `SHA256=` in front it is the same.
 */
export function parseFingerprint(text: string): string | null {
  const digits = text
    .trim()
    .replace(/^sha-?256(?: fingerprint)?[:=]/i, "")
    .replaceAll(":", "")
    .toUpperCase();
  return /^[0-9A-F]{64}$/.test(digits) ? (digits.match(/../g) ?? []).join(":") : null;
}

/**
 * Ends the connection unless the server has this certificate, before anything is sent over it. To be called as soon as
 * the connection is made, so that no other listener hears of a handshake that this one refuses.
 */
export function requireFingerprint(connection: TLSSocket, fingerprint: string): void {
  connection.prependOnceListener("secureConnect", () => {
    if (connection.getPeerX509Certificate()?.fingerprint256 === fingerprint) return;
    connection.destroy(new PinnedCertificateError("the server has another certificate than the one that is pinned"));
  });
}
