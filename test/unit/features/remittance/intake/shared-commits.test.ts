import { expect } from "chai";
import type { BrokenSubmission } from "../../../../../src/features/remittance/intake/content.ts";
import type { Submission } from "../../../../../src/features/remittance/intake/intake.ts";
import { shareCommits } from "../../../../../src/features/remittance/intake/shared-commits.ts";
import { parseUetr } from "../../../../../src/domain/uetr.ts";
import { refused } from "../../../../../src/kernel/refusal.ts";
import { StoreUnavailable } from "../../../../../src/kernel/store/faults.ts";

interface Group {
  readonly submissions: readonly BrokenSubmission[];
  readonly answer: PromiseWithResolvers<readonly Submission[]>;
}

describe("submissions that share commits", () => {
  let groups: Group[];
  const submit = (submissions: readonly unknown[]): Promise<readonly Submission[]> => {
    const group = {
      submissions: submissions as readonly BrokenSubmission[],
      answer: Promise.withResolvers<readonly Submission[]>(),
    };
    groups.push(group);
    return group.answer.promise;
  };
  let share: ReturnType<typeof shareCommits>;

  beforeEach(() => {
    groups = [];
    share = shareCommits({ submit });
  });

  /** With its number in its UETR. */
  const numbered = (number: number): BrokenSubmission => ({
    uetr: parseUetr(`00000000-0000-4000-8000-${String(number).padStart(12, "0")}`),
    fault: refused("malformed-request", `number ${number}`),
  });
  const answersTo = ({ submissions }: Group): readonly Submission[] => submissions.map(({ fault }) => fault);
  const groupAt = (index: number): Group => groups[index] ?? expect.fail(`there are ${groups.length} groups`);
  const sizes = () => groups.map(({ submissions }) => submissions.length);
  const send = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => share(numbered(from + index)));
  /** Until everything that can go on has gone on. */
  const settled = async () => {
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  };
  const accept = async (index: number) => {
    groupAt(index).answer.resolve(answersTo(groupAt(index)));
    await settled();
  };

  it("stores together what has arrived, and what arrives while two groups are under way", async () => {
    const sent = send(0, 3);
    await settled();
    sent.push(...send(3, 4));
    await settled();
    sent.push(...send(4, 40));
    await settled();
    expect(sizes()).to.deep.equal([3, 1]);
    await accept(1);
    expect(sizes()).to.deep.equal([3, 1, 36]);
    sent.push(...send(40, 42));
    await accept(2);
    expect(sizes()).to.deep.equal([3, 1, 36, 2]);
    await accept(0);
    await accept(3);
    const answers = await Promise.all(sent);
    expect(answers).to.deep.equal(answers.map((_, index) => numbered(index).fault));
  });

  it("stores no more than 500 together", async () => {
    void send(0, 1_100);
    await settled();
    expect(sizes()).to.deep.equal([500, 500]);
    await accept(0);
    expect(sizes()).to.deep.equal([500, 500, 100]);
  });

  it("lets one that makes a group fail fail alone", async () => {
    const sent = Promise.allSettled(send(0, 3));
    await settled();
    groupAt(0).answer.reject(new Error("number 1 is not to be stored"));
    await settled();
    await accept(1);
    groupAt(2).answer.reject(new Error("number 1 is not to be stored"));
    await settled();
    await accept(3);
    expect(sizes()).to.deep.equal([3, 1, 1, 1]);
    expect((await sent).map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected", "fulfilled"]);
    void send(3, 5);
    await settled();
    expect(sizes()).to.deep.equal([3, 1, 1, 1, 2]);
  });

  it("asks a store that is away no second time for the same group", async () => {
    const sent = Promise.allSettled(send(0, 5));
    await settled();
    groupAt(0).answer.reject(new StoreUnavailable("away"));
    await settled();
    expect(sizes()).to.deep.equal([5]);
    for (const { status } of await sent) expect(status).to.equal("rejected");
  });
});
