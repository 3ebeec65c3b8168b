import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { runJobs, type Job } from "../../../scripts/lib/jobs.ts";

/** Jobs that end when they are told to. */
function createJobs(...names: readonly (readonly [name: string, uses?: string])[]) {
  const begun: string[] = [];
  const ends = new Map(names.map(([name]) => [name, Promise.withResolvers<string>()]));
  const jobs = names.map(([name, uses]): Job<string> => {
    const run = () => {
      begun.push(name);
      return ends.get(name)?.promise ?? Promise.reject(new Error(name));
    };
    return { name, run, uses };
  });
  const end = async (name: string) => {
    ends.get(name)?.resolve(`${name} done`);
    await turn();
  };
  const fail = async (name: string, failure: Error) => {
    ends.get(name)?.reject(failure);
    await turn();
  };
  return { jobs, begun, end, fail };
}

describe("jobs", () => {
  it("begin in their order, as many at once as may, and give their results in it", async () => {
    const { jobs, begun, end } = createJobs(["a"], ["b"], ["c"], ["d"]);
    const results = runJobs(jobs, 2);
    expect(begun).to.deep.equal(["a", "b"]);
    await end("b");
    expect(begun).to.deep.equal(["a", "b", "c"]);
    await end("c");
    await end("d");
    await end("a");
    expect(await results).to.deep.equal(["a done", "b done", "c done", "d done"]);
  });

  it("wait for what another is at, and let those behind them go first", async () => {
    const { jobs, begun, end } = createJobs(["a", "x"], ["b", "x"], ["c"], ["d", "x"]);
    const results = runJobs(jobs, 3);
    expect(begun).to.deep.equal(["a", "c"]);
    await end("c");
    expect(begun).to.deep.equal(["a", "c"]);
    await end("a");
    expect(begun).to.deep.equal(["a", "c", "b"]);
    await end("b");
    await end("d");
    expect(await results).to.have.length(4);
  });

  it("fail with the first that does", async () => {
    const { jobs, begun, fail } = createJobs(["a"], ["b"], ["c"]);
    const results = runJobs(jobs, 2).catch((failure: unknown) => failure);
    const failure = new Error("it does not start");
    await fail("b", failure);
    expect(await results).to.equal(failure);
    expect(begun).to.deep.equal(["a", "b"]);
  });

  it("that are none end at once", async () => {
    expect(await runJobs([], 2)).to.deep.equal([]);
  });
});
