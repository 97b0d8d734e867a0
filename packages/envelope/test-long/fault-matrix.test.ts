/**
 * The fault matrix over real HTTP: each fault in the nearest regions, reads and writes, behaviour and latency, beside
 * the AWS Encryption SDK in the same run. Behaviour is asserted; latencies are held against their limits, which count
 * what a healthy call costs on this machine now. test/multi-region/fault-matrix.test.ts holds the same promises to the
 * millisecond.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { decrypt, encrypt } from "@strongroom/envelope";
import type { EncryptResult } from "@strongroom/envelope";
import { MULTI_REGION_DEFAULTS, multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { matrixPage } from "./support/matrix-page.ts";
import type { Cell, Healthy } from "./support/matrix-page.ts";
import { Peer } from "./support/peer.ts";
import { Regions } from "./support/regions.ts";
import type { Outage, Region } from "./support/regions.ts";

const { hedgeMinMs, hedgeMaxMs, stragglerFactor, stragglerMinMs, deadlineMs } = MULTI_REGION_DEFAULTS;
const TRIALS = 3;
const PEER_CAP_MS = 4_000;
const encryptionContext = { id: "42" };
const plaintext = Buffer.from("a name and an address");

interface FaultRow {
  readonly name: string;
  readonly outage: Outage;
  readonly manner: "answers" | "silent";
  /** Whether writes notice it; lies about a data key show only when it is unwrapped. */
  readonly write: "harmed" | "unharmed";
  /** Whether it opens the breaker, so that later reads skip the region. */
  readonly breaker: "opens" | "stays";
}

const fault = (name: string, outage: Outage, traits: Partial<FaultRow> = {}): FaultRow => ({
  name,
  outage,
  manner: "answers",
  write: "harmed",
  breaker: "opens",
  ...traits,
});

const FAULTS: readonly FaultRow[] = [
  fault("port closed", { kind: "stopped" }),
  fault("connection reset", { kind: "refuse" }),
  fault("half-closed connection", { kind: "half-closed" }),
  fault("black hole", { kind: "black-hole" }, { manner: "silent" }),
  fault("answers after 3 s", { kind: "delay", delayMs: 3_000 }, { manner: "silent" }),
  fault("slow body", { kind: "slow-body" }, { manner: "silent" }),
  fault("status 500", { kind: "server-error" }),
  fault("status 503", { kind: "server-error", status: 503 }),
  fault("corrupt JSON", { kind: "corrupt-json" }),
  fault("throttled", { kind: "throttle" }, { breaker: "stays" }),
  fault("expired credentials", { kind: "expired-credentials" }),
  fault("access denied", { kind: "access-denied" }, { breaker: "stays" }),
  fault("disabled key", { kind: "disabled-key" }),
  fault("wrong KeyId", { kind: "wrong-key-id" }),
  fault("wrong plaintext key", { kind: "wrong-plaintext" }, { write: "unharmed" }),
  fault("short plaintext key", { kind: "short-plaintext" }, { write: "unharmed" }),
];

interface Fleet {
  readonly name: string;
  readonly regions: readonly Region[];
  readonly rtts: readonly number[];
  readonly minimum: number;
  readonly faulty: readonly number[];
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly elapsedMs: number }> {
  const startedAt = performance.now();
  const value = await work();
  return { value, elapsedMs: performance.now() - startedAt };
}

function write(keyring: MultiRegionKeyring): Promise<EncryptResult> {
  return encrypt(plaintext, { keyring, encryptionContext });
}

async function read(keyring: MultiRegionKeyring, message: Uint8Array): Promise<void> {
  const opened = await decrypt(message, { keyring, encryptionContext });
  assert.deepEqual(Buffer.from(opened.plaintext), plaintext);
}

interface Warm {
  readonly keyring: MultiRegionKeyring;
  /** A message with every wrap. */
  readonly message: Uint8Array;
  /** What a call costs above its round trip here and now: the client, the KMS, this machine. */
  readonly overheadMs: number;
  /** How long each region is waited for before the next one is asked beside it. */
  readonly hedgeDelaysMs: readonly number[];
}

/** A keyring that knows its regions' latencies. */
async function warm(regions: Regions, fleet: Fleet): Promise<Warm> {
  await regions.set(fleet.regions, fleet.rtts);
  const keyring = multiRegionKeyring({
    regions: fleet.regions.map(({ asKeyRegion }) => asKeyRegion),
    minimum: fleet.minimum,
    // Proofs come by chance; what one costs is in docs/resilience.md.
    proveWraps: "off",
  });
  for (let round = 0; round < 5; round++)
    await Promise.all([write(keyring), write(keyring), write(keyring), write(keyring)]);
  // A pause of this machine may cost a wrap; the message measured with has them all.
  let whole: EncryptResult | null = null;
  for (let attempt = 0; attempt < 5 && whole === null; attempt++) {
    const written = await write(keyring);
    if (written.wraps?.stored.length === fleet.regions.length) whole = written;
  }
  assert.ok(whole !== null, "healthy regions gave no message with every wrap");
  const { message } = whole;
  const reads: number[] = [];
  for (let again = 0; again < 20; again++) reads.push((await timed(() => read(keyring, message))).elapsedMs);
  const hedgeDelaysMs = keyring
    .health()
    .map(({ latencyMs }) => Math.min(hedgeMaxMs, Math.max(hedgeMinMs, latencyMs?.p95 ?? hedgeMaxMs)));
  return { keyring, message, overheadMs: Math.max(0, median(reads) - (fleet.rtts[0] ?? 0)), hedgeDelaysMs };
}

async function measureHealthy(regions: Regions, fleet: Fleet): Promise<Healthy> {
  const { keyring, message } = await warm(regions, fleet);
  const reads: number[] = [];
  const writes: number[] = [];
  for (let trial = 0; trial < 9; trial++) {
    reads.push((await timed(() => read(keyring, message))).elapsedMs);
    writes.push((await timed(() => write(keyring))).elapsedMs);
  }
  const peer = new Peer(fleet.regions);
  await peer.write(plaintext, encryptionContext, PEER_CAP_MS);
  const peerWrite = await peer.write(plaintext, encryptionContext, PEER_CAP_MS);
  const peerRead = await peer.read(message, PEER_CAP_MS);
  peer.end();
  return { fleet: rttNames(fleet), read: median(reads), write: median(writes), peerRead, peerWrite };
}

interface Limits {
  readonly readFirst: number;
  readonly readLater: number;
  readonly writeFirst: number;
}

/** What the promises come to in this cell; the page says it in words. */
function limitsOf({ rtts, faulty }: Fleet, row: FaultRow, honest: number, { overheadMs, hedgeDelaysMs }: Warm): Limits {
  const silent = row.manner === "silent";
  const wait = (index: number): number => (silent ? (hedgeDelaysMs[index] ?? 0) : (rtts[index] ?? 0) + overheadMs);
  const answer = (rtts[honest] ?? 0) + overheadMs;
  const before = faulty.reduce((sum, index) => sum + wait(index), 0);
  const needed = rtts.map((rtt, index) =>
    silent && faulty.includes(index) ? Math.max(stragglerMinMs, wait(index) * stragglerFactor) : rtt + overheadMs,
  );
  const readFirst = before + answer + 15;
  return {
    readFirst,
    readLater: row.breaker === "opens" ? answer + 10 : readFirst,
    writeFirst: before + answer + Math.max(...needed) + 15,
  };
}

async function measureCell(regions: Regions, fleet: Fleet, row: FaultRow): Promise<Cell> {
  const { rtts, faulty } = fleet;
  const honest = rtts.findIndex((_, index) => !faulty.includes(index));
  const outages = new Map(faulty.map((index) => [fleet.regions[index]!, row.outage]));

  const firstReads: number[] = [];
  const laterReads: number[] = [];
  const firstWrites: number[] = [];
  const limits: Limits[] = [];
  let worst = 0;
  let wraps = "";
  let peerRead: Cell["peerRead"] = { kind: "fails", elapsedMs: 0 };
  let peerWrite: Cell["peerWrite"] = peerRead;
  for (let trial = 0; trial < TRIALS; trial++) {
    const reader = await warm(regions, fleet);
    const writer = await warm(regions, fleet);
    limits.push(limitsOf(fleet, row, honest, reader));
    await regions.set(fleet.regions, rtts, outages);
    const { elapsedMs: firstRead } = await timed(() => read(reader.keyring, reader.message));
    const { value: written, elapsedMs: firstWrite } = await timed(() => write(writer.keyring));
    const stored = written.wraps?.stored.length ?? 0;
    assert.ok(stored >= fleet.minimum, "acknowledged below the minimum");
    if (row.write === "harmed")
      assert.equal(stored, rtts.length - faulty.length, `${row.name}: ${JSON.stringify(written.wraps)}`);
    for (let again = 0; again < 3; again++) await read(reader.keyring, reader.message);
    const later = await timed(() => read(reader.keyring, reader.message));
    firstReads.push(firstRead);
    firstWrites.push(firstWrite);
    laterReads.push(later.elapsedMs);
    worst = Math.max(worst, firstRead, firstWrite, later.elapsedMs);
    wraps = `${stored}/${rtts.length}`;
    if (trial === 0) {
      const peer = new Peer(fleet.regions);
      peerRead = await peer.read(reader.message, PEER_CAP_MS);
      peerWrite = await peer.write(plaintext, encryptionContext, PEER_CAP_MS);
      peer.end();
    }
    await regions.set(fleet.regions, rtts);
    await read(writer.keyring, written.message);
  }
  return {
    fleet: rttNames(fleet),
    fault: row.name,
    faulty: faulty.length,
    of: rtts.length,
    readFirst: median(firstReads),
    readFirstLimit: median(limits.map(({ readFirst }) => readFirst)),
    readLater: median(laterReads),
    readLaterLimit: median(limits.map(({ readLater }) => readLater)),
    writeFirst: median(firstWrites),
    writeFirstLimit: median(limits.map(({ writeFirst }) => writeFirst)),
    wraps,
    worst,
    peerRead,
    peerWrite,
  };
}

const rttNames = ({ rtts }: Fleet): string => `${rtts.join(", ")} ms`;

test("each fault, in one and in two of the regions, over real HTTP", { timeout: 1_500_000 }, async (t) => {
  await using regions = await Regions.start();
  const [a, b, c] = regions.all as readonly [Region, Region, Region];
  const fleets: readonly Fleet[] = [
    { name: "two", regions: [a, c], rtts: [5, 70], minimum: 1, faulty: [0] },
    { name: "one of three", regions: [a, b, c], rtts: [5, 40, 70], minimum: 1, faulty: [0] },
    { name: "two of three", regions: [a, b, c], rtts: [5, 40, 70], minimum: 1, faulty: [0, 1] },
  ];
  const healthy: Healthy[] = [];
  const cells: Cell[] = [];
  for (const fleet of fleets) {
    const well = await measureHealthy(regions, fleet);
    if (!healthy.some((each) => each.fleet === well.fleet)) healthy.push(well);
    for (const row of FAULTS) cells.push(await measureCell(regions, fleet, row));
  }
  const page = matrixPage(healthy, cells);
  for (const line of page.split("\n")) t.diagnostic(line);
  if (process.env["STRONGROOM_WRITE_MATRIX"] === "1") {
    await writeFile(new URL("../../../docs/resilience-matrix.md", import.meta.url), page);
  }
  // The deadline is held by a timer: a busy machine may be late for it, not by much.
  for (const cell of cells) assert.ok(cell.worst <= deadlineMs + 250, `${cell.fault}: ${cell.worst} ms`);
  const over = cells.filter(
    (cell) =>
      cell.readFirst > cell.readFirstLimit ||
      cell.readLater > cell.readLaterLimit ||
      cell.writeFirst > cell.writeFirstLimit,
  );
  assert.ok(
    over.length <= cells.length / 10,
    `over their limits: ${over.map(({ fleet, fault: name, faulty }) => `${name} (${faulty} of ${fleet})`).join("; ")}`,
  );
});
