// The AWS Encryption SDK for JavaScript as in aws-sdk.ts, but with the frames of 4,096 bytes that it takes when nobody
// says otherwise.

import { inBytes, type Contender } from "../harness/contender.ts";
import { sealingWork } from "../harness/flow.ts";
import { flow, opening, sealing, type AwsUse } from "../peers/aws-sdk-works.ts";

const use: AwsUse = { suite: "committing", frames: "default" };

const contender: Contender = {
  title: "AWS Encryption SDK, default frames",
  packageName: "@aws-crypto/client-node",
  works: {
    "encrypt-2m": inBytes(sealing(use)),
    "decrypt-2m": inBytes(opening(use, "different")),
    "stream-1g": (task) => sealingWork(task, flow(task, use)),
  },
};
export default contender;
