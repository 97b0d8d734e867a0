/**
 * The part of a client of an object store that a witness calls, as the aggregated class `S3` of @aws-sdk/client-s3 has
 * it. Structural: the caller's client fits without this package depending on the SDK, and so do other clients of the S3
 * API that have these three calls.
 */

/** How each call is told to stop. */
export interface ObjectCallOptions {
  readonly abortSignal?: AbortSignal;
}

/** A new object, which nobody can remove until a day. */
export interface PutObjectInput {
  Bucket: string;
  Key: string;
  Body: Uint8Array;
  ContentType: string;
  /** Only where there is no object of this key. */
  IfNoneMatch?: "*";
  /** Object lock needs a checksum; the client computes it. */
  ChecksumAlgorithm: "SHA256";
  ObjectLockMode: "COMPLIANCE";
  ObjectLockRetainUntilDate: Date;
}

/** A version of an object. */
export interface GetObjectInput {
  Bucket: string;
  Key: string;
  VersionId: string;
  Range: string;
}

/** A part of an object. */
export interface FoundObject {
  Body?: { transformToByteArray(): Promise<Uint8Array> } | undefined;
  /** Bytes of the part. */
  ContentLength?: number | undefined;
  ObjectLockMode?: string | undefined;
  ObjectLockRetainUntilDate?: Date | undefined;
}

/** Versions in the order of their keys, those of one key newest first. */
export interface ListVersionsInput {
  Bucket: string;
  Prefix: string;
  Delimiter?: string;
  MaxKeys: number;
  KeyMarker?: string;
  VersionIdMarker?: string;
}

/** A page of versions. What was marked as deleted is not among them, but its versions of before are. */
export interface FoundVersions {
  Versions?: readonly { readonly Key?: string | undefined; readonly VersionId?: string | undefined }[] | undefined;
  CommonPrefixes?: readonly { readonly Prefix?: string | undefined }[] | undefined;
  IsTruncated?: boolean | undefined;
  NextKeyMarker?: string | undefined;
  NextVersionIdMarker?: string | undefined;
}

export interface ObjectStoreClient {
  putObject(input: PutObjectInput, options?: ObjectCallOptions): Promise<{ VersionId?: string | undefined }>;
  getObject(input: GetObjectInput, options?: ObjectCallOptions): Promise<FoundObject>;
  listObjectVersions(input: ListVersionsInput, options?: ObjectCallOptions): Promise<FoundVersions>;
}
