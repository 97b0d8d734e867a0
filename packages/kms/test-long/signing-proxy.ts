// A proxy that signs: clients that cannot sign (test suites written for servers that check no signatures) send it
// plain requests, and it passes them on to a region signed. Run by hand, on loopback only:
//
//   node --conditions=@strongroom/source packages/kms/test-long/signing-proxy.ts [PORT]
//
// starts a KMS for itself, with the region eu-west-2, and the proxy before it (port 4599 by default).

import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { createKms } from "@strongroom/kms";
import type { ClientConfig } from "@strongroom/kms";
import { send, signedHeaders } from "../test/signed-call.ts";

/** A server that signs what it gets and passes it on. */
export function signingProxy(config: ClientConfig): Server {
  return createServer((request, response) => {
    const forward = async (): Promise<void> => {
      const body = await textOf(request);
      const headers = {
        "content-type": request.headers["content-type"] ?? "",
        "x-amz-target": String(request.headers["x-amz-target"] ?? ""),
      };
      const answer = await send(
        config.endpoint,
        await signedHeaders({ ...config, operation: "", body, headers }, body),
        body,
      );
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(answer.text);
    };
    forward().catch((error: unknown) => response.writeHead(502).end(String(error)));
  });
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
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
