import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import {
  openOutbox,
  OutboxConflict,
  RelayProblem,
  RelayUnreachable,
  type Outbox,
  type SubmissionOutcome,
} from "../../../src/sdk/index.ts";
import { answering, hanging, resetting, startReceiver, type Receiver } from "../../integration/support/receiver.ts";
import { accepting, clientOf, failureOf, KEY, problem, requestOf } from "./support.ts";

const SDK = new URL("../../../src/sdk/index.ts", import.meta.url).href;

describe("The outbox", function () {
  this.timeout(20_000);
  let relay: Receiver;
  let folder: string;
  let outcomes: SubmissionOutcome[];
  /** What the caller's own storing fails with. */
  let storeFails: Error | undefined;

  beforeEach(async () => {
    relay = await startReceiver(accepting);
    folder = join(await mkdtemp(join(tmpdir(), "outbox-")), "of", "ours");
    outcomes = [];
    storeFails = undefined;
  });
  afterEach(async () => {
    await relay.close();
    await rm(join(folder, "..", ".."), { recursive: true });
  });

  /** As the program opens it each time that it starts. */
  function opened(): Promise<Outbox> {
    return openOutbox({
      client: clientOf(relay, { retries: 0 }),
      folder,
      onOutcome(outcome) {
        if (storeFails !== undefined) return Promise.reject(storeFails);
        outcomes.push(outcome);
        return Promise.resolve();
      },
    });
  }

  it("keeps a request on the disk, readable to its owner alone, until the outcome is stored", async () => {
    const request = requestOf();
    const kept: [readonly string[], string, number][] = [];
    relay.manner = (response, received) => {
      const path = join(folder, `${request.uetr}.json`);
      void Promise.all([readdir(folder), readFile(path, "utf8"), stat(path)]).then(([names, text, { mode }]) => {
        kept.push([names, text, mode & 0o777]);
        accepting(response, received);
      });
    };
    const outcome = await (await opened()).submit(request);
    expect(kept).to.deep.equal([[[`${request.uetr}.json`], `${JSON.stringify(request)}\n`, 0o600]]);
    expect(outcome).to.include({ kind: "accepted", replayed: false });
    expect(outcomes).to.deep.equal([outcome]);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  for (const [what, manner, error] of [
    ["no answer comes", resetting, RelayUnreachable],
    ["the relay fails", problem(500, "internal"), RelayProblem],
    ["the limit is reached", problem(429, "rate-limited"), RelayProblem],
    ["the key has been revoked", problem(401, "unauthorized"), RelayProblem],
    ["a proxy refuses", answering(403), RelayProblem],
    ["a proxy cannot take it", answering(413), RelayProblem],
  ] as const) {
    it(`keeps the request when ${what}, and sends it on resuming`, async () => {
      relay.manner = manner;
      const requests = [requestOf(), requestOf()];
      const outbox = await opened();
      for (const request of requests) expect(await failureOf(outbox.submit(request))).to.be.instanceOf(error);
      expect(await outbox.resume()).to.deep.equal({ sent: 0, left: 2 });
      expect(outcomes).to.deep.equal([]);

      relay.manner = accepting;
      const restarted = await opened();
      expect(await restarted.resume()).to.deep.equal({ sent: 2, left: 0 });
      expect(outcomes.map(({ request }) => request)).to.have.deep.members(requests);
      expect(await restarted.resume()).to.deep.equal({ sent: 0, left: 0 });
      // Every time the same bytes: the relay tells the content by them.
      expect(new Set(relay.received.map(({ body }) => body)).size).to.equal(2);
    });
  }

  it("stores a final refusal, and forgets the request", async () => {
    relay.manner = problem(422, "corridor-closed", { reason: "AG03" });
    const outcome = await (await opened()).submit(requestOf());
    expect(outcome).to.have.nested.property("problem.code", "corridor-closed");
    expect(outcomes).to.deep.equal([outcome]);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it("tells an outcome again that could not be stored", async () => {
    const request = requestOf();
    storeFails = new Error("the caller's database is away");
    expect(await failureOf((await opened()).submit(request))).to.equal(storeFails);
    expect(await failureOf((await opened()).resume())).to.equal(storeFails);
    storeFails = undefined;
    expect(await (await opened()).resume()).to.deep.equal({ sent: 1, left: 0 });
    expect(outcomes.map((outcome) => outcome.request.uetr)).to.deep.equal([request.uetr]);
  });

  it("refuses another transfer under a UETR that is under way, and takes the same again", async () => {
    relay.manner = resetting;
    const outbox = await opened();
    const request = requestOf();
    await failureOf(outbox.submit(request));
    const other = { ...request, purpose: "SALA" };
    expect(await failureOf(outbox.submit(other)))
      .to.be.instanceOf(OutboxConflict)
      .with.property("uetr", request.uetr);
    relay.manner = accepting;
    expect(await outbox.submit(request)).to.include({ kind: "accepted" });
  });

  it("neither keeps nor sends what no relay would take", async () => {
    const outbox = await opened();
    for (const [field, request] of [
      ["uetr", { ...requestOf(), uetr: "../../escape" }],
      ["purpose", { ...requestOf(), purpose: "gift" }],
      ["target", { ...requestOf(), target: 0 }],
    ] as const) {
      expect(await failureOf(outbox.submit(request))).to.include({ code: "invalid-request", field });
    }
    expect(await readdir(folder)).to.deep.equal([]);
    expect(relay.received).to.deep.equal([]);
  });

  it("survives the program's death while it waits for the answer", async function () {
    this.timeout(20_000);
    relay.manner = hanging;
    const request = requestOf();
    const program = `
      import { createClient, openOutbox } from ${JSON.stringify(SDK)};
      const client = createClient({ url: ${JSON.stringify(relay.url)}, key: ${JSON.stringify(KEY)} });
      const outbox = await openOutbox({ client, folder: ${JSON.stringify(folder)}, onOutcome: async () => {} });
      await outbox.submit(${JSON.stringify(request)});`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: "inherit" });
    while (relay.received.length === 0) await delay(5);
    child.kill("SIGKILL");
    await once(child, "exit");

    relay.manner = accepting;
    expect(await (await opened()).resume()).to.deep.equal({ sent: 1, left: 0 });
    expect(outcomes.map((outcome) => outcome.request)).to.deep.equal([request]);
    expect(new Set(relay.received.map(({ body }) => body)).size).to.equal(1);
  });
});
