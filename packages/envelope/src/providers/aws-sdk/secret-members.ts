/**
 * Which members of which operations are secret bytes: those that the service's model types as `PlaintextType` and that
 * are keys or may be (AWS KMS API reference, "Request Parameters" and "Response Elements" of each operation).
 */

/** The SDK's name of a command -> the secret in its answer. */
const IN_ANSWERS: Readonly<Record<string, string>> = {
  DecapsulateCommand: "SharedSecret",
  DecryptCommand: "Plaintext",
  DeriveSharedSecretCommand: "SharedSecret",
  EncapsulateCommand: "SharedSecret",
  GenerateDataKeyCommand: "Plaintext",
  GenerateDataKeyPairCommand: "PrivateKeyPlaintext",
  GenerateRandomCommand: "Plaintext",
};

/** The SDK's name of a command -> the secret in its request. */
const IN_REQUESTS: Readonly<Record<string, string>> = {
  EncryptCommand: "Plaintext",
};

/** The member of an answer that must be there and is secret; null if there is none. */
export function secretInAnswer(command: string | undefined, input: object): string | null {
  // For an attested enclave the answer has CiphertextForRecipient instead.
  if ("Recipient" in input && input.Recipient !== undefined) return null;
  return lookUp(IN_ANSWERS, command);
}

/** The member of a request that is secret; null if there is none. */
export function secretInRequest(command: string | undefined): string | null {
  return lookUp(IN_REQUESTS, command);
}

function lookUp(table: Readonly<Record<string, string>>, command: string | undefined): string | null {
  return command !== undefined && Object.hasOwn(table, command) ? (table[command] ?? null) : null;
}
