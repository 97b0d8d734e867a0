// The errors of the AWS KMS API as they go over the wire: a type, an HTTP status and a message, in the
// shape of the AWS JSON 1.1 protocol (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html).

/** Types that do not answer 400. Everything AWS models for KMS is a client error with status 400. */
const STATUS: Readonly<Record<string, number>> = {
  KMSInternalException: 500,
  KeyUnavailableException: 500,
  DependencyTimeoutException: 503,
  ServiceUnavailableException: 503,
  InternalFailure: 500,
  RequestEntityTooLargeException: 413,
  UnknownOperationException: 404,
  MethodNotAllowedException: 405,
};

/** AWS writes the message of these under `Message`, not `message`. */
const CAPITAL_MESSAGE: ReadonlySet<string> = new Set(["AccessDeniedException"]);

/** An answer that is an error: thrown by an operation, turned into bytes by the region's server. */
export class AwsError extends Error {
  readonly type: string;
  /** What a person on this machine may know beyond AWS's words. Clients are not told. */
  readonly detail: string;

  constructor(type: string, message = "", { detail = message }: { readonly detail?: string } = {}) {
    super(message);
    this.name = "AwsError";
    this.type = type;
    this.detail = detail;
  }

  /** HTTP status of the answer. */
  get status(): number {
    return STATUS[this.type] ?? 400;
  }

  /** Body of the answer. AWS leaves the member out where it has nothing to say. */
  toBody(): Record<string, string> {
    // Recorded of AWS: without a message there is no such member.
    if (this.message === "") return { __type: this.type };
    return { __type: this.type, [CAPITAL_MESSAGE.has(this.type) ? "Message" : "message"]: this.message };
  }
}

/** `ValidationException`: the input has the right types but a value that AWS does not take. */
export const validationError = (message: string): AwsError => new AwsError("ValidationException", message);

/** `NotFoundException`: a key, alias or grant that is not there. */
export const notFound = (message: string): AwsError => new AwsError("NotFoundException", message);

/** `SerializationException`: the body is not JSON of the types that the operation takes. */
export const serializationError = (message: string): AwsError => new AwsError("SerializationException", message);

/** `KMSInvalidStateException`: the key's state forbids the operation. */
export const invalidState = (message: string): AwsError => new AwsError("KMSInvalidStateException", message);

/** `UnsupportedOperationException`: the operation makes no sense for this kind of key. */
export const unsupported = (message = ""): AwsError => new AwsError("UnsupportedOperationException", message);

/** `CustomKeyStoreNotFoundException`: there are no custom key stores here. */
export const noSuchStore = (id: string): AwsError =>
  new AwsError("CustomKeyStoreNotFoundException", `Custom key store with id ${id} does not exist.`);

/** `InvalidCiphertextException`: the one opaque answer to every cryptographic failure. */
export const invalidCiphertext = (): AwsError => new AwsError("InvalidCiphertextException");
