/**
 * For tests: a convergence in memory, whose plan and run a test makes up, and that remembers what it was asked by whom.
 * It is put before a real vault.
 */
import { randomUUID } from "node:crypto";
import { VaultError } from "@strongroom/vault";
import type {
  Actor,
  Convergence,
  ConvergencePlan,
  ConvergenceRun,
  ConvergenceStatus,
  ConvergeOptions,
  FailurePage,
  Forecast,
  InventoryLine,
  Vault,
} from "@strongroom/vault";

/** What a test may change meanwhile. */
export interface MadeConvergence {
  /** A vault that has it. */
  readonly front: (vault: Vault) => Vault;
  readonly asked: { readonly principal: string; readonly call: string; readonly given: readonly unknown[] }[];
  plan: ConvergencePlan;
  inventory: readonly InventoryLine[];
  status: ConvergenceStatus;
  /** Told once in its place, by the next status behind an `apply`. */
  stale: ConvergenceStatus | null;
  failures: FailurePage;
  /** Thrown by every call, while it is set. */
  fails: Error | null;
  /** Changes the run. */
  run(change: Partial<ConvergenceRun>): void;
}

const key = (region: string, name: string): string => `arn:aws:kms:${region}:111122223333:key/${name}`;
const WRAP = { provider: "aws-kms", material: null } as const;
const REGIONS = ["eu-west-1", "eu-west-2"] as const;
const OLD = "0000aaaa-12ab-34cd-56ef-1234567890ab";
const NEW = "9999bbbb-12ab-34cd-56ef-1234567890ab";

export const FORECAST: Forecast = {
  calls: REGIONS.flatMap((region) => [
    { region, operation: "Decrypt", calls: 1200 },
    { region, operation: "ReEncrypt", calls: 12_000 },
  ]),
  total: 26_400,
  dollars: 0.0792,
  price: 0.03,
  seconds: 132,
  rate: 100,
  bytes: 12_000_000,
  keptBytes: 0,
};

const PLAN: ConvergencePlan = {
  at: "2026-03-04T05:06:07.890Z",
  stores: [
    {
      store: "keys",
      epoch: 3,
      inForce: "0f".repeat(32),
      declared: { digest: "1e".repeat(32), keys: REGIONS.map((region) => key(region, NEW)), target: 2 },
      flips: true,
      lines: [
        {
          items: 12_000,
          change: "add-and-drop",
          wraps: [
            ...REGIONS.map((region) => ({ ...WRAP, region, key: key(region, NEW), change: "comes" as const })),
            ...REGIONS.map((region) => ({ ...WRAP, region, key: key(region, OLD), change: "goes" as const })),
          ],
        },
        {
          items: 3,
          change: "none",
          wraps: REGIONS.map((region) => ({ ...WRAP, region, key: key(region, NEW), change: "stays" as const })),
        },
      ],
      kept: 0,
    },
    {
      store: "records",
      epoch: 3,
      inForce: "1e".repeat(32),
      declared: { digest: "1e".repeat(32), keys: REGIONS.map((region) => key(region, NEW)), target: 2 },
      flips: false,
      lines: [{ items: 48_211, change: "inner", wraps: [] }],
      kept: 7,
    },
  ],
  scopes: [{ collection: "people", to: "subject", items: null }],
  forecast: FORECAST,
  problems: [],
};

export const RUN: ConvergenceRun = {
  id: "5c5f0dbb-6f2c-4a8e-a1ab-000000000001",
  state: "running",
  phase: "add",
  by: "token:4f0c2a91b7de",
  beganAt: "2026-03-04T05:06:07.890Z",
  endedAt: null,
  reason: null,
  options: { verify: 1, keepOld: false, rate: 100, material: "any", scopes: true, fresh: false },
  forecast: FORECAST,
  progress: {
    of: 12_000,
    done: 1200,
    failed: 0,
    rate: 93.4,
    remainingSeconds: 116,
    calls: [{ region: "eu-west-1", operation: "ReEncrypt", calls: 1200 }],
    throttled: 0,
    bytes: 1_200_000,
    seconds: 13,
    waits: null,
  },
  undoable: true,
};

const MEMBER: ConvergenceStatus["fleet"][number] = {
  process: "vault-1:4711",
  seenAt: "2026-03-04T05:06:07.890Z",
  isAlive: true,
  knowsInForce: true,
  knowsDeclared: true,
  declaresScopes: true,
  works: true,
};

/** Makes it; nothing has run yet. */
export function madeConvergence(): MadeConvergence {
  const made: MadeConvergence = {
    front: (vault) => before(vault, (actor) => convergenceOf(made, actor)),
    asked: [],
    plan: PLAN,
    inventory: [
      {
        store: "keys",
        provider: "aws-kms",
        key: key("eu-west-1", OLD),
        region: "eu-west-1",
        material: null,
        items: 12_000,
        oldest: "2025-03-04T05:06:07.890Z",
        isInForce: false,
      },
    ],
    status: { run: null, fleet: [MEMBER] },
    stale: null,
    failures: {
      failures: [
        {
          store: "records",
          place: { collection: "people", id: "ada", version: 2 } as FailurePage["failures"][number]["place"],
          code: "wraps-still-missing",
          attempts: 3,
          at: "2026-03-04T05:06:07.890Z",
        },
        {
          store: "keys",
          place: {
            kind: "subject",
            owner: "5c5f0dbb-6f2c-4a8e-a1ab-000000000001",
            version: "1",
          } as unknown as FailurePage["failures"][number]["place"],
          code: "regions-unavailable",
          attempts: 1,
          at: "2026-03-04T05:06:07.890Z",
        },
      ],
      next: null,
    },
    fails: null,
    run(change) {
      made.status = { ...made.status, run: { ...(made.status.run ?? RUN), ...change } };
    },
  };
  return made;
}

function convergenceOf(made: MadeConvergence, { principal }: Actor): Convergence {
  const note = (call: string, ...given: readonly unknown[]): void => {
    made.asked.push({ principal, call, given });
    if (made.fails !== null) throw made.fails;
  };
  const change = (act: string, changed: Partial<ConvergenceRun>): ConvergenceStatus => {
    const { run } = made.status;
    if (run?.endedAt !== null) throw new VaultError("run-absent", `There is no run to ${act}`);
    made.run(changed);
    return made.status;
  };
  const endedAt = "2026-03-04T06:00:00.000Z";
  return {
    async plan(options) {
      note("plan", options);
      return made.plan;
    },
    async inventory() {
      note("inventory");
      return made.inventory;
    },
    async apply(options: ConvergeOptions = {}) {
      note("apply", options);
      const { run } = made.status;
      if (run?.endedAt === null && run.phase !== "hold")
        throw new VaultError("run-under-way", `The run ${run.id} is under way`);
      const blocking = made.plan.problems.filter(({ blocks }) => blocks);
      if (blocking.length > 0 && options.force !== true)
        throw new VaultError("run-refused", blocking.map(({ message }) => message).join("; "));
      made.status = { ...made.status, run: { ...RUN, id: randomUUID(), by: principal } };
      return made.status;
    },
    async status() {
      note("status");
      const { stale } = made;
      if (stale === null || !made.asked.some(({ call }) => call === "apply")) return made.status;
      made.stale = null;
      return stale;
    },
    async pause(reason) {
      note("pause", reason);
      return change("pause", { state: "paused", reason });
    },
    async resume() {
      note("resume");
      return change("resume", { state: "running", reason: null });
    },
    async cancel(reason) {
      note("cancel", reason);
      return change("cancel", { state: "cancelled", phase: "end", reason, endedAt });
    },
    async undo(reason) {
      note("undo", reason);
      return change("undo", { phase: "undo", reason });
    },
    async failures(options) {
      note("failures", options);
      return made.failures;
    },
    generation: () => Promise.resolve(1),
    shredProof: () => Promise.reject(new Error("it is not asked here")),
    shredState: () => Promise.reject(new Error("it is not asked here")),
    async probe(asked) {
      note("probe", asked);
      return {
        key: asked,
        inForce: [],
        items: ["keys"],
        kept: false,
        unknown: [],
        epochs: { keys: 3, records: 3 },
        at: "2026-03-04T05:06:07.890Z",
      };
    },
  };
}

/** The vault with a convergence of each caller. */
function before(vault: Vault, convergence: (actor: Actor) => Convergence): Vault {
  const having = <Target extends object>(target: Target, actor: Actor): Target =>
    new Proxy(target, {
      get: (real, name) => {
        if (name === "convergence") return convergence(actor);
        if (name === "as") return (other: Actor) => having(vault.as(other), other);
        const value: unknown = Reflect.get(real, name);
        return typeof value === "function" ? (value as (...all: unknown[]) => unknown).bind(real) : value;
      },
    });
  return having(vault, { principal: "local" });
}
