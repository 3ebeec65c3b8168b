/** What became of a suite's tests. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Counts a suite's tests from the lines it printed. Mocha and Hardhat's Solidity runner close alike: "12 passing (3s)",
 * "1 failing", "2 pending" or "2 skipped". A suite that fails without a failing test (it does not compile, its gas
 * changed) or that ran nothing counts as one failure, with its reason.
 */
export function tallyOf(
  lines: readonly string[],
  status: number | null,
): { readonly tally: Tally; readonly complaint?: string } {
  const tally = {
    passed: lastCount(lines, "passing"),
    failed: lastCount(lines, "failing"),
    skipped: lastCount(lines, "pending|skipped"),
  };
  if (tally.failed > 0) return { tally };
  const failure = { ...tally, failed: 1 };
  if (status === null) return { tally: failure, complaint: "was ended by a signal" };
  if (status !== 0) return { tally: failure, complaint: `ended with status ${status} although no test failed` };
  if (tally.passed + tally.skipped === 0) return { tally: failure, complaint: "ran no tests" };
  return { tally };
}

export function addTallies(tallies: readonly Tally[]): Tally {
  const none: Tally = { passed: 0, failed: 0, skipped: 0 };
  return tallies.reduce(
    (sum, { passed, failed, skipped }) => ({
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      skipped: sum.skipped + skipped,
    }),
    none,
  );
}

/** "12 passed, 0 failed, 2 skipped" */
export function describeTally({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** What a suite's runner says of the tests that failed: its lines from "2 failing" on, empty where none did. */
export function failuresIn(lines: readonly string[]): readonly string[] {
  const from = lines.findLastIndex((line) => countPattern("failing").test(line));
  return from === -1 ? [] : lines.slice(from).filter((line) => line.trim() !== "");
}

function lastCount(lines: readonly string[], words: string): number {
  const pattern = countPattern(words);
  const found = lines.map((line) => pattern.exec(line)?.[1]).findLast((digits) => digits !== undefined);
  return found === undefined ? 0 : Number.parseInt(found, 10);
}

function countPattern(words: string): RegExp {
  return new RegExp(`^\\s*(\\d+) (?:${words})(?: \\([^)]*\\))?\\s*$`);
}
