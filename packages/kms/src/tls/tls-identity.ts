// What the server proves itself with over TLS: a certificate of its own, made at first start and kept, so that clients
// can pin it; or one that the operator has.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { createFileSync, isAbsent, systemErrorCode } from "@strongroom/base/files";
import { KmsError } from "../errors.ts";
import type { TlsIdentity } from "../http/region-server.ts";
import { LOOPBACK } from "../http/loopback.ts";
import { readSecretFile } from "../secret-file.ts";
import { selfSigned } from "./self-signed.ts";

/** Where the certificate comes from. */
export type TlsSource =
  /** Made at first start, in the data directory. */
  | { readonly kind: "own" }
  /** PEM files: the certificate with those that lead to its root, and its private key without a passphrase. */
  | { readonly kind: "files"; readonly certFile: string; readonly keyFile: string };

/** What clients are told of it. */
export interface TlsFacts {
  /** For clients that take a file of certificates to trust (`AWS_CA_BUNDLE`). */
  readonly certificateFile: string;
  /** SHA-256 of the certificate (DER), in hexadecimal with colons, as OpenSSL and Node print it. */
  readonly fingerprint: string;
}

/** Names of the certificate's files in the data directory. */
export const TLS_FILES = { certificate: "tls-certificate.pem", key: "tls-key.pem" } as const;

/**
 * Reads the certificate and its key; the server's own are made at first start.
 * @throws KmsError `tls-unusable`, `file-permissions`.
 */
export function tlsIdentity(source: TlsSource, dataDir: string, host: string): TlsIdentity & TlsFacts {
  const [certFile, keyFile] =
    source.kind === "files"
      ? [source.certFile, source.keyFile]
      : [join(dataDir, TLS_FILES.certificate), join(dataDir, TLS_FILES.key)];
  // A key alone is what a first start left that was cut off; a certificate alone may be pinned already, and is missed.
  if (source.kind === "own" && !existsSync(certFile)) makeOwn(certFile, keyFile, host);
  const cert = read(certFile, (path) => readFileSync(path, "utf8"));
  const key = read(keyFile, (path) => readSecretFile(path).toString("utf8"));
  return { cert, key, certificateFile: certFile, fingerprint: fingerprintOf(cert, key, { certFile, keyFile }) };
}

function makeOwn(certFile: string, keyFile: string, host: string): void {
  // A server that listens on every address is called by its name.
  const named = ["0.0.0.0", "::"].includes(host) ? [] : [host];
  const { certificate, privateKey } = selfSigned([...new Set(["localhost", LOOPBACK, "::1", hostname(), ...named])]);
  rmSync(keyFile, { force: true });
  createFileSync(keyFile, privateKey);
  createFileSync(certFile, certificate);
}

function fingerprintOf(
  cert: string,
  key: string,
  files: { readonly certFile: string; readonly keyFile: string },
): string {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch (cause) {
    throw new KmsError("tls-unusable", `${files.certFile} is no certificate in PEM.`, { cause });
  }
  let fits: boolean;
  try {
    fits = certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    // The parser's own words may quote what it read.
    throw new KmsError("tls-unusable", `${files.keyFile} is no private key in PEM, or has a passphrase.`);
  }
  if (!fits) throw new KmsError("tls-unusable", `${files.keyFile} is not the key of ${files.certFile}.`);
  return certificate.fingerprint256;
}

function read(path: string, reading: (path: string) => string): string {
  try {
    return reading(path);
  } catch (cause) {
    if (cause instanceof KmsError) throw cause;
    const reason = isAbsent(cause) ? "is not there" : `could not be read (${systemErrorCode(cause) ?? "unknown"})`;
    throw new KmsError("tls-unusable", `${path} ${reason}.`, { cause });
  }
}
