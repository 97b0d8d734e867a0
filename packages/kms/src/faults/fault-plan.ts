// Which faults are in force, and whom they hit.

import { KmsError } from "../errors.ts";
import { faultSchema } from "./fault.ts";
import type { Fault } from "./fault.ts";

/** A fault in force. */
export interface ActiveFault {
  readonly id: string;
  readonly region: string;
  readonly fault: Fault;
  /** Requests hit so far. */
  readonly hits: number;
}

interface Entry {
  readonly id: string;
  readonly region: string;
  readonly fault: Fault;
  readonly random: () => number;
  hits: number;
}

/** The faults of all regions. */
export class FaultPlan {
  readonly #regions: ReadonlySet<string>;
  #entries: Entry[] = [];
  #made = 0;

  constructor(regions: readonly string[]) {
    this.#regions = new Set(regions);
  }

  /**
   * Puts a fault in force.
   * @throws KmsError `region-unknown`, `option-invalid`.
   */
  add(region: string, fault: Fault): ActiveFault {
    if (!this.#regions.has(region)) throw new KmsError("region-unknown", `${region}.`);
    const checked = faultSchema.safeParse(fault);
    if (!checked.success) {
      const problems = checked.error.issues.map((issue) => `${issue.path.join(".") || "fault"}: ${issue.message}`);
      throw new KmsError("option-invalid", `${problems.join("; ")}.`);
    }
    this.#made += 1;
    const entry = {
      id: `fault-${this.#made}`,
      region,
      fault: checked.data,
      random: generator(checked.data.seed ?? this.#made),
      hits: 0,
    };
    this.#entries.push(entry);
    return show(entry);
  }

  /** Takes back one fault of a region, or all of them. Gives how many that were. */
  remove(region: string, id?: string): number {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter((entry) => entry.region !== region || (id !== undefined && entry.id !== id));
    return before - this.#entries.length;
  }

  list(region: string): readonly ActiveFault[] {
    return this.#entries.filter((entry) => entry.region === region).map(show);
  }

  /** The faults that hit this request: any number of delays, then at most one of the others. */
  take(region: string, operation: string | null): readonly Fault[] {
    const taken: Fault[] = [];
    for (const entry of this.#entries) {
      const { fault } = entry;
      if (entry.region !== region || entry.hits >= (fault.count ?? Number.POSITIVE_INFINITY)) continue;
      if (fault.operations !== undefined && (operation === null || !fault.operations.includes(operation))) continue;
      if (fault.kind !== "delay" && taken.some(({ kind }) => kind !== "delay")) continue;
      if (fault.probability !== undefined && entry.random() >= fault.probability) continue;
      entry.hits += 1;
      taken.push(fault);
    }
    return taken;
  }
}

const show = ({ id, region, fault, hits }: Entry): ActiveFault => ({ id, region, fault, hits });

/** Small repeatable random numbers in [0, 1): mulberry32. For chances in drills, never for keys. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
