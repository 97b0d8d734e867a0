// What has become of a wrapping key, in the words of its KMS. That a key is gone is proven by AWS alone: of a KMS that
// is somebody's own there may be a backup, and the root key of it, so that it is the word of whoever keeps them.
import type { KMS } from "@aws-sdk/client-kms";
import type { DescribeWrappingKey } from "@strongroom/vault";

/** How a key's KMS is reached. */
export interface AskedKms {
  readonly client: Pick<KMS, "describeKey">;
  /** Whether it is AWS's own, and no other at an endpoint of somebody's choice. */
  readonly isAws: boolean;
}

type Told = Awaited<ReturnType<DescribeWrappingKey>>;

/** States of KMS keys in which they open nothing, for now. */
const DISABLED: ReadonlySet<string> = new Set(["Disabled", "PendingImport", "Creating", "Updating"]);

/** @param clientOf null: nobody knows how the key's provider is asked */
export function describeBy(clientOf: (key: string) => Promise<AskedKms | null>): DescribeWrappingKey {
  return async (key) => {
    const kms = await clientOf(key);
    return kms === null ? UNKNOWN : told(kms, key);
  };
}

const UNKNOWN: Told = { state: "unknown", deletionAt: null };

async function told({ client, isAws }: AskedKms, key: string): Promise<Told> {
  try {
    const { KeyMetadata } = await client.describeKey({ KeyId: key });
    // An answer about another key says nothing of this one.
    if (KeyMetadata?.Arn !== key) return UNKNOWN;
    const { KeyState: state = "", DeletionDate } = KeyMetadata;
    if (state === "Enabled") return { state: "in-use", deletionAt: null };
    // Of a multi-Region primary there is no day yet: it waits for its replicas.
    if (state === "PendingDeletion" || state === "PendingReplicaDeletion")
      return { state: "pending-deletion", deletionAt: DeletionDate?.toISOString() ?? null };
    return DISABLED.has(state) ? { state: "disabled", deletionAt: null } : UNKNOWN;
  } catch (error) {
    // Anything else, such as that it may not be asked or does not answer, says nothing.
    if (!(error instanceof Error) || error.name !== "NotFoundException") return UNKNOWN;
    return { state: isAws ? "gone-proven" : "gone-attested", deletionAt: null };
  }
}
