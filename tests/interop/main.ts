// `npm run test:interop`: Strongroom and the AWS Encryption SDKs for Python, Java and JavaScript read each other's
// messages. Exit code 1 on any failure; a peer whose toolchain is not there is skipped, and said to be.

import { cellsFor, rawKeys } from "./cells.ts";
import { exchange } from "./exchange.ts";
import { startKms } from "./kms.ts";
import type { Peer } from "./peer.ts";
import { javaPeer } from "./peers/java.ts";
import { javascriptPeer } from "./peers/javascript.ts";
import { pythonPeer } from "./peers/python.ts";
import { strongroomPeer, strongroomStreamsPeer } from "./peers/strongroom.ts";
import { tableOf, type Skipped } from "./table.ts";

const PEERS: Readonly<Record<string, () => Peer | string>> = {
  strongroom: strongroomPeer,
  "strongroom-streams": strongroomStreamsPeer,
  javascript: javascriptPeer,
  python: pythonPeer,
  java: javaPeer,
};

const peers: Peer[] = [];
const skipped: Skipped[] = [];
for (const [id, make] of Object.entries(PEERS)) {
  const made = make();
  if (typeof made === "string") skipped.push({ id, reason: made });
  else peers.push(made);
}

const kms = await startKms();
const outcomes = await exchange(peers, cellsFor([...rawKeys(), ...kms.keys]), (done, of) => {
  process.stderr.write(`${done} of ${of} messages\n`);
});
await Promise.all(peers.map((peer) => peer.close()));
await kms.close();
process.stdout.write(`${tableOf(peers, outcomes, skipped)}\n`);
process.exitCode = outcomes.some(({ kind }) => kind === "failed") ? 1 : 0;
