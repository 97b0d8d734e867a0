// Since when a wrapping key has the material that new wraps are made under. The KMS alone knows that, by the key's
// creation and its rotations; when something was wrapped says nothing of it.
import type { KMS } from "@aws-sdk/client-kms";

/** Days for which a key's material is used, where the configuration says nothing. */
export const CRYPTOPERIOD_DAYS = 365;

export const DAY_MS: number = 24 * 3600 * 1000;

/** Rotations of a page, and pages that are read: a key has at most 25 on demand, and one a year besides. */
const PAGE = 1000;
const MOST_PAGES = 10;

/** Since when a key has the material that it wraps under now. */
export interface MaterialAge {
  readonly since: Date;
  /** Whether rotations could not be seen: the material may be younger. */
  readonly isAtMost: boolean;
}

/** Asks the KMS. @throws what DescribeKey throws */
export async function materialAge(
  client: Pick<KMS, "describeKey" | "listKeyRotations">,
  keyArn: string,
  abortSignal: AbortSignal,
): Promise<MaterialAge> {
  const { KeyMetadata } = await client.describeKey({ KeyId: keyArn }, { abortSignal });
  const made = KeyMetadata?.CreationDate;
  if (made === undefined) throw new Error("DescribeKey told no CreationDate");
  let since = made;
  let marker: string | undefined;
  try {
    for (let page = 1; page <= MOST_PAGES; page++) {
      const request = { KeyId: keyArn, Limit: PAGE, ...(marker === undefined ? {} : { Marker: marker }) };
      const { Rotations = [], NextMarker } = await client.listKeyRotations(request, { abortSignal });
      for (const { RotationDate } of Rotations)
        if (RotationDate !== undefined && RotationDate > since) since = RotationDate;
      if (NextMarker === undefined) return { since, isAtMost: false };
      marker = NextMarker;
    }
  } catch {
    // A key that cannot rotate by itself has none to tell, and whoever may not list them sees the creation alone.
  }
  return { since, isAtMost: true };
}
