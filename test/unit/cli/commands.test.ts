import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openKeystore } from "../../../src/ledger/keys/keystore.ts";
import { keyInMemory } from "../../../src/ledger/keys/signing-key.ts";
import { decryptPeerKeys, publicPeerKeys } from "../../../src/features/peers/keys.ts";
import {
  ACCEPTANCE,
  fakeRelay,
  KEY,
  parsed,
  problem,
  run,
  SEND,
  transferAt,
  UETR,
  type Answering,
} from "./fixtures.ts";

describe("the command line's requests", () => {
  it("asks for a quote in minor units, as the key that the environment has, and shows every cost", async () => {
    const rate = { numerator: "72814", denominator: "10000", decimal: "7.2814000000" };
    const { acceptedAt: createdAt, uetr: _, ...costs } = ACCEPTANCE;
    const quoted = { ...costs, id: "0b0f3f1e-0000-4000-8000-000000000001", createdAt, rate, provider: 11 };
    const relay = fakeRelay(() => ({ body: quoted }));
    const { code, out } = await run(["quote", "4", "--send", "1500.00HKD"], relay);
    expect(code).to.equal(0);
    expect(relay.asked).to.deep.equal([
      {
        method: "POST",
        path: "/v1/quotes",
        authorization: `Bearer ${KEY}`,
        body: { target: 4, amount: { send: { currency: "HKD", minor: "150000" } } },
      },
    ]);
    for (const shown of ["1,500.00 HKD", "4.50 HKD", "1,504.50 HKD", "10,922.17 PHP", "7.2814000000 PHP for one HKD"]) {
      expect(out).to.contain(shown);
    }
  });

  it("reads amounts of currencies without decimals, and refuses more decimals than there are", async () => {
    const relay = fakeRelay(() => problem(422, "no-quote", "nobody"));
    await run(["quote", "5", "--receive", "KRW 50000", "--currency", "hkd"], relay);
    expect(relay.asked[0]?.body).to.deep.equal({
      target: 5,
      amount: { receive: { currency: "KRW", minor: "50000" }, sendCurrency: "HKD" },
    });
    for (const amount of ["1500.001HKD", "1500", "HKD", "1e3HKD", "HKD1500PHP", "-5HKD"]) {
      const { code, err } = await run(["quote", "5", `--send=${amount}`], relay);
      expect(code, amount).to.equal(4);
      expect(err, amount).to.contain("--send");
    }
    expect(relay.asked).to.have.length(1);
  });

  it("tells the UETR before it sends, and sends what was asked for", async () => {
    const relay = fakeRelay(() => ({ status: 202, body: ACCEPTANCE }));
    const { code, out, err } = await run([...SEND, "--uetr", UETR, "--wait-for-funds", "--remittance", "rent"], relay);
    expect(code).to.equal(0);
    expect(err).to.equal(`UETR ${UETR}\n`);
    expect(out).to.contain("10,922.17 PHP");
    expect(relay.asked[0]?.body).to.deep.equal({
      uetr: UETR,
      target: 4,
      amount: { send: { currency: "HKD", minor: "150000" } },
      debtor: { name: "Chan Tai Man", alias: { type: "MSISDN", value: "+85291234567" } },
      creditor: { alias: { type: "MSISDN", value: "+639171234567" } },
      purpose: "FAMI",
      remittance: "rent",
      ifUnfunded: "wait",
    });
  });

  it("prints the relay's own JSON for machines, and nothing beside it", async () => {
    const relay = fakeRelay(() => ({ status: 202, body: ACCEPTANCE }));
    const { out, err } = await run(["--json", ...SEND, "--uetr", UETR], relay);
    expect(parsed(out)).to.deep.equal({ ...ACCEPTANCE, replayed: false });
    expect(err).to.equal("");
    // One that it has made itself is told, for without it nobody could repeat the transfer.
    const made = await run(["--json", ...SEND], relay);
    expect(parsed(made.err)).to.deep.equal({ uetr: (relay.asked[1]?.body as { uetr: string }).uetr });
  });

  it("takes the key from a file, and does without the environment", async () => {
    const folder = await mkdtemp(join(tmpdir(), "feiqian-cli-"));
    await writeFile(join(folder, "key"), "fq_00_ZmlsZQ\n", { mode: 0o600 });
    const relay = fakeRelay(() => ({ body: { participants: [] } }));
    const options = ["--url", "http://other.test", "--key-file", join(folder, "key")];
    const { code } = await run(["partner", "list", ...options], { fetch: relay.fetch, environment: {} });
    await rm(folder, { recursive: true });
    expect(code).to.equal(0);
    expect(relay.asked[0]?.authorization).to.equal("Bearer fq_00_ZmlsZQ");
  });

  it("sends a file of transfers as a stream, and ends with 9 when some were refused", async () => {
    const folder = await mkdtemp(join(tmpdir(), "feiqian-cli-"));
    const file = join(folder, "transfers.ndjson");
    const transfer = {
      uetr: UETR,
      target: 4,
      amount: { send: { currency: "HKD", minor: "100" } },
      debtor: { name: "Chan", alias: { type: "MSISDN", value: "+85291234567" } },
      creditor: { alias: { type: "MSISDN", value: "+639171234567" } },
      purpose: "FAMI",
    };
    await writeFile(file, `${JSON.stringify(transfer)}\n\n${JSON.stringify(transfer)}\n`);
    const lines = [
      { line: 1, uetr: UETR, status: 202, acceptance: ACCEPTANCE },
      { line: 2, uetr: UETR, status: 409, problem: problem(409, "uetr-conflict", "other content", "stored").body },
    ];
    const relay = fakeRelay(() => ({ text: lines.map((line) => `${JSON.stringify(line)}\n`).join("") }));
    const { code, out, err } = await run(["send", "--file", file, "--json"], relay);
    await writeFile(file, `${JSON.stringify(transfer)}\n{"uetr":\n`);
    const broken = await run(["send", "--file", file], relay);
    await rm(folder, { recursive: true });
    expect(code).to.equal(9);
    expect(out.trim().split("\n").map(parsed)).to.deep.equal(lines);
    expect(err).to.contain('"exitCode":9');
    expect(broken).to.include({ code: 4 }).and.property("err").contains("line 2");
  });

  it("leaves a submission in the outbox while the relay is away, and ends it later", async () => {
    const folder = await mkdtemp(join(tmpdir(), "feiqian-outbox-"));
    const away = await run(
      [...SEND, "--uetr", UETR, "--outbox", folder],
      fakeRelay(() => ({ status: 502, text: "" })),
    );
    expect(away.code).to.equal(8);
    expect(await readdir(folder)).to.deep.equal([`${UETR}.json`]);
    const relay = fakeRelay(() => ({ status: 202, body: ACCEPTANCE }));
    const { code, out } = await run(["send", "--resume", "--outbox", folder], relay);
    expect(code).to.equal(0);
    expect(out).to.contain(`${UETR}  accepted`);
    expect(await readdir(folder)).to.be.empty;
    await rm(folder, { recursive: true });
  });
});

describe("following a transfer", () => {
  const walk = (...looks: readonly (readonly string[])[]): Answering => {
    let look = 0;
    return () => ({ body: transferAt(...(looks[Math.min(look++, looks.length - 1)] ?? [])) });
  };
  const clock = { nowMs: () => Date.now(), sleep: () => Promise.resolve() };

  it("tells each step once, and ends with 0 when the payee has the money", async () => {
    const answers = walk(
      ["received"],
      ["received", "batched", "held"],
      ["received", "batched", "held", "settled"],
      ["received", "batched", "held", "settled", "credited"],
    );
    const { code, out } = await run(["status", UETR, "--watch", "--json"], { ...fakeRelay(answers), clock });
    expect(code).to.equal(0);
    const steps = out
      .trim()
      .split("\n")
      .map((line) => parsed(line)["status"]);
    expect(steps).to.deep.equal(["received", "batched", "held", "settled", "credited"]);
  });

  it("ends with 9 when it was rejected, and says why", async () => {
    const { code, err } = await run(["status", UETR, "--watch"], {
      ...fakeRelay(walk(["received", "rejected"])),
      clock,
    });
    expect(code).to.equal(9);
    expect(err).to.contain("rejected (AC03)");
  });

  it("ends with 10 when it takes longer than it may", async () => {
    let nowMs = 0;
    const slow = { nowMs: () => (nowMs += 400), sleep: () => Promise.resolve() };
    const { code } = await run(["status", UETR, "--watch", "--timeout", "1"], {
      ...fakeRelay(walk(["held"])),
      clock: slow,
    });
    expect(code).to.equal(10);
  });

  it("ends with 130 when it is interrupted", async () => {
    const { fetch } = fakeRelay(walk(["held"]));
    const { code } = await run(["status", UETR, "--watch"], { fetch, clock, interrupted: AbortSignal.abort() });
    expect(code).to.equal(130);
  });
});

describe("the command line's exit codes", () => {
  const statusOf = (answer: ReturnType<Answering>) =>
    run(
      ["status", UETR],
      fakeRelay(() => answer),
    );

  it("follow from the relay's answer", async () => {
    expect(await statusOf({ body: transferAt("rejected") })).to.include({ code: 0 });
    expect(await statusOf(problem(401, "unauthorized", "no"))).to.include({ code: 5 });
    expect(await statusOf(problem(403, "forbidden", "no"))).to.include({ code: 5 });
    expect(await statusOf(problem(404, "not-found", "no"))).to.include({ code: 6 });
    expect(await statusOf(problem(409, "not-cancellable", "no"))).to.include({ code: 7 });
    expect(await statusOf(problem(422, "no-quote", "no"))).to.include({ code: 4 });
  });

  it("tell that nobody answered", async () => {
    const { code, err } = await run(["events"], { fetch: () => Promise.reject(new Error("ECONNREFUSED")) });
    expect(code).to.equal(8);
    expect(err).to.contain("ECONNREFUSED");
  });

  it("tell of the command line itself", async () => {
    expect(await run(["sent", "4"])).to.include({ code: 2 });
    expect(await run(["quote"])).to.include({ code: 2 });
    expect(await run(["quote", "4"])).to.include({ code: 2 });
    expect(await run(["quote", "4", "--send", "1HKD", "--receive", "1PHP"])).to.include({ code: 2 });
    expect(await run(["liquidity"], { environment: { FEIQIAN_URL: "http://relay.test" } })).to.include({ code: 2 });
    expect(await run(["liquidity"], { environment: {} })).to.include({ code: 2 });
    expect(await run(["--help"])).to.include({ code: 0 });
  });

  it("tells the version that is released", async () => {
    const { version } = parsed(await readFile("package.json", "utf8")) as { version: string }; // npm demands one
    expect(await run(["--version"]), "VERSION in src/cli/program.ts").to.include({ code: 0, out: `${version}\n` });
  });

  it("tell of values before anybody is asked", async () => {
    expect(await run(["status", "no-uetr"])).to.include({ code: 4 });
    expect(await run(["quote", "0", "--send", "1HKD"])).to.include({ code: 4 });
    expect(await run(["events", "--limit", "many"])).to.include({ code: 4 });
    const { code, err } = await run([...SEND.slice(0, -1), "+63secret"]);
    expect(code).to.equal(4);
    expect(err).not.to.contain("secret");
  });

  it("tell of a configuration by its keys", async () => {
    const { code, err } = await run(["relay", "check"], { environment: { FEIQIAN_PARTNER: "0" } });
    expect(code).to.equal(3);
    expect(err).to.contain("partner: an integer from 1 to 65535").and.to.contain("wallet:");
  });

  it("tell machines of the command line in JSON, too", async () => {
    const wrong: Readonly<Record<string, readonly string[]>> = {
      "unknown option '--bogus'; usage: feiqian send [options] [partner], and --help tells more": [
        ...["--json", "send", "--bogus"],
      ],
      "unknown command 'nope'; usage: feiqian [options] [command], and --help tells more": ["nope", "--json"],
      "unknown command 'relya' (Did you mean relay?); usage: feiqian [options] [command], and --help tells more": [
        ...["help", "relya", "--json"],
      ],
      "unknown command 'strat' (Did you mean start?); usage: feiqian relay [options] [command], and --help tells more":
        ["relay", "help", "strat", "--json"],
      "missing required argument 'uetr': the transfer's id; usage: feiqian status [options] <uetr>, and --help tells more":
        ["status", "--json"],
      "a command is missing: feiqian --help lists them": ["--json"],
      "a command is missing: feiqian relay --help lists them": ["relay", "--json"],
    };
    for (const [message, args] of Object.entries(wrong)) {
      const { code, out, err } = await run(args);
      expect([code, out]).to.deep.equal([2, ""]);
      expect(JSON.parse(err))
        .to.have.deep.property("error")
        .that.deep.includes({ exit: "USAGE", exitCode: 2, message });
    }
  });

  it("come with what machines can read", async () => {
    const { err } = await run(
      ["status", UETR, "--json"],
      fakeRelay(() => problem(404, "not-found", "no such transfer")),
    );
    expect(parsed(err)["error"]).to.deep.include({ exit: "NOT_FOUND", exitCode: 6, code: "not-found" });
  });
});

describe("the operator's commands", () => {
  it("reconcile, and end with 9 when there are differences", async () => {
    const [expected, found] = ["140000", "150000"].map((available) => ({ available, held: "0" }));
    const balances = [{ currency: "HKD", expected, found }];
    const difference = { kind: "balance", subject: "HKD", sentence: "1,500.00 HKD are there, 1,400.00 HKD should be" };
    const report = (differences: readonly object[]) =>
      fakeRelay(() => ({
        body: { at: 1_800_000_000_000, block: 12, balances, checked: { transfers: 3 }, differences },
      }));
    const sound = await run(["reconcile"], report([]));
    expect(sound.code).to.equal(0);
    expect(sound.out).to.contain("1,500.00 HKD").and.to.contain("No differences");
    const unsound = await run(["reconcile"], report([difference]));
    expect(unsound.code).to.equal(9);
    expect(unsound.out).to.contain(difference.sentence);
    const { out } = await run(["reconcile", "--json"], report([difference]));
    expect(parsed(out)["differences"]).to.deep.equal([difference]);
  });

  it("tell of a corridor that has no limit, and of one that has", async () => {
    const corridor = (target: number, maxPerDay: string) => ({
      ...{ target, sourceCurrency: "HKD", targetCurrency: "PHP", isOpen: true, feeBps: 5 },
      ...{ maxPerTransfer: "100000", maxPerDay, requiredFields: [], aliasTypes: [] },
    });
    const corridors = [corridor(4, String(2n ** 112n - 1n)), corridor(5, "2500000")];
    const { out } = await run(
      ["partner", "corridors"],
      fakeRelay(() => ({ body: { corridors } })),
    );
    expect(out)
      .to.match(/^ *4 .* 1,000\.00 HKD +no limit$/m)
      .and.match(/^ *5 .* 1,000\.00 HKD +25,000\.00 HKD$/m);
  });

  it("replay every dead letter once, however many pages there are", async () => {
    const webhook = "7f1dd0a4-0000-4000-8000-000000000001";
    const letter = (seq: number) => ({
      webhook,
      attempts: 12,
      event: { id: `evt_3f9c2a71b04e_${seq}`, seq, type: "transfer.settled", at: ACCEPTANCE.acceptedAt, data: {} },
    });
    const pages = [[letter(1), letter(2)], [letter(2), letter(3)], [letter(3)]];
    const relay = fakeRelay(({ method }) =>
      method === "GET"
        ? { body: { deliveries: pages.shift() ?? [] } }
        : { status: 202, body: { webhook, event: "evt_3f9c2a71b04e_1" } },
    );
    const { out } = await run(["replay", "--all", "--json"], relay);
    expect(parsed(out)).to.deep.equal({ replayed: 3 });
    const replayed = relay.asked.filter(({ method }) => method === "POST").map(({ path }) => path);
    expect(replayed).to.deep.equal(
      [1, 2, 3].map((seq) => `/v1/webhooks/${webhook}/deliveries/evt_3f9c2a71b04e_${seq}/replay`),
    );
  });

  it("make API keys through the API, with the scopes asked for", async () => {
    const made = {
      id: "4f",
      label: "wallet",
      scopes: ["read", "submit"],
      rateLimit: 60,
      createdAt: ACCEPTANCE.acceptedAt,
      key: "fq_4f_once",
    };
    const relay = fakeRelay(() => ({ status: 201, body: made }));
    const options = ["--scope", "read,submit", "--label", "wallet", "--rate-limit", "60"];
    const { code, out } = await run(["keys", "create", ...options], relay);
    expect(code).to.equal(0);
    expect(out).to.contain("fq_4f_once");
    expect(relay.asked[0]?.body).to.deep.equal({ label: "wallet", scopes: ["read", "submit"], rateLimit: 60 });
    expect(await run(["keys", "create", "--scope", "all"], relay)).to.include({ code: 4 });
  });

  it("erase what is named, and nothing without a name", async () => {
    const relay = fakeRelay(() => ({ body: { erased: 3, payloads: 2 } }));
    expect(await run(["erase", "--accepted-before", "2026-01-31"], relay)).to.include({
      code: 0,
      out: "3 transfers and 2 payloads erased\n",
    });
    expect(relay.asked[0]?.body).to.deep.equal({ acceptedBefore: "2026-01-31T00:00:00.000Z" });
    expect(await run(["erase"], relay)).to.include({ code: 2 });
    expect(await run(["erase", "--accepted-before", "yesterday"], relay)).to.include({ code: 4 });
    expect(relay.asked).to.have.length(1);
  });
});

describe("the keys that a relay works with", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "feiqian-keys-"));
    await writeFile(join(folder, "password"), "open sesame\n", { mode: 0o600 });
  });
  afterEach(() => rm(folder, { recursive: true }));

  const made = (kind: string, ...options: string[]) =>
    run(["keys", "new", kind, join(folder, kind), "--json", ...options]);
  const withPassword = () => ["--password-file", join(folder, "password")];

  it("are written for their owner alone, and open with the password", async () => {
    const ledger = await made("ledger", ...withPassword());
    expect(parsed(ledger.out)["public"]).to.deep.equal({
      address: (await openKeystore(join(folder, "ledger"), "open sesame")).address,
    });
    const peer = await made("peer", ...withPassword());
    const keys = await decryptPeerKeys(await readFile(join(folder, "peer"), "utf8"), "open sesame");
    expect(parsed(peer.out)["public"]).to.deep.equal(publicPeerKeys(keys));
    expect((await stat(join(folder, "ledger"))).mode & 0o777).to.equal(0o600);
    expect((await stat(join(folder, "peer"))).mode & 0o777).to.equal(0o600);
  });

  it("can be those that there are already", async () => {
    const privateKey = `0x${"4b".repeat(32)}`;
    await writeFile(join(folder, "existing"), `${privateKey}\n`, { mode: 0o600 });
    const { out, err } = await made("ledger", ...withPassword(), "--import", join(folder, "existing"));
    expect(parsed(out)["public"]).to.deep.equal({ address: keyInMemory(privateKey).address });
    expect(out + err).not.to.contain("4b4b4b");
    await writeFile(join(folder, "existing"), "4b".repeat(32), { mode: 0o600 });
    const wrong = await run([
      "keys",
      "new",
      "ledger",
      join(folder, "other"),
      ...withPassword(),
      "--import",
      join(folder, "existing"),
    ]);
    expect(wrong.code).to.equal(4);
    expect(wrong.err).not.to.contain("4b4b4b");
  });

  it("are random, in the form that the configuration asks for", async () => {
    expect(await made("data")).to.include({ code: 0 });
    expect(await readFile(join(folder, "data"), "utf8")).to.match(/^[0-9a-f]{64}\n$/);
    expect(await made("wallet")).to.include({ code: 0 });
    expect(await readFile(join(folder, "wallet"), "utf8")).to.match(/^whsec_[A-Za-z0-9+/]{43}=\n$/);
  });

  it("never take the place of others, and are not written without a password", async () => {
    await made("data");
    const before = await readFile(join(folder, "data"), "utf8");
    expect(await made("data")).to.include({ code: 4 });
    expect(await readFile(join(folder, "data"), "utf8")).to.equal(before);
    expect(await made("peer")).to.include({ code: 2 });
    expect(await readdir(folder)).not.to.include("peer");
  });
});
