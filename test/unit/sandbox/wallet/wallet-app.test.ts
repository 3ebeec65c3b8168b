import { expect } from "chai";
import type { ProblemJson } from "../../../../src/schema/problems.ts";
import type { LineResult } from "../../../../src/schema/transfers.ts";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import { money } from "../../../../src/domain/money.ts";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import { parseUetr } from "../../../../src/domain/uetr.ts";
import { openBooks, type WalletBooks } from "../../../../sandbox/wallet/books.ts";
import type { Order } from "../../../../sandbox/orders/order.ts";
import { openWalletApp } from "../../../../sandbox/wallet/wallet-app.ts";
import type { RelayClient } from "../../../../sdk/index.ts";
import { RelayProblem } from "../../../../sdk/index.ts";
import { acceptanceOf } from "../../sdk/support.ts";

const HKD = parseCurrency("HKD").code;
const PAYER = { name: "Chan Tai Man", nameLocal: "陳大文", phone: "+85251234567" };
const ORDER: Order = {
  uetr: parseUetr("0b6a9c52-3f1d-4f0e-9a51-7c2d1e8f4a10"),
  source: parsePartnerId(7),
  target: parsePartnerId(4),
  sourceAmount: money(100n, HKD),
  debtor: PAYER,
  creditor: { name: "Maria", nameLocal: "Maria", phone: "+639171234567" },
  purpose: "FAMI",
  remittance: "",
  atSecond: 0,
};

describe("a wallet that sends", () => {
  const clock = { nowMs: () => 1_700_000_000_000, sleep: () => Promise.resolve() };
  let books: WalletBooks;
  beforeEach(() => {
    const holders = [{ ...PAYER, openingMinor: 1_000n }];
    books = openBooks({ wallet: parsePartnerId(7), currency: HKD, holders, clock });
  });

  /** Sends one order to a relay that gives these answers in turn. */
  async function sentTo(...answers: readonly (Partial<LineResult> | Error)[]) {
    const open = [...answers];
    // What the app asks of a relay when it sends.
    const relay = {
      corridors: () => Promise.resolve([]),
      // eslint-disable-next-line @typescript-eslint/require-await -- a stream that is there at once
      async *submitMany() {
        const answer = open.shift();
        if (answer instanceof Error) throw answer;
        if (answer !== undefined) yield { line: 1, uetr: ORDER.uetr, status: 202, ...answer };
      },
    } as unknown as RelayClient;
    const app = await openWalletApp({ books, relay, clock });
    return (await app.sendAll([ORDER])).get(ORDER.uetr);
  }
  // A problem as far as it is read here.
  const refusing = (problem: Partial<ProblemJson>) => ({
    status: 422,
    problem: { code: "x", ...problem } as ProblemJson,
  });
  const acceptance = acceptanceOf(ORDER.uetr);
  const stored = { ...acceptance, status: "credited" as const, pacs002: "ACCC", isFinal: true, steps: [] };

  it("gives the money back when nothing is stored and never will be, and only then", async () => {
    expect(await sentTo(refusing({ transfer: "none", reason: "AB04" }))).to.deep.equal({
      kind: "refused",
      code: "AB04",
    });
    expect([...books.refunds.keys()]).to.deep.equal([ORDER.uetr]);
  });

  for (const [what, ...answers] of [
    ["a conflict, which goes by what is stored", refusing({ transfer: "stored", stored })],
    ["a refusal that proves nothing", refusing({ transfer: "unknown" }), { acceptance }],
    ["a refusal of which it is not said", refusing({}), { acceptance }],
    [
      "a refusal of the whole stream",
      new RelayProblem("no", {
        ...{ code: "not-the-relay", status: 403, transfer: "unknown", stored: undefined, field: undefined },
        ...{ reason: undefined, instance: undefined, retryAfterSeconds: undefined },
      }),
      { acceptance },
    ],
  ] as const) {
    it(`keeps the debit after ${what}`, async () => {
      expect(await sentTo(...answers)).to.include({ kind: "accepted" });
      expect(books.refunds).to.have.property("size", 0);
      expect(books.debits).to.have.property("size", 1);
    });
  }
});
