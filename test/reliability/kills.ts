import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../../src/kernel/random.ts";

/** Which relay a step is to be killed in: the one where it has the most to do when money goes one way. */
export type Side = "source" | "target" | "either";

/** A `kill -9` of its own, the nth time that a relay gets to a named point. */
export interface CheckpointKill {
  readonly name: string;
  readonly nth: number;
}

/** Some kills at checkpoints, one after the other on each side, both sides at once. */
export interface CheckpointRound {
  /** Whether batches go in one step meanwhile: what is on the way of the others is not got to then. */
  readonly isOneStep: boolean;
  readonly source: readonly CheckpointKill[];
  readonly target: readonly CheckpointKill[];
  /** Of a step that nobody has thought of here: waited for in both relays. */
  readonly either: readonly CheckpointKill[];
}

/** A `kill -9` at no point in particular, after some time. */
export interface MomentKill {
  readonly side: Side;
  readonly afterMs: number;
}

export interface KillPlan {
  readonly rounds: readonly CheckpointRound[];
  readonly moments: readonly MomentKill[];
  /** Those of the sweeper, which has little to do while both relays are up: for when one is down. */
  readonly ofSweeper: readonly string[];
}

const SOURCE_STEPS = new Set([
  "intake",
  "cancellation",
  "pricing",
  "batcher",
  "proposer",
  "batch",
  "opener",
  "courier",
  "watcher",
  "notifier",
]);
const TARGET_STEPS = new Set(["proposal", "payload", "responder", "settler", "crediter", "confirmer"]);
/** Steps that a batch passes only where it opens and settles in two steps. */
const TWO_STEPS = new Set(["courier", "payload", "responder", "settler"]);
/** A point that a relay gets to once in a while only. */
const RARE = new Set(["cancellation.stored"]);
const MOST_NTH = 4;
const IN_A_ROUND = 3;
const LEAST_WAIT_MS = 200;
const WAIT_RANGE_MS = 1_800;
/** Of a long run's kills, in percent, those at no point in particular. */
const MOMENT_PERCENT = 30;
const LEAST_MOMENTS = 4;

/**
 * Not on the way of a transfer here: after a data key was changed (resealer.test.ts), a provider has failed, a promise has
 * lapsed (proposals.test.ts), or a registry has come (new-registry.test.ts).
 */
const ELSEWHERE: readonly string[] = [
  "resealer.replaced",
  "opener.blamed",
  "responder.released",
  "watcher.registryRead",
  "watcher.registryWritten",
];

/** Every kill point in the sources, so that a new one is tested without anybody thinking of it. */
export function findCheckpoints(folder = "src"): readonly string[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  const names = files.flatMap((path) => {
    const calls = readFileSync(join(folder, path), "utf8").matchAll(/\bcheckpoint\("([^"]+)"\)/g);
    return [...calls].map(([, name]) => name ?? "");
  });
  return [...new Set(names)].filter((name) => !ELSEWHERE.includes(name)).sort();
}

/** Which relay to kill there. A step that nobody has thought of here is waited for in both. */
function sideOf(checkpoint: string): Side {
  const [step = ""] = checkpoint.split(".");
  return SOURCE_STEPS.has(step) ? "source" : TARGET_STEPS.has(step) ? "target" : "either";
}

/** At least so many kills: every checkpoint once, then again and again; the rest at random moments. */
export function planKills(checkpoints: readonly string[], wanted: number, random: Random): KillPlan {
  const ofSweeper = checkpoints.filter((name) => name.startsWith("sweeper."));
  const others = checkpoints.filter((name) => !ofSweeper.includes(name));
  const leastMoments = Math.max(LEAST_MOMENTS, Math.ceil((wanted * MOMENT_PERCENT) / 100));
  const times = Math.max(1, Math.floor((wanted - leastMoments) / Math.max(1, others.length)));
  const ofTwoSteps = others.filter(isOfTwoSteps);
  const ofOneStep = others.filter((name) => !isOfTwoSteps(name));
  const rounds = Array.from({ length: times }, () => [
    ...roundsOf(random.shuffle(ofOneStep), random, true),
    ...roundsOf(random.shuffle(ofTwoSteps), random, false),
  ]).flat();
  const moments = Math.max(LEAST_MOMENTS, wanted - times * others.length);
  return {
    rounds,
    ofSweeper,
    moments: Array.from({ length: moments }, () => ({
      side: random.pick(["source", "target", "either"] as const),
      afterMs: LEAST_WAIT_MS + random.below(WAIT_RANGE_MS),
    })),
  };
}

function isOfTwoSteps(checkpoint: string): boolean {
  const [step = ""] = checkpoint.split(".");
  return TWO_STEPS.has(step);
}

function roundsOf(names: readonly string[], random: Random, isOneStep: boolean): readonly CheckpointRound[] {
  const kills = names.map((name) => ({ name, nth: RARE.has(name) ? 1 : 1 + random.below(MOST_NTH) }));
  const of = (side: Side) => kills.filter(({ name }) => sideOf(name) === side);
  const [source, target, either] = [of("source"), of("target"), of("either")];
  const count = Math.ceil(Math.max(source.length, target.length, either.length) / IN_A_ROUND);
  const share = (all: readonly CheckpointKill[], round: number) => all.filter((_, index) => index % count === round);
  return Array.from({ length: count }, (_, round) => ({
    isOneStep,
    source: share(source, round),
    target: share(target, round),
    either: share(either, round),
  }));
}
