import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { expect } from "chai";
import { createClient, verifyWebhook, type RelayClient, type WebhookBody } from "../../sdk/index.ts";
import { verifyReceipt } from "../../sdk/receipts.ts";
import {
  startNetworkProcess,
  type NetworkFile,
  type NetworkProcess,
  type WalletEntry,
} from "../support/network-process.ts";

const ROOT = join(import.meta.dirname, "../..");
const START_TIMEOUT_MS = 250_000;
const END_TIMEOUT_MS = 150_000;
const POLL_INTERVAL_MS = 50;

/** Polls until something is there. */
async function eventually<Found>(
  look: () => Promise<Found | undefined>,
  what: string,
  timeoutMs = END_TIMEOUT_MS,
): Promise<Found> {
  for (const until = Date.now() + timeoutMs; Date.now() < until;) {
    const found = await look();
    if (found !== undefined) return found;
    await delay(POLL_INTERVAL_MS);
  }
  throw new Error(`${what}: not within ${timeoutMs} ms`);
}

describe("npm start", function () {
  this.timeout(START_TIMEOUT_MS + END_TIMEOUT_MS);
  let started: NetworkProcess;
  let folder: string;
  let script: ChildProcess;
  let output: Promise<string>;
  let network: NetworkFile;
  let source: WalletEntry;
  let target: WalletEntry;
  let relay: RelayClient;

  before(async () => {
    started = await startNetworkProcess();
    ({ folder, script, output, network } = started);
    [source, target] = [started.wallet("AlipayHK"), started.wallet("GCash")];
    relay = createClient({ url: source.relay, key: source.apiKey });
  });

  after(async () => started.end());

  const payer = () => source.customers[0] ?? fail("a customer");
  const payee = () => target.customers[0] ?? fail("a customer");
  const request = (uetr: string, phone = payee().phone) => ({
    uetr,
    target: target.partner,
    amount: { send: { currency: "HKD", minor: "150000" } },
    debtor: { name: payer().name, alias: { type: "MSISDN" as const, value: payer().phone } },
    creditor: { name: payee().name, alias: { type: "MSISDN" as const, value: phone } },
    purpose: "FAMI",
  });
  const ended = (uetr: string) =>
    eventually(async () => {
      const found = await relay.transfer(uetr);
      // Settled is final, too; but the news of the credit is still to come.
      return found.isFinal && found.status !== "settled" ? found : undefined;
    }, `the end of ${uetr}`);

  it("has ten wallets, each with a relay that is ready, its documentation, and a page", async () => {
    expect(network.wallets.map(({ partner }) => partner)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (const { name, relay: url, docs, wallet, customers } of network.wallets) {
      // A machine that has too much to do may be behind for a moment.
      await eventually(async () => ((await fetch(`${url}/readyz`)).ok ? true : undefined), `${name} being ready`);
      const answers = await Promise.all([docs, wallet].map((address) => fetch(address)));
      expect(
        answers.map(({ status }) => status),
        name,
      ).to.deep.equal([200, 200]);
      expect(customers, name).to.have.length(2);
    }
    const page = await (await fetch(target.wallet)).text();
    expect(page).to.include(payee().name).and.include(payee().phone);
    const names = (await relay.participants()).map(({ name }) => name);
    expect(names).to.include.members(network.wallets.map(({ name }) => name));
  });

  describe("takes a transfer over HTTP", () => {
    const uetr = randomUUID();
    const told: WebhookBody[] = [];
    let hooks: Server;

    before(async () => {
      let secret = "";
      hooks = createServer((incoming, answer) => {
        void text(incoming).then((body) => {
          const verified = verifyWebhook(incoming.headers, body, [secret], { nowMs: Date.now() });
          if (verified.kind === "verified") told.push(verified.body);
          answer.writeHead(verified.kind === "verified" ? 204 : 401).end();
        });
      }).listen(0, "127.0.0.1");
      await once(hooks, "listening");
      // Listening on TCP, so the address is not a path.
      const { port } = hooks.address() as AddressInfo;
      ({ secret } = await relay.createWebhook({ url: `http://127.0.0.1:${port}/hooks` }));
      const { acceptance, replayed } = await relay.submit(request(uetr));
      expect([acceptance.send.minor, replayed]).to.deep.equal(["150000", false]);
    });
    after(() => hooks.close());

    it("which is credited, to the minor unit that was promised", async () => {
      const transfer = await ended(uetr);
      expect([transfer.status, transfer.pacs002]).to.deep.equal(["credited", "ACCC"]);
      const { acceptance, replayed } = await relay.submit(request(uetr));
      expect([acceptance.receive, replayed]).to.deep.equal([transfer.receive, true]);

      const page = await (await fetch(target.wallet)).text();
      const row = page.split("<tr>").find((line) => line.includes(uetr)) ?? "";
      expect(row.replaceAll(/[,.]/g, "")).to.include(`+${transfer.receive.minor} PHP`);
      expect(row).to.include("credit").and.include(payee().name).and.include(`from ${payer().name}`);
    });

    it("of which webhooks tell, signed, in order", async () => {
      const types = () => told.filter(({ data }) => data.uetr === uetr).map(({ type }) => type);
      await eventually(() => Promise.resolve(types().includes("transfer.credited") ? true : undefined), "the webhooks");
      expect(types()).to.deep.equal(["transfer.held", "transfer.settled", "transfer.credited"]);
    });

    it("whose receipt anybody can verify who has the chain's address", async () => {
      const receipt = await relay.receipt(uetr, ["remittance"]);
      const { transferRegistry } = JSON.parse(await readFile(network.addressesFile, "utf8")) as Record<string, string>;
      const trust = transferRegistry === undefined ? {} : { trustedRegistry: transferRegistry };
      const verified = await verifyReceipt(network.rpcUrl, JSON.parse(JSON.stringify(receipt)), trust);
      expect(verified).to.deep.include({ kind: "verified", status: "settled", uetr });
      expect(verified)
        .to.have.property("disclosed")
        .that.deep.equals({ remittance: { purpose: "FAMI" } });
    });
  });

  it("refuses a payee whom nobody knows, and tells why", async () => {
    const uetr = randomUUID();
    await relay.submit(request(uetr, "+639170000000"));
    expect(await ended(uetr)).to.deep.include({ status: "failed", pacs002: "RJCT", reason: "AC03" });
  });

  it("is what the examples work on", async () => {
    await ended((await relay.submit(request(randomUUID()))).acceptance.uetr);
    const run = (example: string) =>
      promisify(execFile)(process.execPath, [`examples/${example}`, folder], { cwd: ROOT });
    expect((await run("events.ts")).stdout)
      .to.match(/^\d+\.\d+ +Opened +7 → 4 +0x[0-9a-f]{64} +1 transfers$/m)
      .and.match(/^GCash has [0-9,.]+ PHP, and 0\.00 PHP held$/m);
    expect((await run("wallet.ts")).stdout).to.match(/^receipt +settled at /m);
  });

  it("sends from a wallet's page, debits its customer, and refunds what is refused", async () => {
    const before = await balanceOf();
    const send = async (to: string) => acceptedBy(await (await post(await formOf(to))).text());
    // As people write it, with what copying leaves around it.
    const pasted = `\u202a${payee().phone.replace("+63", "+63 (0) ")}\u202c`;
    expect((await ended(await send(pasted))).status).to.equal("credited");
    // A hundred dollars, and five cents of fee.
    expect(await balanceOf()).to.equal(before - 10_005n);
    expect((await ended(await send("+639170000000"))).status).to.equal("failed");
    await eventually(async () => ((await balanceOf()) === before - 10_005n ? true : undefined), "the refund");
  });

  it("pays once for a wallet's form, however often it is sent", async () => {
    const before = await balanceOf();
    const form = await formOf(payee().phone);
    // Enter twice; then a reload, and a second tab.
    const answers = [...(await Promise.all([post(form), post(form)])), await post(form)];
    const uetrs = await Promise.all(answers.map(async (answer) => acceptedBy(await answer.text())));
    expect(new Set(uetrs)).to.deep.equal(new Set([form.get("uetr")]));
    // The page that a form leads to is read again by a reload, and sends nothing.
    expect(answers.map(({ redirected }) => redirected)).to.deep.equal([true, true, true]);
    await ended(uetrs[0] ?? fail("a UETR"));
    expect(await balanceOf()).to.equal(before - 10_005n);

    form.set("amount", "200");
    const other = await post(form);
    expect([other.status, await other.text()].join(" ")).to.match(/^400 .*uetr: of a form that has not been sent/s);
    expect(await balanceOf()).to.equal(before - 10_005n);
  });

  it("says before it builds anything which ports are taken, and what to do", async () => {
    // One of the usual ports, if nobody has it: somebody does now.
    const taken = createServer().listen(8_545, "127.0.0.1");
    await once(taken, "listening").catch(() => undefined);
    try {
      const other = spawn(process.execPath, ["scripts/start.ts", "--folder", folder], { cwd: ROOT });
      const [printed, status] = await Promise.all([text(other.stderr), once(other, "exit")]);
      expect(printed)
        .to.match(/^ports: .*\b8545\b.* taken: .* --any-ports$/m)
        .and.not.contain("Compiling");
      expect(status[0]).to.equal(2);
    } finally {
      taken.close();
    }
  });

  // After all that has the machine's clock: nested suites run after the tests beside them.
  describe("ten days later", () => {
    it("has every relay ready, new prices, and transfers that go through in seconds", async () => {
      const advancing = ["feiqian.js", "sandbox", "clock", "+10d", "--json", "--sandbox", network.sandbox];
      const { stdout } = await promisify(execFile)(process.execPath, advancing, { cwd: join(ROOT, "bin") });
      expect(JSON.parse(stdout)).to.have.property("advancedSeconds", 864_000);
      for (const { name, relay: url } of network.wallets) {
        await eventually(async () => ((await fetch(`${url}/readyz`)).ok ? true : undefined), `${name} being ready`);
      }
      const transfer = await ended((await relay.submit(request(randomUUID()))).acceptance.uetr);
      expect(transfer.status).to.equal("credited");
      const [first, last] = [transfer.steps[0]?.at, transfer.steps.at(-1)?.at].map((at) => Date.parse(at ?? ""));
      expect(Math.abs((first ?? 0) - Date.now() - 864_000_000)).to.be.below(END_TIMEOUT_MS);
      expect((last ?? 0) - (first ?? 0)).to.be.below(60_000);
    });
  });

  // Last of all.
  describe("at Ctrl-C", () => {
    it("stops, and leaves no network.json that tells of what is gone", async () => {
      const exited = once(script, "exit") as Promise<[number | null]>;
      script.kill("SIGINT");
      expect((await exited)[0]).to.equal(0);
      const printed = await output;
      for (const { name, relay: url, apiKey } of network.wallets) {
        expect(printed).to.include(name).and.include(url).and.include(apiKey);
      }
      const gone: unknown = await readFile(join(folder, "network.json")).catch((thrown: unknown) => thrown);
      expect(gone).to.be.instanceOf(Error).and.have.property("code", "ENOENT");
      expect(await fetch(`${source.relay}/livez`).catch(() => undefined)).to.equal(undefined);
    });
  });

  /** The form of the source wallet's page, as it comes, filled in to send a hundred dollars. */
  async function formOf(to: string): Promise<URLSearchParams> {
    const page = await (await fetch(source.wallet)).text();
    const uetr = /name="uetr" value="([0-9a-f-]{36})"/.exec(page)?.[1] ?? fail("a UETR");
    return new URLSearchParams({ uetr, from: payer().phone, target: String(target.partner), to, amount: "100" });
  }

  function post(form: URLSearchParams): Promise<Response> {
    return fetch(`${source.wallet}/send`, { method: "POST", body: form });
  }

  function acceptedBy(page: string): string {
    return /Accepted: ([0-9a-f-]{36})/.exec(page)?.[1] ?? fail(`an acceptance in ${page}`);
  }

  /** The payer's balance in minor units, as the wallet's page has it. */
  async function balanceOf(): Promise<bigint> {
    const page = await (await fetch(source.wallet)).text();
    const pattern = new RegExp(`${payer().phone.replace("+", "\\+")}<td class="n">([0-9,.]+) HKD`);
    return BigInt((pattern.exec(page)?.[1] ?? fail("a balance")).replaceAll(/[,.]/g, ""));
  }
});

function fail(what: string): never {
  throw new Error(`test set-up: ${what} is missing`);
}
