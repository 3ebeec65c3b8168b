import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  InvalidSubmission,
  newUetr,
  openOutbox,
  OutboxConflict,
  RelayProblem,
  RelayUnreachable,
  type Outbox,
  type SubmissionOutcome,
} from "../../../sdk/index.ts";
import { until } from "../../support/until.ts";
import { answering, hanging, resetting, startReceiver, type Receiver } from "../../integration/support/receiver.ts";
import { acceptanceOf, accepting, clientOf, failureOf, json, KEY, problem, requestOf } from "./support.ts";

const SDK = new URL("../../../sdk/index.ts", import.meta.url).href;

describe("The outbox", function () {
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
    ["a proxy says what a relay would say of a refusal", answering(422), RelayProblem],
    ["a proxy sees a conflict", answering(409), RelayProblem],
    ["the relay refuses, and does not say what of the transfer", problem(422, "corridor-closed"), RelayProblem],
    ["the relay could not read it", problem(400, "malformed-request", { transfer: "unknown" }), RelayProblem],
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
    relay.manner = problem(422, "corridor-closed", { reason: "AG03", transfer: "none" });
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

  const standing = (uetr: string, status = "credited") => {
    const { target, ...acceptance } = acceptanceOf(uetr);
    return { ...acceptance, target, status, pacs002: "ACCC", isFinal: true, steps: [] };
  };

  for (const [status, code] of [
    [409, "uetr-conflict"],
    [503, "content-uncheckable"],
  ] as const) {
    it(`tells after ${code} how the stored transfer stands, and never a refusal`, async () => {
      const request = requestOf();
      const stored = standing(request.uetr);
      relay.manner = problem(status, code, { transfer: "stored", stored });
      const outcome = await (await opened()).submit(request);
      expect(outcome).to.deep.include({ kind: "conflict", request, stored });
      expect(outcomes).to.deep.equal([outcome]);
      expect(await readdir(folder)).to.deep.equal([]);
    });
  }

  it("looks the stored transfer up where the conflict does not tell of it, and waits until it can", async () => {
    const request = requestOf();
    let isAway = true;
    relay.manner = (response, received) => {
      if (received.path === "/v1/transfers") problem(409, "uetr-conflict", { transfer: "stored" })(response, received);
      else if (isAway) resetting(response, received);
      else json(200, standing(request.uetr, "rejected"))(response, received);
    };
    expect(await failureOf((await opened()).submit(request))).to.be.instanceOf(RelayUnreachable);
    expect(outcomes).to.deep.equal([]);
    isAway = false;
    expect(await (await opened()).resume()).to.deep.equal({ sent: 1, left: 0 });
    expect(outcomes[0]).to.have.nested.property("stored.status", "rejected");
  });

  it("refuses another transfer under a UETR that is under way, and takes the same again, however it is spelled", async () => {
    relay.manner = resetting;
    const outbox = await opened();
    const request = requestOf();
    await failureOf(outbox.submit(request));
    for (const other of [
      { ...request, purpose: "SALA" },
      { ...request, retryOf: newUetr() },
    ]) {
      expect(await failureOf(outbox.submit(other)))
        .to.be.instanceOf(OutboxConflict)
        .with.property("uetr", request.uetr);
    }
    relay.manner = accepting;
    const { uetr, ...rest } = request;
    expect(await outbox.submit({ ifUnfunded: "fail", ...rest, uetr })).to.include({ kind: "accepted" });
    // As it was written down.
    expect(relay.received.at(-1)?.body).to.equal(JSON.stringify(request));
  });

  it("sends the others though some are never answered, and though an outcome cannot be stored", async () => {
    relay.manner = resetting;
    const outbox = await opened();
    const requests = Array.from({ length: 12 }, () => requestOf()).sort((left, right) =>
      left.uetr < right.uetr ? -1 : 1,
    );
    for (const request of requests) await failureOf(outbox.submit(request));
    // The first in the order: a gateway does not like them, or the connection always breaks.
    const poison = requests.slice(0, 5).map(({ uetr }) => uetr);
    relay.manner = (response, received) => {
      const at = poison.findIndex((uetr) => received.body.includes(uetr));
      (at === -1 ? accepting : at === 0 ? answering(403) : resetting)(response, received);
    };
    const accepted = () => new Set(outcomes.map(({ request }) => request.uetr)).size;
    for (let round = 0; round < 4 && accepted() < 7; round++) await outbox.resume();
    expect(accepted()).to.equal(7);
    relay.manner = accepting;
    storeFails = new Error("the caller's database does not take one");
    expect(await failureOf(outbox.resume())).to.equal(storeFails);
    expect(new Set(relay.received.slice(-5).map(({ body }) => body)).size).to.equal(5);
    storeFails = undefined;
    expect(await outbox.resume()).to.deep.equal({ sent: 5, left: 0 });
  });

  it("leaves no personal data of a request whose program died while it was being written", async () => {
    await opened();
    const draft = join(folder, `${requestOf().uetr}.json.0011223344556677.tmp`);
    await writeFile(draft, "{");
    let nowMs = Date.now();
    const outbox = await openOutbox({
      client: clientOf(relay),
      folder,
      onOutcome: () => Promise.resolve(),
      nowMs: () => nowMs,
    });
    await outbox.resume();
    expect(await readdir(folder)).to.have.length(1);
    nowMs += 2 * 3_600_000;
    expect(await outbox.resume()).to.deep.equal({ sent: 0, left: 0 });
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it("neither keeps nor sends what no relay would take", async () => {
    const outbox = await opened();
    for (const [field, request] of [
      ["uetr", { ...requestOf(), uetr: "../../escape" }],
      ["purpose", { ...requestOf(), purpose: "gift" }],
      ["target", { ...requestOf(), target: 0 }],
    ] as const) {
      const failure = await failureOf(outbox.submit(request));
      // No outcome: an earlier submission may be stored.
      expect(failure).to.be.instanceOf(InvalidSubmission).and.to.include({ field });
    }
    expect(await readdir(folder)).to.deep.equal([]);
    expect(relay.received).to.deep.equal([]);
    expect(outcomes).to.deep.equal([]);
  });

  it("survives the program's death while it waits for the answer", async function () {
    relay.manner = hanging;
    const request = requestOf();
    const program = `
      import { createClient, openOutbox } from ${JSON.stringify(SDK)};
      const client = createClient({ url: ${JSON.stringify(relay.url)}, key: ${JSON.stringify(KEY)} });
      const outbox = await openOutbox({ client, folder: ${JSON.stringify(folder)}, onOutcome: async () => {} });
      await outbox.submit(${JSON.stringify(request)});`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: "inherit" });
    await until(() => relay.received.length > 0);
    child.kill("SIGKILL");
    await once(child, "exit");

    relay.manner = accepting;
    expect(await (await opened()).resume()).to.deep.equal({ sent: 1, left: 0 });
    expect(outcomes.map((outcome) => outcome.request)).to.deep.equal([request]);
    expect(new Set(relay.received.map(({ body }) => body)).size).to.equal(1);
  });
});
