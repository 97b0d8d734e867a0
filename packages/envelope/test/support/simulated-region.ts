/**
 * A KMS region in virtual time: answers after its round trip like the in-memory KMS it wraps, with faults as the
 * network, the service and a liar make them.
 */
import type { KmsCallOptions, KmsClient } from "@strongroom/envelope/aws-kms";
import type { RegionFailureKind } from "@strongroom/envelope/keyrings";
import { InMemoryKms, named } from "./in-memory-kms.ts";
import type { VirtualTime } from "./virtual-time.ts";

interface FaultRule {
  /** What a read that meets it first is told, and a write. null: it does not harm that operation. */
  readonly read: RegionFailureKind | null;
  readonly write: RegionFailureKind | null;
  /** `silent`: nothing comes back. `fails`: an error after the round trip. `lies`: an answer after the round trip. */
  readonly manner: "silent" | "fails" | "lies" | "slow";
}

const fails = (kind: RegionFailureKind): FaultRule => ({ read: kind, write: kind, manner: "fails" });

export const FAULT_RULES = {
  refused: fails("refused"),
  reset: fails("refused"),
  "black-hole": { read: "timeout", write: "timeout", manner: "silent" },
  "black-hole-deaf": { read: "timeout", write: "timeout", manner: "silent" },
  "slow-body": { read: "timeout", write: "timeout", manner: "slow" },
  "server-error": fails("server-error"),
  "corrupt-json": fails("server-error"),
  throttled: fails("throttled"),
  credentials: fails("credentials"),
  "access-denied": fails("access-denied"),
  "key-disabled": fails("key-disabled"),
  "key-pending-deletion": fails("key-pending-deletion"),
  "key-not-found": fails("key-not-found"),
  "throws-at-once": fails("unknown"),
  "wrong-key-id": { read: "wrong-key-id", write: "wrong-key-id", manner: "lies" },
  "wrong-key-length": { read: "wrong-key-length", write: null, manner: "lies" },
  "wrong-data-key": { read: "wrong-data-key", write: null, manner: "lies" },
} as const satisfies Record<string, FaultRule>;

export type FaultName = keyof typeof FAULT_RULES;
export const FAULT_NAMES = Object.keys(FAULT_RULES) as readonly FaultName[];

const ERRORS: Readonly<Partial<Record<FaultName, () => Error>>> = {
  refused: () => named("Error", { code: "ECONNREFUSED" }),
  reset: () => named("Error", { code: "ECONNRESET" }),
  "server-error": () => named("KMSInternalException", { $metadata: { httpStatusCode: 500 } }),
  "corrupt-json": () => named("SyntaxError"),
  throttled: () => named("ThrottlingException", { $metadata: { httpStatusCode: 400 } }),
  credentials: () => named("ExpiredTokenException"),
  "access-denied": () => named("AccessDeniedException"),
  "key-disabled": () => named("DisabledException"),
  "key-pending-deletion": () =>
    Object.assign(named("KMSInvalidStateException"), { message: "arn is pending deletion." }),
  "key-not-found": () => named("NotFoundException"),
};

const LIES = new Set<FaultName>(["wrong-key-id", "wrong-key-length", "wrong-data-key"]);
/** A body that trickles in for longer than any deadline here. */
const SLOW_BODY_MS = 60_000;

/**
 * What several regions may share in a test: one machine that serves call after call, also those that nobody waits for
 * any more.
 */
export interface Machine {
  readonly serviceMs: number;
  /** In virtual time. */
  busyUntil: number;
}

export class SimulatedRegion implements KmsClient {
  readonly kms: InMemoryKms;
  readonly region: string;
  rttMs: number;
  fault: FaultName | null = null;
  /** Of Decrypt alone. */
  decryptFault: FaultName | null = null;
  machine: Machine | null = null;
  /** Calls received, faults included. */
  calls = 0;
  readonly grantTokens: (readonly string[] | undefined)[] = [];
  readonly #time: VirtualTime;

  constructor(time: VirtualTime, region: string, rttMs: number, kms: InMemoryKms = new InMemoryKms(region)) {
    this.#time = time;
    this.region = region;
    this.rttMs = rttMs;
    this.kms = kms;
  }

  get keyArn(): string {
    return this.kms.keyArn;
  }

  get asRegion(): { region: string; keyArn: string; client: KmsClient } {
    return { region: this.region, keyArn: this.keyArn, client: this };
  }

  generateDataKey(
    input: Parameters<InMemoryKms["generateDataKey"]>[0],
    options?: KmsCallOptions,
  ): ReturnType<InMemoryKms["generateDataKey"]> {
    return this.#answer(input, options, () => this.kms.generateDataKey(input));
  }

  encrypt(input: Parameters<InMemoryKms["encrypt"]>[0], options?: KmsCallOptions): ReturnType<InMemoryKms["encrypt"]> {
    // Taken at once, as a client that builds its request does.
    const Plaintext = Buffer.from(input.Plaintext);
    return this.#answer(input, options, () => this.kms.encrypt({ ...input, Plaintext }));
  }

  decrypt(input: Parameters<InMemoryKms["decrypt"]>[0], options?: KmsCallOptions): ReturnType<InMemoryKms["decrypt"]> {
    return this.#answer(
      input,
      options,
      () => this.kms.decrypt(input),
      () => this.decryptFault,
    );
  }

  describeKey(input: { KeyId: string }, options?: KmsCallOptions): ReturnType<InMemoryKms["describeKey"]> {
    return this.#answer(input, options, () => this.kms.describeKey(input));
  }

  #answer<T>(
    input: object,
    options: KmsCallOptions | undefined,
    answer: () => Promise<T>,
    ownFault: () => FaultName | null = () => null,
  ): Promise<T> {
    this.calls += 1;
    this.grantTokens.push((input as { GrantTokens?: string[] }).GrantTokens);
    if (this.fault === "throws-at-once") throw named("Surprise");
    return this.#afterTheRoundTrip(options, answer, ownFault);
  }

  async #afterTheRoundTrip<T>(
    options: KmsCallOptions | undefined,
    answer: () => Promise<T>,
    ownFault: () => FaultName | null,
  ): Promise<T> {
    // The request meets the fault that holds when it arrives.
    await this.#time.sleep(this.rttMs / 2);
    if (this.machine !== null) await this.#beServed(this.machine);
    const fault = ownFault() ?? this.fault;
    if (fault === "black-hole" || fault === "black-hole-deaf")
      await silence(fault === "black-hole" ? options?.abortSignal : undefined);
    if (fault === "slow-body") await this.#time.sleep(SLOW_BODY_MS);
    const error = fault === null ? undefined : ERRORS[fault]?.();
    this.kms.fault =
      fault !== null && LIES.has(fault)
        ? { kind: fault as "wrong-key-id" | "wrong-key-length" | "wrong-data-key" }
        : { kind: "none" };
    const answered = error === undefined ? answer() : Promise.reject(error);
    answered.catch(() => undefined);
    await this.#time.sleep(this.rttMs / 2);
    return answered;
  }

  #beServed(machine: Machine): Promise<void> {
    machine.busyUntil = Math.max(machine.busyUntil, this.#time.now()) + machine.serviceMs;
    return this.#time.sleep(machine.busyUntil - this.#time.now());
  }
}

function silence(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => {
      reject(named("AbortError"));
    });
  });
}
