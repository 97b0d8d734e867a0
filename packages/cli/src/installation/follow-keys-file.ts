// What `strongroom keys rotate` writes into keys.json, taken up by the `strongroom up` that runs: the next keys are
// learned without a restart; and once everything lies under them and nothing else, they become the present ones.
import type { ConvergencePlan, Vault } from "@strongroom/vault";
import type { Config } from "../config/config.ts";
import type { KeyedRole } from "../store/which.ts";
import type { NextKeySets } from "./followed-key-sets.ts";
import {
  type InstallationKeys,
  isOtherKeys,
  type KeyPurpose,
  type PurposeKeys,
  readInstallationKeys,
} from "./installed-keys.ts";
import { nextKeySets } from "./next-key-sets.ts";
import type { RegionClient } from "./region-keys.ts";
import { promoteNextKeys } from "./rotate-keys.ts";

/** What is followed, and with what. */
export interface FollowedKeysFile {
  readonly path: string;
  readonly config: Config;
  /** Of the service, and of the operator. */
  readonly clients: readonly RegionClient[];
  readonly operator: readonly RegionClient[];
  readonly service: {
    learn(next: NextKeySets): Promise<void>;
    inForce(role: KeyedRole): readonly string[];
    readonly convergence: Pick<Vault["convergence"], "status" | "plan">;
  };
  /** The next keys that the service knows from its start; null: none. */
  readonly known: PurposeKeys | null;
  readonly say: (text: string) => void;
  /** Told of what ended a look; the next one may do better. */
  readonly onFault: (error: unknown) => void;
}

/** Milliseconds between two looks at a small file. */
const LOOK_EVERY_MS = 2_000;

const ROLES: Readonly<Record<KeyPurpose, KeyedRole>> = { records: "records", keyStore: "keys" };
const PURPOSES = Object.keys(ROLES) as KeyPurpose[];

/** Follows it until it is closed. */
export function followKeysFile(parts: FollowedKeysFile): { close(): Promise<void> } {
  const follower = new Follower(parts);
  let looking: Promise<void> = Promise.resolve();
  let isBusy = false;
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    looking = follower
      .look()
      .catch(parts.onFault)
      .finally(() => {
        isBusy = false;
      });
  }, LOOK_EVERY_MS).unref();
  return {
    close: async () => {
      clearInterval(timer);
      await looking;
    },
  };
}

class Follower {
  readonly #parts: FollowedKeysFile;
  #known: string;
  /** The run after which was looked whether everything is done. */
  #lookedAfter: string | null = null;

  constructor(parts: FollowedKeysFile) {
    this.#parts = parts;
    this.#known = JSON.stringify(parts.known);
  }

  async look(): Promise<void> {
    const { path, service, say } = this.#parts;
    const keys = await readInstallationKeys(path);
    const found = JSON.stringify(keys.next);
    if (keys.next !== null && found !== this.#known) {
      await service.learn(nextKeySets(keys, this.#parts));
      say("The next keys are known here: strongroom keys apply brings everything to them.");
    }
    this.#known = found;
    if (keys.next !== null && this.#isInForce(keys) && (await this.#isDone())) {
      const { left } = await promoteNextKeys(path, this.#parts.operator);
      say(
        "Everything lies under the next keys, which are the present ones from now on. Of the keys that were left " +
          `${left.length} can be retired: strongroom keys retire ARN.`,
      );
      this.#known = JSON.stringify(null);
    }
  }

  #isInForce(keys: InstallationKeys): boolean {
    return PURPOSES.every((purpose) => {
      const arns = keys.next?.[purpose] ?? {};
      if (!isOtherKeys(arns, keys[purpose])) return true;
      return [...this.#parts.service.inForce(ROLES[purpose])].sort().join() === Object.values(arns).sort().join();
    });
  }

  /** Counted once after each run: it costs what there is. */
  async #isDone(): Promise<boolean> {
    const { convergence } = this.#parts.service;
    const { run } = await convergence.status();
    if (run?.state !== "done" || run.id === this.#lookedAfter) return false;
    this.#lookedAfter = run.id;
    return isNothingLeft(await convergence.plan());
  }
}

/** Whether everything is under the keys in force, and under no others. */
function isNothingLeft({ stores }: ConvergencePlan): boolean {
  return stores.every(
    ({ lines, kept, flips }) =>
      !flips && kept === 0 && lines.every(({ change }) => change === "none" || change === "inner"),
  );
}
