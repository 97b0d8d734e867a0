// @strongroom/envelope with a large message on the calling thread alone: what its worker threads are measured against.

import type { Contender } from "../harness/contender.ts";
import { inParallel } from "../peers/strongroom-works.ts";

const contender: Contender = {
  title: "Strongroom, one thread",
  works: {
    "encrypt-256m": inParallel("encrypt", "calling-thread"),
    "decrypt-256m": inParallel("decrypt", "calling-thread"),
  },
};
export default contender;
