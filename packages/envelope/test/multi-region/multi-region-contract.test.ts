import { randomBytes } from "node:crypto";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { keyringContract } from "../keyring-contract.ts";
import { InMemoryKms } from "../support/in-memory-kms.ts";

keyringContract({
  name: "multi-region",
  setup: () => {
    const keyId = randomBytes(8).toString("hex");
    const [kms, imposter] = [new InMemoryKms("eu-west-1", keyId), new InMemoryKms("eu-west-1", keyId)];
    const keyring = multiRegionKeyring({ regions: [kms.asRegion], minimum: 1 });
    return {
      writer: keyring,
      reader: multiRegionKeyring({ regions: [kms.asRegion], minimum: 1 }),
      stranger: multiRegionKeyring({ regions: [imposter.asRegion], minimum: 1 }),
    };
  },
});
