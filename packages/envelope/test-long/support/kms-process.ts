/**
 * A KMS of three regions in a process of its own, so that its work is not measured as the keyring's. Tells its parent
 * where it listens, and ends with it.
 */
import { createKms } from "@strongroom/kms";

const regions = ["eu-west-1", "eu-west-2", "eu-central-1"].map((name) => ({ name, port: 0 }));
const kms = await createKms({ regions, allowFaults: "loopback" });
process.once("disconnect", () => {
  void kms.close();
});
process.send?.({
  endpoints: kms.endpoints,
  faultsEndpoint: kms.faultsEndpoint,
  faultsHeaderFile: kms.faultsHeaderFile,
  credentials: kms.credentials,
});
