/** The kinds of things that may differ. Each feature adds those of its own where it compares them. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- features add to it, the kernel knows none
export interface DifferenceKinds {}

export interface Difference {
  readonly kind: keyof DifferenceKinds;
  /** What it is about: a currency, a batch, a UETR, an event, a webhook. */
  readonly subject: string;
  /** For people. */
  readonly sentence: string;
}

/** Differences that a report names; of more, it tells how many there are. */
const MAX_NAMED = 1_000;

/** Where a reconciliation puts what it finds: bounded, however much differs. */
export interface Findings {
  readonly named: readonly Difference[];
  /** How many there are beside those that are named. */
  readonly omitted: number;
  add(kind: Difference["kind"], subject: string, sentence: string): void;
}

export function createFindings(): Findings {
  const named: Difference[] = [];
  let omitted = 0;
  return {
    named,
    get omitted() {
      return omitted;
    },
    add(kind, subject, sentence) {
      if (named.length < MAX_NAMED) named.push({ kind, subject, sentence });
      else omitted += 1;
    },
  };
}
