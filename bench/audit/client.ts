// The records of a vault that is asked over HTTP, on connections that are kept, by this thread; the service is in
// another one.

import { once } from "node:events";
import { Agent, request } from "node:http";
import { Worker } from "node:worker_threads";

import type { Opening, Records } from "../stores/contenders.ts";
import { assertDocument, COLLECTION, idOf } from "../stores/documents.ts";
import type { Audited } from "./contenders.ts";
import type { ServedAt } from "./service.ts";

export async function servedRecords({ store, place }: Opening, audited: Audited): Promise<Records> {
  const worker = new Worker(new URL("service.ts", import.meta.url), { workerData: { place, audited } });
  const failed = once(worker, "error").then(([error]) => {
    throw error;
  });
  const [{ port, token }] = (await Promise.race([once(worker, "message"), failed])) as [ServedAt];
  failed.catch(() => undefined);
  const agent = new Agent({ keepAlive: true });
  const headers = { authorization: `Bearer ${token}` };
  const get = async (number: number): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const path = `/v1/records/${COLLECTION}/${idOf(number)}`;
    const asked = request({ agent, host: "127.0.0.1", port, path, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (more: string) => {
        text += more;
      });
      response.once("error", reject);
      response.once("end", () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`record ${number} was answered with ${response.statusCode}: ${text}`));
      });
    });
    asked.once("error", reject);
    asked.end();
    assertDocument(JSON.parse(await promise) as Readonly<Record<string, unknown>>, number);
  };
  return {
    put: unused,
    putBatch: unused,
    get,
    close: async () => {
      agent.destroy();
      const ended = once(worker, "exit");
      worker.postMessage("close");
      const [code] = (await ended) as [number];
      await store.close();
      if (code !== 0) throw new Error(`the service ended with ${code}`);
    },
  };
}

const unused = (): Promise<void> => Promise.reject(new Error("nothing is written over HTTP here"));
