import { InvalidInput } from "../src/domain/errors.ts";
import type { PartnerId } from "../src/domain/partner.ts";
import { beatCall } from "../src/ledger/calls.ts";
import type { SandboxClock } from "./clock.ts";
import type { Sandbox } from "./sandbox.ts";
import type { SandboxChain } from "./sandbox-chain.ts";

/** Has time pass for everybody in the sandbox: on the ledger, and by the clock of all that runs in its process. */
export interface PassingTime {
  readonly clock: Pick<SandboxClock, "nowMs" | "advancedMs">;
  /**
   * Callers come after each other. Where it fails on the way, some of the time has passed, for everybody alike.
   * @throws InvalidInput where somebody would not follow, or it is too much in all
   */
  readonly advance: (seconds: number) => Promise<void>;
  /** As much as the ledger counts between two beats; on nodes time passes by itself. */
  readonly passTime: () => Promise<void>;
}

export interface PassingTimeOptions {
  readonly sandbox: Sandbox;
  readonly chain: SandboxChain;
  readonly clock: SandboxClock;
  /** A partner whose relay is in no process of ours, and has the machine's clock. */
  readonly ownRelay: PartnerId | undefined;
  readonly onPassed: () => void;
}

const DAY_SECONDS = 86_400;
const MOST_DAYS_IN_ALL = 3_650;
const SECOND_MS = 1_000;

export function createPassingTime(options: PassingTimeOptions): PassingTime {
  const { sandbox, chain, clock, ownRelay, onPassed } = options;
  const { graceSeconds, beatIntervalSeconds } = sandbox.config.clock;
  // Room for what passes by itself before the beat.
  const longestStep = graceSeconds - beatIntervalSeconds;
  let last: Promise<void> = Promise.resolve();

  const beat = async (): Promise<void> => {
    await (await sandbox.submitterOf({ kind: "courier" })).submit(beatCall(sandbox.ledger));
  };
  const pass = async (seconds: number): Promise<void> => {
    if (chain.kind === "nodes") throw new InvalidInput("clock", "of a sandbox whose chain is in its process");
    // The last beat may have been long ago: what has passed since is counted before more does.
    await beat();
    try {
      for (let left = seconds; left > 0; left -= longestStep) {
        const step = Math.min(left, longestStep);
        await chain.chain.request({ method: "evm_increaseTime", params: [step] });
        clock.advance(step * SECOND_MS);
        await beat();
      }
    } finally {
      // Not before: all of the sandbox would be at work between two beats.
      clock.wake();
      onPassed();
    }
  };
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  return {
    clock,
    advance: (seconds) =>
      inTurn(async () => {
        if (ownRelay !== undefined) {
          const rule = `the machine's while the relay of partner ${ownRelay} is yours, which has that clock, too`;
          throw new InvalidInput("clock", rule);
        }
        if (clock.advancedMs() / SECOND_MS + seconds > MOST_DAYS_IN_ALL * DAY_SECONDS) {
          throw new InvalidInput("clock", `at most ${MOST_DAYS_IN_ALL} days ahead of the machine's`);
        }
        await pass(seconds);
      }),
    passTime: () => inTurn(async () => (chain.kind === "nodes" ? onPassed() : pass(longestStep))),
  };
}
