// The rows that are measured, with the ratios they are held to. A contender's id is the name of its file in
// contenders/.

import type { Row, Target } from "./harness/row.ts";

const KIB = 1_024;
const MIB = 1_024 * KIB;
const GIB = 1_024 * MIB;

const against = (contender: string, atLeast: number): Target => ({ kind: "ratio", against: contender, atLeast });
const memoryAtMost = (atMostMiB: number): Target => ({ kind: "memory", atMostMiB });

const OURS = { subject: "strongroom", length: "short" } as const;
const SMALL = { ...OURS, unit: "messages", payloadBytes: KIB, batch: 64 } as const;
const MIDDLE = { ...OURS, unit: "bytes", payloadBytes: 64 * KIB, batch: 16 } as const;
const LARGE = {
  ...OURS,
  unit: "bytes",
  payloadBytes: 2 * MIB,
  frameLength: 64 * KIB,
  batch: 4,
  distinctMessages: 4,
} as const;
const HUGE = {
  ...OURS,
  unit: "bytes",
  payloadBytes: 256 * MIB,
  frameLength: 64 * KIB,
  batch: 1,
  distinctMessages: 1,
} as const;
const STREAM = {
  ...OURS,
  unit: "bytes",
  payloadBytes: GIB,
  frameLength: 64 * KIB,
  chunkBytes: 64 * KIB,
  batch: 1,
  length: "long",
} as const;

export const ROWS: readonly Row[] = [
  {
    ...SMALL,
    id: "encrypt-1k",
    title: "1 KB encrypt, cached data key",
    description:
      "One message of 1,024 bytes under a data key from the materials cache: committing suite 0x0478, three context " +
      "entries. Raw GCM is one call under one key.",
    targets: [against("aws-sdk", 12), against("asherah", 1), against("raw-gcm", 0.21)],
  },
  {
    ...SMALL,
    id: "decrypt-1k",
    title: "1 KB decrypt, cached data key",
    description:
      "256 different messages in turn, all under one cached data key; each is parsed, its commitment and header " +
      "checked, its context compared.",
    targets: [against("aws-sdk", 12), against("asherah", 1.5)],
  },
  {
    ...SMALL,
    id: "hot-decrypt-1k",
    title: "1 KB decrypt, the same message again",
    description: "One message read over and over, as a hot record is.",
    targets: [against("aws-sdk", 28)],
  },
  {
    ...SMALL,
    id: "packed-1k",
    title: "1 KB records packed into one message",
    unit: "records",
    batch: 16,
    description:
      "256 records of 1,024 bytes in one message, a frame each. A peer without packing encrypts a message for each " +
      "record.",
    targets: [against("aws-sdk", 30)],
  },
  {
    ...SMALL,
    id: "signed-encrypt-1k",
    title: "1 KB encrypt, signed suite",
    batch: 16,
    description: "Suite 0x0578 (ECDSA P-384), data key and signing key from the materials cache.",
    targets: [against("aws-sdk-signed", 1.8)],
  },
  {
    ...SMALL,
    id: "signed-decrypt-1k",
    title: "1 KB decrypt, signed suite",
    batch: 16,
    description:
      "256 different messages of suite 0x0578 in turn, materials cached; the signature holds before any plaintext " +
      "is released.",
    targets: [against("aws-sdk-signed", 1.7)],
  },
  {
    ...MIDDLE,
    id: "encrypt-64k",
    title: "64 KB encrypt in memory, 4 KB frames",
    description: "One message of 65,536 bytes, the same frames for all.",
    targets: [against("aws-sdk", 5)],
  },
  {
    ...MIDDLE,
    id: "decrypt-64k",
    title: "64 KB decrypt in memory, 4 KB frames",
    distinctMessages: 32,
    description: "32 different messages in turn.",
    targets: [against("aws-sdk", 5)],
  },
  {
    ...LARGE,
    id: "encrypt-2m",
    title: "2 MB encrypt in memory, 64 KB frames",
    description: "One message of 2 MiB; the AWS SDK also with its default of 4 KB frames.",
    targets: [against("aws-sdk", 1.9), against("aws-sdk-default-frames", 8)],
  },
  {
    ...LARGE,
    id: "decrypt-2m",
    title: "2 MB decrypt in memory, 64 KB frames",
    description: "Four different messages in turn; the AWS SDK also with its default of 4 KB frames.",
    targets: [against("aws-sdk", 1.9), against("aws-sdk-default-frames", 8)],
  },
  {
    ...STREAM,
    id: "stream-1g",
    title: "1 GiB stream, encrypt, 64 KB frames",
    description:
      "From a source in memory in 64 KB chunks to a sink that counts. The raw pipeline is Node's own cipher stream " +
      "with the same chunks; its own memory shows what streams of Node take with any cipher: V8 collects only after " +
      "some 50 MB of new buffers, and what the consumer holds cannot be used again. Each frame is a message of GCM " +
      "of its own, whose begin and end cost about 3 us beside the 20 us of 64 KB. A part is read back and compared.",
    targets: [against("aws-sdk", 1.8), against("raw-stream", 0.8), memoryAtMost(100)],
  },
  {
    ...STREAM,
    id: "stream-round-trip-1g",
    title: "1 GiB stream, encrypt and decrypt again",
    description: "Both directions in one pipeline; every byte that comes out is compared with what went in.",
    targets: [],
  },
  {
    ...HUGE,
    id: "encrypt-256m",
    title: "256 MB encrypt in memory, two workers",
    description:
      "One message of 256 MiB in 64 KB frames, from shared memory, on two worker threads and on the calling thread. " +
      "The result goes into memory that was never touched before, which the operating system clears page by page: " +
      "copying there, without any cryptography, is the bound beside which both stand. Two threads that touch new " +
      "memory of one process at once wait for each other in the kernel, so the second thread gains nothing.",
    targets: [against("strongroom-one-thread", 1.7)],
  },
  {
    ...HUGE,
    id: "decrypt-256m",
    title: "256 MB decrypt in memory, two workers",
    description:
      "The same message again, from shared memory, on two worker threads and on the calling thread. The bound is " +
      "the same.",
    targets: [against("strongroom-one-thread", 1.7)],
  },
];
