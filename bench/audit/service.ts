// A thread that serves a vault over HTTP until it is told to close.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { parentPort, workerData } from "node:worker_threads";

import { createServer, type TokenIdentity } from "@strongroom/server";

import { idOf, COLLECTION } from "../stores/documents.ts";
import { storeOpener, type Place } from "../stores/places.ts";
import { openOf, warm, type Audited } from "./contenders.ts";

/** Where it is served, and to whom. */
export interface ServedAt {
  readonly port: number;
  readonly token: string;
}

interface Order {
  readonly place: Place;
  readonly audited: Audited;
}

/** Of a thing that is measured: nothing of it is refused because much of it waits. */
const PATIENT = { waiting: 1_024, waitMs: 30_000, answerMs: 60_000 };

const port = parentPort;
if (port === null) throw new Error("the service is a thread of the bench");
const { place, audited } = workerData as Order;
const store = await (await storeOpener(place))();
const vault = await openOf({ store, place }, audited);
await warm({ store }, async (number) => {
  await vault.get({ collection: COLLECTION, id: idOf(number) });
});
const token = randomUUID();
const identity: TokenIdentity = { id: "bench", name: "bench", scopes: ["read"] };
const server = await createServer({
  vault,
  tokens: { verify: async (given) => (given === token ? identity : null) },
  regions: { minimum: 0, health: () => [] },
  limits: PATIENT,
});
const url = await server.listen({ host: "127.0.0.1", port: 0 });
const closed = once(port, "message");
port.postMessage({ port: Number(new URL(url).port), token } satisfies ServedAt);
await closed;
await server.close();
await vault.close();
port.close();
