// A proxy that signs: clients that cannot sign (test suites written for servers that check no signatures) send it
// plain requests, and it passes them on to a region signed. Run by hand, on loopback only:
//
//   node --conditions=@strongroom/source packages/kms/test-long/signing-proxy.ts [PORT]
//
// starts a KMS for itself, with the region eu-west-2, and the proxy before it (port 4599 by default).

import { createHash, createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { SignatureV4 } from "@smithy/signature-v4";
import { createKms } from "@strongroom/kms";
import type { ClientConfig } from "@strongroom/kms";

class Sha256 {
  readonly #hash: { update(data: Uint8Array): unknown; digest(): Buffer };

  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret as string);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    throw new Error("a hash is used once");
  }
}

/** A server that signs what it gets and passes it on. */
export function signingProxy({ region, endpoint, credentials }: ClientConfig): Server {
  const signer = new SignatureV4({ service: "kms", region, credentials, sha256: Sha256 as never });
  return createServer((request, response) => {
    const forward = async (): Promise<void> => {
      const body = await bodyOf(request);
      const headers = { host: new URL(endpoint).host, "content-type": request.headers["content-type"] ?? "", "x-amz-target": String(request.headers["x-amz-target"] ?? "") };
      const signed = await signer.sign({ method: "POST", protocol: "http:", hostname: "127.0.0.1", path: "/", query: {}, headers, body: new Uint8Array(body) });
      const answer = await fetch(endpoint, { method: "POST", headers: signed.headers, body: new Uint8Array(body) });
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
      response.end(Buffer.from(await answer.arrayBuffer()));
    };
    forward().catch((error: unknown) => {
      response.writeHead(502).end(String(error));
    });
  });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

if (import.meta.main) {
  const kms = await createKms({ regions: [{ name: "eu-west-2", port: 0 }] });
  const proxy = signingProxy(kms.clientConfig());
  proxy.listen(Number(process.argv[2] ?? 4599), "127.0.0.1", () => {
    console.log("UNSIGNED REQUESTS ARE ACCEPTED HERE:", proxy.address(), "for", kms.endpoints);
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      proxy.close();
      proxy.closeAllConnections();
      void kms.close();
    });
  }
}
