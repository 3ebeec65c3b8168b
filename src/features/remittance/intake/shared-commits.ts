import { setImmediate as immediate } from "node:timers/promises";
import type { ParsedSubmitRequest } from "../../../schema/transfers.ts";
import { isOfItem } from "../../../kernel/steps/faults.ts";
import type { BrokenSubmission } from "./content.ts";
import type { Intake, Submission } from "./intake.ts";

type ToSubmit = ParsedSubmitRequest | BrokenSubmission;

interface Waiting {
  readonly submission: ToSubmit;
  readonly answer: PromiseWithResolvers<Submission>;
}

/** As many as are stored together. */
const MOST = 500;
/** While one group is on its way to the disk, another one is priced and sealed. */
const AT_ONCE = 2;

/**
 * Has submissions that come one by one share what each would otherwise pay alone: the statements that price and store it,
 * and the commit. Nobody waits for others to arrive: while fewer than `AT_ONCE` groups are under way, what has arrived at
 * this process is stored at once; what arrives meanwhile is the next group. Each gets its own answer, after its own row is
 * on disk.
 */
export function shareCommits(intake: Pick<Intake, "submit">): (submission: ToSubmit) => Promise<Submission> {
  const waiting: Waiting[] = [];
  let underWay = 0;
  let isGathering = false;
  const storeNext = async (): Promise<void> => {
    if (isGathering || underWay === AT_ONCE || waiting.length === 0) return;
    isGathering = true;
    // Whatever has arrived with it is on its way through this process.
    await immediate();
    isGathering = false;
    underWay++;
    const group = waiting.splice(0, MOST);
    void storeNext();
    await submitGroup(intake, group);
    underWay--;
    void storeNext();
  };
  return (submission) => {
    const answer = Promise.withResolvers<Submission>();
    waiting.push({ submission, answer });
    void storeNext();
    return answer.promise;
  };
}

/** Resolves when each has its answer; it never rejects. */
async function submitGroup(intake: Pick<Intake, "submit">, group: readonly Waiting[]): Promise<void> {
  try {
    const answers = await intake.submit(group.map(({ submission }) => submission));
    for (const [index, { answer }] of group.entries()) {
      const own = answers[index];
      if (own === undefined) answer.reject(new Error("intake: one answer for each"));
      else answer.resolve(own);
    }
  } catch (failure) {
    // What one of them makes fail fails that one only. A store that is away is away for all.
    if (group.length > 1 && isOfItem(failure)) for (const one of group) await submitGroup(intake, [one]);
    else for (const { answer } of group) answer.reject(failure);
  }
}
