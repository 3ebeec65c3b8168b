import type { Acceptance } from "./accepted.ts";
import type { Mutant } from "./generate.ts";
import type { Result } from "./lane.ts";

/** What became of the mutants of one file, or of all. */
export interface Tally {
  readonly killed: number;
  readonly survived: number;
  /** Counted as killed. */
  readonly timedOut: number;
  /** Accepted as equivalent, and counted for nothing, as invalid ones are. */
  readonly equivalent: number;
  readonly invalid: number;
}

export interface Survivor {
  readonly mutant: Mutant;
  readonly acceptance: Acceptance | undefined;
}

export interface Summary {
  readonly files: ReadonlyMap<string, Tally>;
  readonly total: Tally;
  readonly survivors: readonly Survivor[];
  /** Acceptances of mutants that do not survive any more. */
  readonly killed: readonly Acceptance[];
  /** Acceptances of mutants that there are none of. */
  readonly gone: readonly Acceptance[];
  readonly passed: boolean;
}

/** Of a hundred mutants that count, how many must be killed. */
export const LEAST_SCORE = 98;

/**
 * Adds up the results. They pass when the score is high enough, every survivor has been accepted, and every acceptance
 * is true: of a mutant that there is, and that survived if it was tried.
 */
export function summarize(
  results: readonly Result[],
  mutants: readonly Mutant[],
  accepted: ReadonlyMap<string, Acceptance>,
): Summary {
  const byFile = Map.groupBy(results, ({ mutant }) => mutant.file);
  const files = new Map([...byFile].map(([file, group]) => [file, tallyOf(group, accepted)]));
  const total = tallyOf(results, accepted);
  const survivors = results
    .filter(({ verdict }) => verdict.kind === "survived")
    .map(({ mutant }) => ({ mutant, acceptance: accepted.get(mutant.id) }));
  const killed = results
    .filter(({ verdict }) => verdict.kind !== "survived")
    .flatMap(({ mutant }) => accepted.get(mutant.id) ?? []);
  const known = new Set(mutants.map(({ id }) => id));
  const gone = [...accepted].filter(([id]) => !known.has(id)).map(([, acceptance]) => acceptance);
  const isTrue = killed.length === 0 && gone.length === 0;
  const isKnown = survivors.every(({ acceptance }) => acceptance !== undefined);
  return { files, total, survivors, killed, gone, passed: isTrue && isKnown && isEnough(total) };
}

/** The summary and every result, for programs. */
export function asJson({ total, survivors, killed, gone }: Summary, results: readonly Result[]): object {
  return {
    score: scoreOf(total),
    ...total,
    survivors: survivors.map(({ mutant, acceptance }) => ({ id: mutant.id, reason: acceptance?.reason })),
    untrueAcceptances: [...killed, ...gone],
    results: results.map(({ mutant: { change: _, definition: __, ...mutant }, verdict }) => ({ ...mutant, verdict })),
  };
}

/** The share of those that count which were killed, in per cent with two decimals; rounded down, so that 100 is all. */
export function scoreOf({ killed, timedOut, survived }: Tally): string {
  const counted = killed + timedOut + survived;
  if (counted === 0) return "–";
  return (Math.floor(((killed + timedOut) * 10_000) / counted) / 100).toFixed(2);
}

/** The summary for people: a table by file, then what has to be looked at. */
export function describeSummary({ files, total, survivors, killed, gone }: Summary): string {
  const width = Math.max(...[...files.keys()].map((file) => file.length), "all".length);
  const rows = [...files, ["all", total] as const].map(([name, tally]) => describeRow(name, width, tally));
  const heading = `${"".padEnd(width)}${COLUMNS.map(([title]) => title.padStart(title.length + 2)).join("")}  score %`;
  const told = [
    ...survivors.map(describeSurvivor),
    ...killed.map((acceptance) => `accepted, but does not survive: ${describeAcceptance(acceptance)}`),
    ...gone.map((acceptance) => `accepted, but there is no such mutant: ${describeAcceptance(acceptance)}`),
  ];
  return [heading, ...rows, "", ...told].join("\n");
}

/** A mutant as a change of its line. */
export function describeMutant({ id, file, line, scope, operator, was, becomes }: Mutant): string {
  return `${id}  ${file}:${line}  ${scope}, ${operator}\n  - ${was}\n  + ${becomes}`;
}

const COLUMNS = [
  ["killed", "killed"],
  ["survived", "survived"],
  ["timed out", "timedOut"],
  ["equivalent", "equivalent"],
  ["invalid", "invalid"],
] as const satisfies readonly (readonly [string, keyof Tally])[];

function describeRow(name: string, width: number, tally: Tally): string {
  const cells = COLUMNS.map(([title, key]) => String(tally[key]).padStart(title.length + 2));
  return `${name.padEnd(width)}${cells.join("")}  ${scoreOf(tally).padStart("score %".length)}`;
}

function describeSurvivor({ mutant, acceptance }: Survivor): string {
  const why =
    acceptance === undefined ? "not known: test it, or accept it" : `${acceptance.kind}: ${acceptance.reason}`;
  return `survived: ${describeMutant(mutant)}\n  ${why}`;
}

function describeAcceptance({ file, scope, was, becomes }: Acceptance): string {
  return `${file} ${scope}\n  - ${was}\n  + ${becomes}`;
}

function tallyOf(results: readonly Result[], accepted: ReadonlyMap<string, Acceptance>): Tally {
  const isEquivalent = ({ mutant }: Result): boolean => accepted.get(mutant.id)?.kind === "equivalent";
  const survived = results.filter(({ verdict }) => verdict.kind === "survived");
  const count = (kind: Result["verdict"]["kind"]): number =>
    results.filter(({ verdict }) => verdict.kind === kind).length;
  const equivalent = survived.filter(isEquivalent).length;
  return {
    killed: count("killed"),
    survived: survived.length - equivalent,
    timedOut: count("timed-out"),
    equivalent,
    invalid: count("invalid"),
  };
}

function isEnough({ killed, timedOut, survived }: Tally): boolean {
  return (killed + timedOut) * 100 >= LEAST_SCORE * (killed + timedOut + survived);
}
