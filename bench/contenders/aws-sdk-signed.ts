// The AWS Encryption SDK for JavaScript with the suite it takes by default, which signs every message; materials
// cached.

import type { Contender } from "../harness/contender.ts";
import { opening, sealing, type AwsUse } from "../peers/aws-sdk-works.ts";

const use: AwsUse = { suite: "signed", frames: "as-the-row-says" };

const contender: Contender = {
  title: "AWS Encryption SDK, default suite (signed)",
  packageName: "@aws-crypto/client-node",
  works: {
    "encrypt-1k": sealing(use),
    "decrypt-1k": opening(use, "different"),
    "signed-encrypt-1k": sealing(use),
    "signed-decrypt-1k": opening(use, "different"),
  },
};
export default contender;
