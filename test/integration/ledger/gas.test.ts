import { expect } from "chai";
import type { Authorization } from "../../../src/domain/typed-data.ts";
import { openGas, settleGas } from "../../../src/ledger/gas.ts";
import { createSubmitter } from "../../../src/ledger/submitter.ts";
import type { Refusals } from "../../support/transfers.ts";
import { makeBatch, makeSettlement } from "../../support/batches.ts";
import { fundedLedger, HKD_TO_HKD, HKD_TO_PHP, OPTIONS } from "../support/chain.ts";
import { ledgerError, submitterWith } from "../support/submitting.ts";
import snapshot from "../../contracts/gas-snapshot.json" with { type: "json" };

const OWN: Authorization = { key: `0x${"11".repeat(20)}`, signature: `0x${"22".repeat(65)}` };
const OF_A_CONTRACT: Authorization = { ...OWN, signature: `0x${"22".repeat(130)}` };
/** Transfers, and how many of them are rejected. */
const SIZES = [
  [1, 0],
  [1, 1],
  [2, 1],
  [33, 1],
  [33, 17],
  [33, 33],
] as const;
/** By the scenarios' titles. */
const REJECTED: Readonly<Record<string, number>> = {
  "1,000 transfers, 1 rejected": 1,
  "1,000 transfers, 50 rejected": 50,
  "10 transfers, all rejected": 10,
};

describe("the gas limit of a call", () => {
  it("is above all that the contracts are measured to take in their steady state", () => {
    const single = Object.entries(snapshot).filter(([title]) => !/in one (transaction|step)/.test(title));
    expect(single).to.have.length.above(8);
    for (const [title, { transfers, open, settle }] of single) {
      expect(openGas(OWN, OWN), title).to.satisfy((limit: bigint) => limit > BigInt(open) * 2n);
      const limit = settleGas(transfers, REJECTED[title] ?? 0, OWN);
      expect(limit, title).to.satisfy((gas: bigint) => gas > BigInt(settle));
    }
    expect(Object.keys(REJECTED).every((title) => title in snapshot)).to.equal(true);
  });

  it("is above what a batch takes on a ledger where nothing has been written before, however many it rejects", async () => {
    for (const corridor of [HKD_TO_PHP, HKD_TO_HKD]) {
      for (const [count, rejected] of SIZES) {
        const sandbox = await fundedLedger();
        const submitter = await createSubmitter(sandbox.keys.walletOf({ kind: "courier" }), OPTIONS);
        const batch = await makeBatch(sandbox, { corridor, count });
        const opened = await submitter.submit(batch.open, openGas(OWN, OWN));
        const refusals: Refusals = Object.fromEntries(
          Array.from({ length: rejected }, (_, index) => [count - 1 - index, "AC03" as const]),
        );
        const settled = await submitter.submit(
          await makeSettlement(sandbox, batch, refusals),
          settleGas(count, rejected, OWN),
        );
        expect([opened.status, settled.status]).to.deep.equal([1, 1]);
      }
    }
  });

  it("is not told of a key that is a contract, nor where it might not fit a block: those are simulated", () => {
    expect([openGas(OF_A_CONTRACT, OWN), openGas(OWN, OF_A_CONTRACT)]).to.deep.equal([undefined, undefined]);
    expect(settleGas(1, 0, OF_A_CONTRACT)).to.equal(undefined);
    expect(settleGas(4_000, 4_000, OWN)).to.equal(undefined);
    expect(openGas(OWN, { key: `0x${"00".repeat(20)}`, signature: "0x" })).to.be.a("bigint");
  });

  it("saves the simulation, and tells a refusal with its reason all the same", async () => {
    const sandbox = await fundedLedger();
    const { open } = await makeBatch(sandbox);
    const asked: string[] = [];
    const submitter = await submitterWith(sandbox, {
      estimateGas() {
        asked.push("estimateGas");
        return Promise.resolve(1_000_000n);
      },
    });
    const limit = openGas(OWN, OWN);
    const { status } = await submitter.submit(open, limit);
    const refused = await ledgerError(submitter.submit(open, limit));
    expect([status, refused.code, refused.remedy]).to.deep.equal([1, "TransferRegistry_IllegalStatus", "done"]);
    expect(asked).to.deep.equal([]);
  });

  it("asks for no block again before each transaction, where gas is free", async () => {
    const sandbox = await fundedLedger();
    const { provider } = sandbox.ledger;
    let blocks = 0;
    const submitter = await submitterWith(sandbox, {
      getBlock(...asked) {
        blocks++;
        return provider.getBlock(...asked);
      },
    });
    for (const seed of ["one", "two", "three"]) {
      await submitter.submit((await makeBatch(sandbox, { seed })).open, openGas(OWN, OWN));
    }
    expect(blocks).to.equal(1);
  });
});
