// Prints the figures of this KMS, and of moto's server beside it if it is there (STRONGROOM_MOTO_SERVER names its
// `moto_server`; it comes with `pip install 'moto[server]'`). Servers take turns, one at a time.
//
//   npm run speed -w packages/kms [SECONDS] [CONNECTIONS] [ROUNDS]

import { CLIENTS, OPERATIONS, measure } from "./measure.ts";
import type { Figure } from "./measure.ts";
import { motoProgram, startMoto, startOurs } from "./servers.ts";

const [seconds = 3, connections = 32, rounds = 1] = process.argv.slice(2).map(Number);
const moto = motoProgram();
const starts = [startOurs, ...(moto === null ? [] : [() => startMoto(moto)])];

const best = new Map<string, Figure>();
for (let round = 0; round < rounds; round++) {
  for (const start of starts) {
    const server = await start();
    const idle = server.memory();
    const figures = await measure(server, { seconds, connections });
    console.log(
      `${server.name}: started in ${server.startMs.toFixed(0)} ms, ${idle.toFixed(0)} MiB idle, ${server.memory().toFixed(0)} MiB after`,
    );
    for (const client of CLIENTS) {
      for (const operation of OPERATIONS) {
        const { perSecond, p50, p99, calls, cpuPerCall } = figures[client][operation];
        console.log(
          `  ${client.padEnd(4)} ${operation.padEnd(16)} ${perSecond.toFixed(0).padStart(6)}/s  p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms  ${cpuPerCall.toFixed(0)} µs of processor time a call  (${calls} calls)`,
        );
        const name = `${server.name} ${client} ${operation}`;
        if (perSecond > (best.get(name)?.perSecond ?? 0)) best.set(name, figures[client][operation]);
      }
    }
    await server.end();
  }
}
if (moto !== null) {
  for (const client of CLIENTS) {
    for (const operation of OPERATIONS) {
      const [ours, theirs] = [best.get(`strongroom ${client} ${operation}`), best.get(`moto ${client} ${operation}`)];
      if (ours === undefined || theirs === undefined) continue;
      console.log(
        `${client} ${operation}: ${(ours.perSecond / theirs.perSecond).toFixed(1)} times moto's calls per second, ${(theirs.cpuPerCall / ours.cpuPerCall).toFixed(1)} times per processor second`,
      );
    }
  }
}
