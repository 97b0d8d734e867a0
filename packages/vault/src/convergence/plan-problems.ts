/**
 * What is in the way of a plan, or to be known before it is applied.
 */
import { shown } from "@strongroom/base/shown";
import type { ConvergencePlan, FleetMember, PlanProblem, StorePlan } from "./view.ts";

/** The processes as they last said of themselves. */
export interface FleetSeen {
  readonly members: readonly FleetMember[];
  /** Notes that nobody can read, or more than a list has: of whom is not known what they know. */
  readonly unknown: number;
}

/** What is looked at. */
export interface Planned extends Pick<ConvergencePlan, "scopes"> {
  readonly stores: readonly StorePlan[];
  readonly fleet: FleetSeen;
  readonly isUnderWay: boolean;
  /** A fleet that differs is no obstacle. */
  readonly force: boolean;
}

/** Processes that a message names. */
const MOST_NAMED = 8;

/** All of them, what blocks before what does not. */
export function planProblems(planned: Planned): readonly PlanProblem[] {
  const problems = CHECKS.flatMap((check) => check(planned) ?? []);
  return [...problems.filter(({ blocks }) => blocks), ...problems.filter(({ blocks }) => !blocks)];
}

type Check = (planned: Planned) => PlanProblem | null;

const runUnderWay: Check = ({ isUnderWay }) =>
  isUnderWay
    ? {
        code: "run-under-way",
        message: "A run is under way: it ends, or is ended, before another begins",
        blocks: true,
      }
    : null;

const namesMissing: Check = ({ stores }) => {
  const unnamed = stores.filter(({ declared }) => declared.keys === null).map(({ store }) => store);
  if (unnamed.length === 0) return null;
  const message =
    `The keyring of ${unnamed.join(" and ")} was given without the names of its keys (keySet): ` +
    "nothing can be held against it";
  return { code: "names-missing", message, blocks: true };
};

/**
 * A store in which no set was put in force yet concerns nobody; one that stays as it is, neither. Nor do scopes that
 * everything is in.
 */
const fleetDiffers: Check = ({ stores, scopes, fleet, force }) => {
  const [flips, moves] = [stores.some((store) => store.flips), scopes.length > 0];
  if (!flips && !moves) return null;
  const alive = fleet.members.filter(({ isAlive }) => isAlive);
  const ignorant = flips ? alive.filter(({ knowsDeclared }) => !knowsDeclared) : [];
  const others = moves ? alive.filter(({ declaresScopes }) => !declaresScopes) : [];
  const told = [
    ...(ignorant.length === 0 ? [] : [`${named(ignorant)} would stop writing`]),
    ...(others.length === 0 ? [] : [`${named(others)} would go on writing in other scopes`]),
    ...(fleet.unknown === 0 ? [] : [`of ${fleet.unknown} more is not known what they know`]),
  ];
  if (told.length === 0) return null;
  const what = moves ? "the declared keys and scopes" : "the declared keys";
  const message = `Not all processes that are alive go by ${what}: ${told.join("; ")}`;
  return { code: "fleet-differs", message, blocks: !force };
};

function named(members: readonly FleetMember[]): string {
  const names = members.slice(0, MOST_NAMED).map(({ process }) => shown(process));
  const more = members.length - names.length;
  return `${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** They stay as they are; what can be told of the others is done. */
const setsDamaged: Check = ({ stores }) => {
  const damaged = stores.flatMap(({ store, lines }) =>
    lines.filter(({ change }) => change === "unknown").map(({ items }) => `${items} of ${store}`),
  );
  if (damaged.length === 0) return null;
  const message = `Nobody can tell the wraps of ${damaged.join(" and ")}: they stay as they are (strongroom verify)`;
  return { code: "sets-damaged", message, blocks: false };
};

const nothingToDo: Check = ({ stores, scopes }) => {
  const changes = stores.flatMap(({ lines }) => lines.map(({ change }) => change));
  const isDone = changes.every((change) => change === "none" || change === "inner" || change === "unknown");
  const isKept = stores.some(({ kept }) => kept > 0);
  if (!isDone || isKept || scopes.length > 0 || stores.some(({ flips }) => flips)) return null;
  return { code: "nothing-to-do", message: "Everything that is stored is as declared", blocks: false };
};

const CHECKS: readonly Check[] = [runUnderWay, namesMissing, fleetDiffers, setsDamaged, nothingToDo];
