/**
 * The thread that writes: everything here runs beside the process' other work, which a durable commit would stop.
 */
import { parentPort, receiveMessageOnPort } from "node:worker_threads";
import { WriterHost } from "./writer-host.ts";
import type { ToWriter } from "./writer-host.ts";

const port = parentPort;
if (port !== null) {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const host = new WriterHost(
    (message) => {
      port.postMessage(message);
    },
    {
      takeMore: () => {
        for (let found = receiveMessageOnPort(port); found !== undefined; found = receiveMessageOnPort(port))
          host.take(found.message as ToWriter);
      },
      sleep: (ms) => {
        Atomics.wait(sleeper, 0, 0, ms);
      },
    },
  );
  port.on("message", (message: ToWriter) => {
    host.take(message);
  });
}
