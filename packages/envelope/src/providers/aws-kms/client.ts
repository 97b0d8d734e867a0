/**
 * The part of an AWS KMS client that this library calls, as the aggregated class `KMS` of @aws-sdk/client-kms has it.
 * Structural: the caller's client fits without this package depending on the SDK.
 *
 * Hand in a client that does not retry (`maxAttempts: 1`): the keyring's own way on is the next region.
 */

/** How each call is told to stop. */
export interface KmsCallOptions {
  readonly abortSignal?: AbortSignal;
}

interface CommonInput {
  KeyId: string;
  EncryptionContext?: Record<string, string>;
  GrantTokens?: string[];
}

export interface GenerateDataKeyInput extends CommonInput {
  NumberOfBytes: number;
}

export interface EncryptInput extends CommonInput {
  Plaintext: Uint8Array;
}

export interface DecryptInput extends CommonInput {
  CiphertextBlob: Uint8Array;
}

export interface ReEncryptInput {
  CiphertextBlob: Uint8Array;
  SourceKeyId: string;
  SourceEncryptionContext?: Record<string, string>;
  DestinationKeyId: string;
  DestinationEncryptionContext?: Record<string, string>;
  GrantTokens?: string[];
}

export interface DescribeKeyInput {
  KeyId: string;
  GrantTokens?: string[];
}

export interface KmsClient {
  generateDataKey(
    input: GenerateDataKeyInput,
    options?: KmsCallOptions,
  ): Promise<{
    Plaintext?: Uint8Array | undefined;
    CiphertextBlob?: Uint8Array | undefined;
    KeyId?: string | undefined;
    KeyMaterialId?: string | undefined;
  }>;
  encrypt(
    input: EncryptInput,
    options?: KmsCallOptions,
  ): Promise<{ CiphertextBlob?: Uint8Array | undefined; KeyId?: string | undefined }>;
  decrypt(
    input: DecryptInput,
    options?: KmsCallOptions,
  ): Promise<{
    Plaintext?: Uint8Array | undefined;
    KeyId?: string | undefined;
    KeyMaterialId?: string | undefined;
  }>;
  describeKey(
    input: DescribeKeyInput,
    options?: KmsCallOptions,
  ): Promise<{
    KeyMetadata?:
      | {
          Arn?: string | undefined;
          KeyState?: string | undefined;
          CurrentKeyMaterialId?: string | undefined;
        }
      | undefined;
  }>;
  /** Used where a wrap is moved to another key; without it that is a Decrypt and an Encrypt. */
  reEncrypt?(
    input: ReEncryptInput,
    options?: KmsCallOptions,
  ): Promise<{
    CiphertextBlob?: Uint8Array | undefined;
    SourceKeyId?: string | undefined;
    KeyId?: string | undefined;
    DestinationKeyMaterialId?: string | undefined;
  }>;
}
