import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { SubmitRequest } from "../../../src/schema/transfers.ts";
import { createClient, openOutbox, RelayUnreachable, type SubmissionOutcome } from "../../../sdk/index.ts";
import type { Database } from "../../../src/kernel/store/database.ts";
import { createSealer } from "../../../src/kernel/store/sealer.ts";
import { describeOn } from "../support/databases.ts";
import { STEPS, type DyingWallet, type Step } from "../support/dying-wallet.ts";
import { apiRelay, newUetr, originOf, setBalance, submission, type ApiRelay } from "../support/api.ts";

const WALLET = fileURLToPath(new URL("../support/dying-wallet.ts", import.meta.url));

describeOn("PGlite", "the outbox and a relay", function (open) {
  let db: Database;
  let relay: ApiRelay;
  let key: string;
  let home: string;
  let told: SubmissionOutcome[];
  const others: ApiRelay[] = [];

  beforeEach(async () => {
    db = await open();
    relay = await listening(db);
    key = (await relay.key(["submit"])).authorization.replace("Bearer ", "");
    await setBalance(db, "HKD", 10n ** 12n);
    home = await mkdtemp(join(tmpdir(), "outbox-"));
    told = [];
  });
  afterEach(async () => {
    await Promise.all([relay, ...others.splice(0)].map((one) => one.close()));
    await rm(home, { recursive: true });
  });

  async function listening(on: Database, sealer = createSealer({ current: new Uint8Array(32).fill(7) })) {
    const started = await apiRelay(on, { context: { sealer } });
    await started.app.listen({ host: "127.0.0.1", port: 0 });
    return started;
  }

  const outboxTo = (to: ApiRelay, fetch = globalThis.fetch) =>
    openOutbox({
      client: createClient({ url: originOf(to.app), key, retries: 0, fetch }),
      folder: join(home, "outbox"),
      onOutcome: (outcome) => Promise.resolve(void told.push(outcome)),
    });
  /** The relay acts, and its answer does not arrive. */
  const losing: typeof fetch = async (...given) => {
    await fetch(...given);
    throw new Error("lost");
  };

  async function isStored(uetr: string): Promise<boolean> {
    return (await db.query("SELECT FROM transfers WHERE uetr = $1::uuid", [uetr])).length > 0;
  }

  it("goes by what is stored when the same payment comes again in other words", async () => {
    const quoted = async () => {
      const payload = { target: 4, amount: { send: { currency: "HKD", minor: "50000" } } };
      const headers = { authorization: `Bearer ${key}` };
      return (await relay.app.inject({ method: "POST", url: "/v1/quotes", headers, payload })).json<{ id: string }>()
        .id;
    };
    const request = submission({ amount: { quoteId: await quoted() } });
    const { debtor } = request;
    const again: [what: string, request: SubmitRequest][] = [
      ["a fresh quote", { ...request, amount: { quoteId: await quoted() } }],
      ["the amount itself", { ...request, amount: { send: { currency: "HKD", minor: "50000" } } }],
      ["another wish for the case of too little money", { ...request, ifUnfunded: "wait" }],
      ["a name typed anew", { ...request, debtor: { ...debtor, name: "CHAN Tai Man" } }],
      ["what breaks a rule by now", { ...request, creditor: { alias: { type: "MSISDN", value: "0917" } } }],
    ];
    await createClient({ url: originOf(relay.app), key }).submit(request);
    for (const [what, repeat] of again) {
      const outcome = await (await outboxTo(relay)).submit(repeat);
      expect(outcome, what).to.have.nested.property("stored.status", "received");
      expect(outcome, what).to.deep.include({ kind: "conflict", request: repeat });
    }
    expect(told.map(({ kind }) => kind)).to.deep.equal(again.map(() => "conflict"));
    expect(await readdir(join(home, "outbox"))).to.deep.equal([]);
  });

  it("never refunds for a name in another Unicode form, or with a space after it", async () => {
    const request = submission({ debtor: { ...submission().debtor, name: "Jos\u00e9 Chan" } });
    await createClient({ url: originOf(relay.app), key }).submit(request);
    for (const name of ["Jose\u0301 Chan", "Jos\u00e9 Chan "]) {
      const outcome = await (await outboxTo(relay)).submit({ ...request, debtor: { ...request.debtor, name } });
      expect(outcome).to.include({ kind: "accepted", replayed: true });
    }
  });

  it("hears of a lost acceptance though the relay would refuse the transfer now", async () => {
    const request = submission();
    await (await outboxTo(relay, losing)).submit(request).catch((failure: unknown) => {
      expect(failure).to.be.instanceOf(RelayUnreachable);
    });
    for (const [id, terms] of relay.registry.terms) relay.registry.terms.set(id, { ...terms, open: false });
    await setBalance(db, "HKD", 0n);
    expect(await (await outboxTo(relay)).resume()).to.deep.equal({ sent: 1, left: 0 });
    expect(told[0]).to.include({ kind: "accepted", replayed: true });
  });

  it("hears of a lost refusal though the relay would accept the transfer now", async () => {
    const request = submission();
    await setBalance(db, "HKD", 0n);
    await (await outboxTo(relay, losing)).submit(request).catch(() => undefined);
    await setBalance(db, "HKD", 10n ** 12n);
    await relay.close();
    relay = await listening(db);
    expect(await (await outboxTo(relay)).resume()).to.deep.equal({ sent: 1, left: 0 });
    expect(told[0]).to.have.nested.property("problem.code", "insufficient-liquidity");
    expect(told[0]).to.include({ kind: "refused" });
    expect(await isStored(request.uetr)).to.equal(false);
  });

  it("never hears a refusal from a process without the data key that a transfer was stored with", async () => {
    const [old, current] = [new Uint8Array(32).fill(7), new Uint8Array(32).fill(8)];
    const ahead = await listening(await open({ again: db }), createSealer({ current, previous: [old] }));
    const retired = await listening(await open({ again: db }), createSealer({ current }));
    others.push(ahead, retired);
    for (const [storedBy, repeatedTo] of [
      [ahead, relay],
      [relay, retired],
    ] as const) {
      const request = submission();
      await (await outboxTo(storedBy, losing)).submit(request).catch(() => undefined);
      expect(await (await outboxTo(repeatedTo)).resume()).to.deep.equal({ sent: 1, left: 0 });
      expect(told.at(-1)).to.include({ kind: "conflict" }).and.to.have.nested.property("stored.uetr", request.uetr);
    }
  });

  describe("a program that is killed", function () {
    /** What the wallet has debited for: accepted, refused, and in conflict with what it had sent before. */
    const requests = async (): Promise<readonly SubmitRequest[]> => {
      const stored = submission();
      await createClient({ url: originOf(relay.app), key }).submit({ ...stored, purpose: "GIFT" });
      return [submission(), submission({ target: 99 }), stored];
    };
    const dies = async (wallet: Omit<DyingWallet, "url" | "key">): Promise<void> => {
      const child = spawn(process.execPath, [WALLET, JSON.stringify({ ...wallet, url: originOf(relay.app), key })], {
        stdio: ["ignore", "inherit", "inherit"],
      });
      expect(await once(child, "exit"), wallet.diesAt).to.deep.equal([null, "SIGKILL"]);
    };
    /** Of a request whose program was killed, and another that goes on: every outcome that the wallet was told. */
    const outcomesOf = async (request: SubmitRequest, diesAt: Step): Promise<readonly string[]> => {
      const folder = join(home, request.uetr);
      const books = join(home, `${request.uetr}.books`);
      await appendFile(books, "");
      await dies({ folder, books, request, diesAt });
      const outbox = await openOutbox({
        client: createClient({ url: originOf(relay.app), key }),
        folder,
        onOutcome: ({ kind, request: { uetr } }) => appendFile(books, `${JSON.stringify({ uetr, kind })}\n`),
      });
      expect(await outbox.resume()).to.include({ left: 0 });
      // The customer, or the program, does the same again and does not find the same words.
      await outbox.submit({ ...request, remittance: "the same again" });
      const lines = (await readFile(books, "utf8")).trimEnd().split("\n");
      return lines.map((line) => (JSON.parse(line) as { kind: string }).kind);
    };

    for (const step of STEPS) {
      it(`at "${step}", hears one fate of each transfer, that which it has`, async () => {
        const each = await requests();
        const outcomes = await Promise.all(each.map((request) => outcomesOf(request, step)));
        for (const [index, kinds] of outcomes.entries()) {
          const refusals = kinds.filter((kind) => kind === "refused");
          const isThere = await isStored(each[index]?.uetr ?? "");
          expect(refusals, kinds.join(", ")).to.have.length(isThere ? 0 : kinds.length);
        }
      });
    }

    it("leaves nothing that is sent by a later start", async () => {
      const uetr = newUetr();
      const folder = join(home, uetr);
      await dies({ folder, books: join(home, "books"), request: submission({ uetr }), diesAt: "renaming" });
      const outbox = await openOutbox({
        client: createClient({ url: originOf(relay.app), key }),
        folder,
        onOutcome: () => Promise.resolve(),
      });
      expect(await outbox.resume()).to.deep.equal({ sent: 0, left: 0 });
      expect(await isStored(uetr)).to.equal(false);
    });
  });
});
