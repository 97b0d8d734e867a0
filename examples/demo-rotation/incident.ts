// A small stand-in for what went wrong elsewhere: a program that rotates a KMS key stage by stage. Each line of it
// looks reasonable. Its keyring is strict, and drops what it does not know before it asks any KMS; it catches what an item
// throws, and moves the item's version up all the same, so that no later scan finds it; and it is run on each copy of
// the data by itself. The keyring, the messages and the KMS are real ones.
import { KMS } from "@aws-sdk/client-kms";
import { decrypt, encrypt, type Keyring } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { AdjustableClock, createKms } from "@strongroom/kms";
import { mapBounded } from "@strongroom/base/work";
import { type Paper, papersOf } from "./filings.ts";

/** A row as that system keeps it: its version says under which key it is. Or should. */
interface Row {
  readonly id: string;
  message: Uint8Array;
  version: number;
}

type Copy = Map<string, Row>;

/** What was counted. */
export interface Aftermath {
  readonly rows: number;
  /** Items whose error was caught, in both copies. */
  readonly caught: number;
  /** What the scan for rows of before finds when the program is done, in both copies. */
  readonly found: number;
  /** Rows that the service cannot read once it knows the new key alone: in each copy, and how many differ. */
  readonly unreadable: readonly [number, number];
  readonly differing: number;
  /** Rows that no copy opens by any key, when those of before are deleted as well. */
  readonly lost: number;
}

const REGION = "us-east-1";
const STAGES = 4;
const [OLD, NEW] = [2, 3] as const;
/** Of all rows: those that the rotation before had left in the same way. */
const LEFT_BEFORE = 25;
/** Share of the calls that the KMS throttles. */
const THROTTLED = 0.08;
/** Reads side by side. */
const AT_ONCE = 4;
const DAY_MS = 24 * 3600 * 1000;

/** Rotates the filings and letters as that program does. */
export async function replayIncident(): Promise<Aftermath> {
  const clock = new AdjustableClock();
  await using kms = await createKms({ regions: [{ name: REGION, port: 0 }], allowFaults: "loopback", clock });
  const client = new KMS({ ...kms.clientConfig(REGION), maxAttempts: 1 });
  try {
    const keyArns = [await newKey(client), await newKey(client), await newKey(client)] as const;
    // One key each: a message of another one is not asked about.
    const [oldest, old, next] = keyArns.map((keyArn) => strict(client, keyArn)) as [Keyring, Keyring, Keyring];
    const papers = [...papersOf("filings"), ...papersOf("letters")];
    const east: Copy = new Map();
    for (const [index, paper] of papers.entries()) {
      const keyring = index % LEFT_BEFORE === 3 ? oldest : old;
      east.set(paper.id, { id: paper.id, message: await sealed(paper, keyring), version: OLD });
    }
    const west: Copy = new Map([...east].map(([id, row]) => [id, { ...row }]));

    kms.faults?.add(REGION, { kind: "throttle", probability: THROTTLED, seed: 7 });
    let caught = 0;
    for (let stage = 0; stage < STAGES; stage++) {
      for (const copy of [east, west]) caught += await rotateStage(copy, stage, old, next);
      // A process that nobody has restarted writes on, with the version of today: into a stage that is done.
      const [touched] = stageOf(east, stage).slice(5);
      const paper = papers.find(({ id }) => id === touched?.id);
      if (paper !== undefined) await writeBoth([east, west], paper, old);
    }
    kms.faults?.remove(REGION);

    const found = [east, west].flatMap((copy) => [...copy.values()].filter(({ version }) => version < NEW)).length;
    const [readableEast, readableWest] = [await readable(east, [next]), await readable(west, [next])];
    for (const keyArn of keyArns.slice(0, 2)) await deleted(client, keyArn);
    clock.advance(8 * DAY_MS);
    const last = [oldest, old, next];
    const kept = new Set([...(await readable(east, last)), ...(await readable(west, last))]);
    return {
      rows: papers.length,
      caught,
      found,
      unreadable: [papers.length - readableEast.size, papers.length - readableWest.size],
      differing: papers.filter(({ id }) => readableEast.has(id) !== readableWest.has(id)).length,
      lost: papers.filter(({ id }) => !kept.has(id)).length,
    };
  } finally {
    client.destroy();
  }
}

/** The program: a stage of one copy. Gives how many errors were caught. */
async function rotateStage(copy: Copy, stage: number, from: Keyring, to: Keyring): Promise<number> {
  let caught = 0;
  for (const row of stageOf(copy, stage)) {
    if (row.version >= NEW) continue;
    try {
      const { plaintext } = await decrypt(row.message, { keyring: from, encryptionContext: { id: row.id } });
      row.message = (await encrypt(plaintext, { keyring: to, encryptionContext: { id: row.id } })).message;
    } catch {
      caught++;
    }
    row.version = NEW;
  }
  return caught;
}

function stageOf(copy: Copy, stage: number): readonly Row[] {
  return [...copy.values()].filter((_, index) => index % STAGES === stage);
}

async function writeBoth(copies: readonly Copy[], paper: Paper, keyring: Keyring): Promise<void> {
  const message = await sealed(paper, keyring).catch(() => null);
  if (message === null) return;
  for (const copy of copies) copy.set(paper.id, { id: paper.id, message, version: NEW });
}

/** Ids of the rows that one of the keyrings opens. */
async function readable(copy: Copy, keyrings: readonly Keyring[]): Promise<ReadonlySet<string>> {
  const ids = await mapBounded([...copy.values()], AT_ONCE, async ({ id, message }) => {
    const tries = keyrings.map((keyring) => decrypt(message, { keyring, encryptionContext: { id } }));
    return (await Promise.allSettled(tries)).some(({ status }) => status === "fulfilled") ? [id] : [];
  });
  return new Set(ids.flat());
}

async function sealed(paper: Paper, keyring: Keyring): Promise<Uint8Array> {
  const text = Buffer.from(JSON.stringify(paper));
  return (await encrypt(text, { keyring, encryptionContext: { id: paper.id } })).message;
}

function strict(client: KMS, keyArn: string): Keyring {
  return multiRegionKeyring({ regions: [{ region: REGION, keyArn, client }], minimum: 1 });
}

async function newKey(client: KMS): Promise<string> {
  return (await client.createKey({})).KeyMetadata?.Arn ?? "";
}

async function deleted(client: KMS, keyArn: string): Promise<void> {
  await client.scheduleKeyDeletion({ KeyId: keyArn, PendingWindowInDays: 7 });
}
