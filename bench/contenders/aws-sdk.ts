// The AWS Encryption SDK for JavaScript with its unsigned committing suite, materials cached, frames as the row says.

import { inBytes, type Contender } from "../harness/contender.ts";
import { roundTripWork, sealingWork } from "../harness/flow.ts";
import { flow, opening, sealing, type AwsUse } from "../peers/aws-sdk-works.ts";

const use: AwsUse = { suite: "committing", frames: "as-the-row-says" };

const contender: Contender = {
  title: "AWS Encryption SDK",
  packageName: "@aws-crypto/client-node",
  works: {
    "encrypt-1k": sealing(use),
    "decrypt-1k": opening(use, "different"),
    "hot-decrypt-1k": opening(use, "the-same"),
    "packed-1k": sealing(use),
    "encrypt-64k": inBytes(sealing(use)),
    "decrypt-64k": inBytes(opening(use, "different")),
    "encrypt-2m": inBytes(sealing(use)),
    "decrypt-2m": inBytes(opening(use, "different")),
    "stream-1g": (task) => sealingWork(task, flow(task, use)),
    "stream-round-trip-1g": (task) => roundTripWork(task, flow(task, use)),
  },
};
export default contender;
