// A call as it goes over the wire: signed by hand, answered as status and JSON. Shows what an SDK would hide.

import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";

/** node:crypto in the shape that the signer takes. */
export class Sha256 {
  readonly #hash;
  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret as string);
  }
  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {
    throw new Error("used once");
  }
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface WireAnswer {
  readonly status: number;
  readonly text: string;
  readonly json: Record<string, unknown>;
  readonly headers: Headers;
}

export interface SignedCall {
  readonly endpoint: string;
  readonly credentials: Credentials;
  readonly region: string;
  readonly operation: string;
  /** An object, or the exact text of the body. */
  readonly body: object | string;
  readonly service?: string;
  readonly signingDate?: Date;
  readonly headers?: Record<string, string>;
}

/** The headers of a signed call. */
export async function signedHeaders(call: SignedCall, body: string): Promise<Record<string, string>> {
  const url = new URL(call.endpoint);
  const signer = new SignatureV4({
    credentials: call.credentials,
    region: call.region,
    service: call.service ?? "kms",
    sha256: Sha256,
    applyChecksum: false,
  });
  const headers = {
    host: url.host,
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": `TrentService.${call.operation}`,
    ...call.headers,
  };
  const request = {
    method: "POST",
    protocol: "http:",
    hostname: url.hostname,
    port: Number(url.port),
    path: "/",
    headers,
    body,
  };
  return (await signer.sign(request, { signingDate: call.signingDate ?? new Date() })).headers;
}

/** Sends a call. */
export async function signedCall(call: SignedCall): Promise<WireAnswer> {
  const body = typeof call.body === "string" ? call.body : JSON.stringify(call.body);
  return send(call.endpoint, await signedHeaders(call, body), body);
}

/** Sends a request as it is. */
export async function send(endpoint: string, headers: Record<string, string>, body: string): Promise<WireAnswer> {
  // The host is fetch's own to set.
  const rest = Object.entries(headers).filter(([name]) => name !== "host");
  const response = await fetch(endpoint, { method: "POST", headers: rest, body });
  const text = await response.text();
  return { status: response.status, text, json: parse(text), headers: response.headers };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
