import type { Authorization } from "../../../../src/domain/typed-data.ts";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { FinalStatus } from "../../../../src/domain/lifecycle.ts";
import type { Provider } from "ethers";
import * as fc from "fast-check";
import { batchId, buildBatch } from "../../../../src/domain/batch.ts";
import { DETAIL_GROUPS } from "../../../../src/domain/details.ts";
import { reasonToBytes4, type ReasonCode } from "../../../../src/domain/reason.ts";
import { proveRejections } from "../../../../src/domain/settlement.ts";
import { receiptToJson, type Receipt } from "../../../../src/domain/receipt.ts";
import type { Uetr } from "../../../../src/domain/uetr.ts";
import { toJson, type Json, type JsonObject } from "../../../../src/domain/wire.ts";
import { expireCall, openCall, settleCall } from "../../../../src/ledger/calls.ts";
import { readEvents } from "../../../../src/ledger/events.ts";
import { signBatch, signQuote, signSettlement } from "../../../../src/ledger/signing.ts";
import type { ReceiptVerification } from "../../../../src/ledger/receipt-verification.ts";
import { buildReceipt } from "../../../../src/features/remittance/receipts.ts";
import { openDetails } from "../../../../src/features/remittance/sealed-details.ts";
import { payloadBytes, sealPayload } from "../../../../src/features/remittance/sealed-payload.ts";
import { verifyReceipt } from "../../../../sdk/receipts.ts";
import { insertBatch } from "../../../../src/features/remittance/store/batches.ts";
import { insertDecision } from "../../../../src/features/remittance/store/decisions.ts";
import { finishBatches, insertOpenedBatches } from "../../../../src/features/remittance/store/ledger-projection.ts";
import { insertPayload } from "../../../../src/features/remittance/store/payloads.ts";
import type { NewTransfer } from "../../../../src/features/remittance/store/transfers.ts";
import { anyForgery, leavesOf, replaced } from "../../../unit/domain/receipt-support.ts";
import { FEE_BPS } from "../../../support/batches.ts";
import { runPastExpiry } from "../../support/chain.ts";
import { GCASH, HKD_TO_PHP, provider, PROVIDER } from "../../support/chain.ts";
import { run as runCli } from "../../../unit/cli/fixtures.ts";
import { describeOn, type OpenDatabase } from "../../support/databases.ts";
import { startHttpNode, type HttpNode } from "../../support/http.ts";
import { withMethods } from "../../support/provider.ts";
import { acceptTransfers, standingQuote, testRelay, type TestRelay } from "../../support/relay-context.ts";

interface Scene {
  readonly source: TestRelay;
  readonly target: TestRelay;
  readonly transfers: readonly NewTransfer[];
}

/** Four transfers that have gone the whole way, written down by both relays as their steps do. */
async function play(
  open: OpenDatabase,
  refusals: Readonly<Record<number, ReasonCode>>,
  ending: "settle" | "expire" | "none" = "settle",
): Promise<Scene> {
  const source = await testRelay({ db: await open() });
  const { sandbox, ledger } = source;
  const target = await testRelay({ db: await open(), partner: GCASH, sandbox });
  const standing = await standingQuote(source);
  const transfers = await acceptTransfers(source, 4, { quote: standing });
  const expiresAt = Number.parseInt(String(await ledger.transferRegistry.time()), 10) + 300;
  const batch = buildBatch(transfers, HKD_TO_PHP, standing.quote, FEE_BPS, expiresAt);
  const id = batchId(batch.header, ledger.chain);
  const operator = (partner: typeof GCASH) => sandbox.keys.walletOf({ kind: "operator", partner });
  const send = await signBatch(operator(HKD_TO_PHP.source), ledger.chain, batch.header);
  const quote = await signQuote(operator(PROVIDER), ledger.chain, standing.quote);
  const seqs = await source.db.query<{ seq: bigint }>("SELECT seq FROM transfers ORDER BY seq");
  await insertBatch(
    source.db,
    { id, registry: ledger.chain.transferRegistry, header: batch.header, send, quote },
    seqs.map(({ seq }) => seq),
    1,
  );
  const courier = await sandbox.submitterOf({ kind: "courier" });
  await courier.submit(openCall(ledger, batch.header, send, quote));

  const payload = {
    header: batch.header,
    transfers: transfers.map(({ uetr, sourceAmount, targetAmount, detailsHash, sealed }) => {
      return { uetr, sourceAmount, targetAmount, detailsHash, ...openDetails(source.sealer, uetr, sealed) };
    }),
  };
  const sealed = sealPayload(target.sealer, id, payloadBytes(payload));
  await insertPayload(
    target.db,
    {
      batch: id,
      registry: ledger.chain.transferRegistry,
      source: source.partner,
      sealed,
      expiresAtSeconds: expiresAt,
      delivered: true,
    },
    1,
  );
  const reasons = new Map<Uetr, ReasonCode>();
  for (const [index, { uetr }] of transfers.entries()) {
    const reason = refusals[index];
    if (reason !== undefined) reasons.set(uetr, reason);
  }
  const proved = proveRejections(batch, reasons);
  const accept: Authorization = await signSettlement(operator(GCASH), ledger.chain, {
    batchId: id,
    rejectionsHash: proved.rejectionsHash,
  });
  const credits = transfers.flatMap(({ uetr, targetAmount }) =>
    reasons.has(uetr) ? [] : [{ uetr, amount: targetAmount }],
  );
  const decision = { batch: id, source: source.partner, rejections: reasons, accept, credits };
  await insertDecision(target.db, { ...decision, currency: HKD_TO_PHP.targetCurrency }, 1);
  if (ending === "settle") await courier.submit(settleCall(ledger, batch.header, proved, accept));
  if (ending === "expire") {
    await runPastExpiry(sandbox, batch);
    await courier.submit(expireCall(ledger, batch.header));
  }
  for (const relay of [source, target]) await watch(relay);
  return { source, target, transfers };
}

/** The ledger as the watcher writes it down. */
async function watch({ ledger, db, partner }: TestRelay): Promise<void> {
  for (const event of await readEvents(ledger, 0, await provider.getBlockNumber())) {
    const block = await provider.getBlock(event.cursor.block);
    const at = { ...event.cursor, timeSeconds: block?.timestamp ?? 0, transaction: event.transactionHash };
    if (event.kind === "Opened") {
      await insertOpenedBatches(
        db,
        [{ id: event.batchId, registry: event.contract, header: event.header, at }],
        partner,
      );
    }
    if (event.kind !== "Settled" && event.kind !== "Rejected" && event.kind !== "Expired") continue;
    const status = event.kind.toLowerCase() as FinalStatus; // the names of the three events
    const rejected = event.kind === "Expired" ? [] : event.rejected.map(({ leaf, code }) => ({ leaf, code }));
    await finishBatches(db, [{ id: event.batchId, status, rejected, at }]);
  }
}

async function built(relay: TestRelay, uetr: Uetr, disclose = DETAIL_GROUPS.slice()): Promise<Receipt> {
  const outcome = await buildReceipt(relay, uetr, { disclose });
  if (outcome.kind === "refused") throw new Error(outcome.code);
  return outcome.receipt;
}

async function refusal(relay: TestRelay, uetr: Uetr, disclose = DETAIL_GROUPS.slice(0, 1)): Promise<string> {
  const outcome = await buildReceipt(relay, uetr, { disclose });
  return outcome.kind === "refused" ? outcome.code : outcome.kind;
}

const verdict = (verification: ReceiptVerification): string =>
  verification.kind === "refused" ? verification.refusal : verification.kind;

describeOn("PGlite", "Receipts", (open) => {
  let scene: Scene;
  let uetrs: readonly Uetr[];
  const verify = (json: unknown, node: Provider | string = provider) =>
    verifyReceipt(node, json, { trustedRegistry: scene.source.ledger.addresses.transferRegistry });

  describe("of a batch that settled with two rejections", () => {
    let json: JsonObject;

    before(async () => {
      scene = await play(open, { 1: "AC04", 3: "BE23" });
      uetrs = scene.transfers.map(({ uetr }) => uetr);
      json = receiptToJson(await built(scene.source, uetrs[0] as Uetr));
    });

    it("prove what settled, at what rate and when, to anyone who asks the ledger", async () => {
      const { source, target, transfers } = scene;
      for (const relay of [source, target]) {
        for (const [index, transfer] of transfers.entries()) {
          const receipt = await built(relay, transfer.uetr, ["creditor"]);
          const verification = await verify(receiptToJson(receipt));
          if (verification.kind !== "verified") throw new Error(JSON.stringify(toJson(verification)));
          const isRejected = index % 2 === 1;
          expect(verification).to.deep.include({
            uetr: transfer.uetr,
            status: isRejected ? "rejected" : "settled",
            reason: isRejected ? { 1: "AC04", 3: "BE23" }[index] : undefined,
            source: 7,
            target: 4,
            sent: { minor: transfer.sourceAmount, currency: "HKD" },
            received: { minor: transfer.targetAmount, currency: "PHP" },
            claims: ["NODE", "DETAILS"],
          });
          expect(verification.rateText).to.match(/^0\.72[45]\d{7}$/);
          const { opened, final } = receipt.transactions;
          for (const [hash, time] of [
            [opened, verification.openedAt],
            [final, verification.finalAt],
          ] as const) {
            const mined = await provider.getTransactionReceipt(hash);
            expect((await mined?.getBlock())?.timestamp).to.equal(time);
          }
          expect(Object.keys(verification.disclosed)).to.deep.equal(["creditor"]);
          expect(verification.disclosed.creditor).to.deep.include({ name: "Maria Dela Cruz" });
        }
      }
    });

    it("reveal only what their holder chose", async () => {
      const receipt = JSON.stringify(receiptToJson(await built(scene.source, uetrs[0] as Uetr, ["remittance"])));
      expect(receipt).to.include("For Mum");
      expect(receipt).to.not.match(/Chan|Maria|\+852|\+639/);
      // What opens one group does not help to guess at another: each has a salt of its own.
      expect(receipt.match(/groupSalt/g)).to.have.length(1);
      const nothing = await built(scene.source, uetrs[0] as Uetr, []);
      expect(nothing.disclosed).to.deep.equal([]);
      expect(verdict(await verify(receiptToJson(nothing)))).to.equal("verified");
    });

    it("are refused with any single member forged", async function () {
      expect(verdict(await verify(json))).to.equal("verified");
      const forged = new Set<string>();
      await fc.assert(
        fc.asyncProperty(anyForgery(json), async ({ path, document }) => {
          forged.add(path);
          const verification = await verify(document);
          expect(verification.kind, `${path}: ${JSON.stringify(document)}`).to.equal("refused");
        }),
        { numRuns: 1_200 },
      );
      const all = leavesOf(json).map(({ path }) => path.join("."));
      expect(all.filter((path) => !forged.has(path))).to.deep.equal([]);
    });

    it("are refused for the right reason, whatever is forged so that it fits together", async () => {
      const { source } = scene;
      const receipt = await built(source, uetrs[0] as Uetr, []);
      const rejected = await built(source, uetrs[1] as Uetr, []);
      const { header, transactions } = receipt;
      const never = { ...header, expiresAt: header.expiresAt + 1 };
      const [first, second] = rejected.rejected;
      const code = reasonToBytes4("FR01");
      const cases: readonly [string, Receipt][] = [
        ["NOT_ON_LEDGER", { ...receipt, header: never, batchId: batchId(never, source.ledger.chain), rejected: [] }],
        ["REJECTIONS", { ...receipt, rejected: [] }],
        ["REJECTIONS", { ...receipt, rejected: receipt.rejected.toReversed() }],
        ["REJECTIONS", { ...rejected, rejected: [first, second].flatMap((one) => (one ? [{ ...one, code }] : [])) }],
        ["REJECTIONS", { ...rejected, status: "settled", rejected: [] }],
        ["REJECTIONS", { ...receipt, status: "expired", rejected: [] }],
        ["TRANSACTION", { ...receipt, transactions: { ...transactions, opened: transactions.final } }],
        ["TRANSACTION", { ...receipt, transactions: { ...transactions, final: transactions.opened } }],
        ["TRANSACTION", { ...receipt, transactions: { ...transactions, final: `0x${"ab".repeat(32)}` } }],
        ["BATCH_ID", { ...receipt, chainId: 1n }],
      ];
      for (const [expected, forgery] of cases) {
        expect(verdict(await verify(receiptToJson(forgery))), expected).to.equal(expected);
      }
    });

    it("are not verified by a node that is of another chain, lies, or does not answer", async () => {
      const network = await provider.getNetwork();
      const elsewhere = withMethods(provider, {
        getNetwork: () => Promise.resolve(Object.assign(network.clone(), { chainId: 5n })),
      });
      expect(verdict(await verify(json, elsewhere))).to.equal("CHAIN");
      const forgetful = withMethods(provider, { getTransactionReceipt: () => Promise.resolve(null) });
      expect(verdict(await verify(json, forgetful))).to.equal("TRANSACTION");
      const blockless = withMethods(provider, { getBlock: () => Promise.resolve(null) });
      expect(verdict(await verify(json, blockless))).to.equal("unavailable");
    });

    it("are refused when there is nothing of a receipt in them", async () => {
      for (const nothing of [undefined, null, "paid", [], {}, { ...json, format: "feiqian-receipt/2" }]) {
        expect(verdict(await verify(nothing))).to.equal("MALFORMED");
      }
      const huge: Json = Array.from({ length: 33 }, () => `0x${"00".repeat(32)}`);
      expect(verdict(await verify(replaced(json, ["proof"], huge)))).to.equal("MALFORMED");
    });

    it("can still be had once the details are erased, without them; not once the payload is", async () => {
      const { source, target } = scene;
      const uetr = uetrs[2] as Uetr;
      await source.db.query("UPDATE transfers SET sealed = NULL WHERE uetr = $1::uuid", [uetr]);
      expect(await refusal(source, uetr)).to.equal("erased");
      expect(verdict(await verify(receiptToJson(await built(source, uetr, []))))).to.equal("verified");
      await target.db.query("UPDATE payloads SET sealed = NULL");
      expect(await refusal(target, uetr, [])).to.equal("erased");
    });

    it("there are none of transfers that this relay has nothing to do with", async () => {
      expect(await refusal(scene.source, "eb6305c9-1f7f-49de-aed0-16487c27b42d" as Uetr)).to.equal("not-found");
    });

    describe("over HTTP", () => {
      let node: HttpNode;
      before(async () => {
        node = await startHttpNode();
      });
      after(() => node.close());

      it("are verified by the URL of a node, and merely consistent where no registry to trust is given", async () => {
        expect(await verify(json, node.url)).to.deep.include({ kind: "verified", claims: ["NODE", "DETAILS"] });
        expect(await verifyReceipt(node.url, json)).to.deep.include({
          kind: "consistent",
          claims: ["NODE", "DETAILS"],
        });
      });

      it("are told by the command as valid with a registry to trust only: otherwise in other words, with another code", async () => {
        const folder = await mkdtemp(join(tmpdir(), "feiqian-receipts-"));
        const file = join(folder, "receipt.json");
        await writeFile(file, JSON.stringify(json));
        const command = ["receipt", "verify", file, "--rpc", node.url];
        const { transferRegistry } = scene.source.ledger.addresses;
        const valid = await runCli([...command, "--registry", transferRegistry]);
        expect([valid.code, valid.out.split("\n")[0]]).to.deep.equal([0, "Valid: what follows is proved."]);
        const unproved = await runCli(command);
        expect([unproved.code, unproved.out.split(":")[0]]).to.deep.equal([11, "Not proved"]);
        expect(unproved.out).not.to.match(/valid|is proved/i);
        expect(unproved.err).to.contain("--registry");
        const machine = await runCli([...command, "--json"]);
        expect([machine.code, (JSON.parse(machine.out) as { kind: string }).kind]).to.deep.equal([11, "consistent"]);
        await rm(folder, { recursive: true });
      });

      it("are refused where they come from another registry, whatever that says", async () => {
        const { treasury, transferRegistry } = scene.source.ledger.addresses;
        const receipt = await built(scene.source, uetrs[0] as Uetr, []);
        const moved = (registry: typeof treasury) => {
          const id = batchId(receipt.header, { chainId: receipt.chainId, transferRegistry: registry });
          return receiptToJson({ ...receipt, registry, batchId: id });
        };
        expect(verdict(await verify(moved(treasury)))).to.equal("REGISTRY");
        // Nobody said which to trust: the contract itself has to be one.
        expect(verdict(await verifyReceipt(node.url, moved(treasury)))).to.equal("REGISTRY");
        expect(verdict(await verifyReceipt(node.url, moved(`0x${"12".repeat(20)}`)))).to.equal("REGISTRY");
        const untrusted = await verifyReceipt(node.url, moved(transferRegistry));
        expect(untrusted).to.deep.include({ kind: "consistent", claims: ["NODE"] });
      });

      it("are neither verified nor refused when no answer comes, or an answer is lost on the way", async () => {
        const asked: string[] = [];
        node.fateOf = (method) => {
          asked.push(method);
          return method === "eth_call" ? "lost after" : "passed";
        };
        const verification = await verifyReceipt(node.url, json, { timeoutMs: 1_000 });
        expect(verification.kind).to.equal("unavailable");
        expect(asked).to.include("eth_call");
        // The address of a node may hold a key.
        expect(JSON.stringify(verification)).to.not.include("127.0.0.1");
        node.fateOf = () => "passed";
      });
    });
  });

  it("prove that everything was rejected", async () => {
    scene = await play(open, { 0: "AC03", 1: "AC03", 2: "AC04", 3: "MS03" });
    for (const relay of [scene.source, scene.target]) {
      const verification = await verify(receiptToJson(await built(relay, scene.transfers[3]?.uetr as Uetr)));
      expect(verification).to.include({ kind: "verified", status: "rejected", reason: "MS03" });
    }
  });

  it("prove that a batch has expired, and that is all they prove", async () => {
    scene = await play(open, {}, "expire");
    const json = receiptToJson(await built(scene.source, scene.transfers[0]?.uetr as Uetr));
    expect(await verify(json)).to.include({ kind: "verified", status: "expired", reason: undefined });
    expect(verdict(await verify({ ...json, status: "settled" }))).to.equal("STATUS");
  });

  it("there are none while a batch is open, and one that is made up all the same is refused", async () => {
    scene = await play(open, {}, "none");
    const uetr = scene.transfers[0]?.uetr as Uetr;
    for (const relay of [scene.source, scene.target]) expect(await refusal(relay, uetr)).to.equal("receipt-not-ready");
    const [opened] = await readEvents(scene.source.ledger, 0, await provider.getBlockNumber()).then((events) =>
      events.filter(({ kind }) => kind === "Opened"),
    );
    if (opened?.kind !== "Opened") throw new Error("nothing was opened");
    const transaction = opened.transactionHash;
    const at = { block: 1, logIndex: 0, timeSeconds: 1, transaction };
    await finishBatches(scene.source.db, [{ id: opened.batchId, status: "settled", rejected: [], at }]);
    expect(verdict(await verify(receiptToJson(await built(scene.source, uetr))))).to.equal("NOT_FINAL");
  });
});
