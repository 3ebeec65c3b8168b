import { expect } from "chai";
import { fakeRelay, parsed, run } from "./fixtures.ts";

const CLOCK = { now: "2026-12-11T05:00:00.000Z", advancedSeconds: 864_000 };

describe("feiqian sandbox clock", () => {
  it("shows the clock, and needs no relay", async () => {
    const sandbox = fakeRelay(() => ({ body: CLOCK }));
    const ran = await run(["sandbox", "clock"], { ...sandbox, environment: {} });
    expect([ran.code, ran.out, ran.err]).to.deep.equal([
      0,
      "now       2026-12-11T05:00:00.000Z\nahead by  10d of the machine's clock\n",
      "",
    ]);
    expect(sandbox.asked).to.deep.equal([{ method: "GET", path: "/clock", authorization: null, body: "" }]);
  });

  it("advances it, wherever the sandbox is said to be", async () => {
    const urls: string[] = [];
    const sandbox = fakeRelay(() => ({ body: CLOCK }));
    const fetch: typeof globalThis.fetch = (input, init) => {
      urls.push(new Request(input).url);
      return sandbox.fetch(input, init);
    };
    const environment = { FEIQIAN_SANDBOX_URL: "http://127.0.0.1:4000" };
    const ran = await run(["--json", "sandbox", "clock", "+10d"], { fetch, environment });
    expect(parsed(ran.out)).to.deep.equal(CLOCK);
    await run(["sandbox", "clock", "+2d12h", "--sandbox", "http://127.0.0.1:5000/"], { fetch, environment });
    await run(["sandbox", "clock"], { fetch, environment: {} });
    expect(urls).to.deep.equal([4000, 5000, 8680].map((port) => `http://127.0.0.1:${port}/clock`));
    expect(sandbox.asked.map(({ method, body }) => [method, body])).to.deep.equal([
      ["POST", { advance: "+10d" }],
      ["POST", { advance: "+2d12h" }],
      ["GET", ""],
    ]);
  });

  it("refuses what is no advance before it asks anybody, with the rule", async () => {
    for (const advance of ["10d", "+31d", "+1w"]) {
      const ran = await run(["sandbox", "clock", advance]);
      expect(ran.code, advance).to.equal(4);
      expect(ran.err).to.match(
        /^feiqian: advance: "\+" and days, hours, minutes or seconds .*from 1 second to 30 days/,
      );
    }
    expect((await run(["sandbox", "clock", "--sandbox", "ftp://x"])).err).to.contain("--sandbox: an http or https URL");
    expect((await run(["sandbox", "clock", "-1d"])).code).to.equal(2);
  });

  it("tells why the sandbox refuses, and what to do where none answers", async () => {
    const refusing = fakeRelay(() => ({ status: 400, body: { field: "clock", rule: "at most so far" } }));
    const refused = await run(["sandbox", "clock", "+1d"], refusing);
    expect([refused.code, refused.err]).to.deep.equal([4, "feiqian: clock: at most so far\n"]);
    const broken = await run(
      ["sandbox", "clock", "+1d"],
      fakeRelay(() => ({ status: 500, body: {} })),
    );
    expect([broken.code, broken.err]).to.deep.equal([
      8,
      "feiqian: the sandbox answered 500: see what time it has, before you try again\n",
    ]);
    const nobody = await run(["sandbox", "clock"]);
    expect(nobody.code).to.equal(8);
    expect(nobody.err).to.contain("no sandbox answers at http://127.0.0.1:8680: npm start runs one");
    const other = await run(
      ["sandbox", "clock"],
      fakeRelay(() => ({ body: { time: "late" } })),
    );
    expect([other.code, other.err]).to.deep.equal([
      8,
      "feiqian: what answers at http://127.0.0.1:8680 is no sandbox\n",
    ]);
  });
});
