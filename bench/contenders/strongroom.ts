// @strongroom/envelope as it is meant to be used.

import { inBytes, type Contender } from "../harness/contender.ts";
import { roundTripWork, sealingWork } from "../harness/flow.ts";
import { flow, inParallel, opening, packing, sealing } from "../peers/strongroom-works.ts";

const contender: Contender = {
  title: "Strongroom",
  works: {
    "encrypt-1k": sealing("committing"),
    "decrypt-1k": opening("committing", "different"),
    "hot-decrypt-1k": opening("committing", "the-same", "hot-messages"),
    "packed-1k": packing("committing"),
    "signed-encrypt-1k": sealing("signed"),
    "signed-decrypt-1k": opening("signed", "different"),
    "encrypt-64k": inBytes(sealing("committing")),
    "decrypt-64k": inBytes(opening("committing", "different")),
    "encrypt-2m": inBytes(sealing("committing")),
    "decrypt-2m": inBytes(opening("committing", "different")),
    "encrypt-256m": inParallel("encrypt", "two-workers"),
    "decrypt-256m": inParallel("decrypt", "two-workers"),
    "stream-1g": (task) => sealingWork(task, flow(task)),
    "stream-round-trip-1g": (task) => roundTripWork(task, flow(task)),
  },
};
export default contender;
