import { expect } from "chai";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import { parseUetr } from "../../../src/domain/uetr.ts";
import { openBooks } from "../../../src/sandbox/accounts.ts";

const UETR = parseUetr("0b6a9c52-3f1d-4f0e-9a51-7c2d1e8f4a10");
const OTHER = parseUetr("5d3c9f8e-62b7-4c1a-8e0f-2b9a7d6c5e41");
const WALLET = parsePartnerId(7);

describe("a wallet's books", () => {
  it("keep what was debited, refunded and credited, by transfer", () => {
    const books = openBooks(WALLET);
    books.debit(UETR, 100n);
    books.debit(OTHER, 7n);
    books.refund(UETR);
    books.credit(OTHER, 55n);
    expect([...books.debits]).to.deep.equal([
      [UETR, 100n],
      [OTHER, 7n],
    ]);
    expect([...books.refunds]).to.deep.equal([[UETR, 100n]]);
    expect([...books.credits]).to.deep.equal([[OTHER, 55n]]);
  });

  it("post once, however often they are asked", () => {
    const books = openBooks(WALLET);
    for (let asked = 0; asked < 3; asked++) {
      books.debit(UETR, 100n);
      books.refund(UETR);
      books.credit(UETR, 5n);
    }
    expect([books.debits.size, books.refunds.size, books.credits.size]).to.deep.equal([1, 1, 1]);
    expect([books.refunds.get(UETR), books.credits.get(UETR)]).to.deep.equal([100n, 5n]);
  });

  it("refuse another amount for what they have posted", () => {
    const books = openBooks(WALLET);
    books.debit(UETR, 100n);
    books.credit(UETR, 5n);
    expect(() => books.debit(UETR, 101n)).to.throw(RangeError, `wallet 7 has posted 100 for ${UETR}, and now 101`);
    expect(() => books.credit(UETR, 4n)).to.throw(RangeError);
    expect([books.debits.get(UETR), books.credits.get(UETR)]).to.deep.equal([100n, 5n]);
  });

  it("refund nothing that they have not debited", () => {
    expect(() => openBooks(WALLET).refund(UETR)).to.throw(RangeError, "wallet 7 has not debited");
  });
});
