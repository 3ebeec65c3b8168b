import { expect } from "chai";
import { problemOf } from "../../../../src/kernel/http/problem.ts";
import { LedgerDisputed, LedgerUnconfirmed, LedgerUnreachable } from "../../../../src/ledger/rpc/rpc-errors.ts";

describe("what is thrown, as a problem", () => {
  const away = [
    new LedgerUnreachable(["http://127.0.0.1:8545: no answer in 5000 ms"]),
    new LedgerUnconfirmed("block 7", ["one is behind"]),
    new LedgerDisputed("block 7", [["one"], ["another"]]),
    new Error("the registry cannot be read", { cause: new LedgerUnreachable([]) }),
    Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
  ];
  for (const failure of away) {
    it(`is one that passes, and says when to ask again: ${failure.message}`, () => {
      const { refusal, headers } = problemOf(failure);
      expect([refusal.code, headers["retry-after"]]).to.deep.equal(["unavailable", "1"]);
    });
  }

  it("is the relay's own fault where nobody expected it, and then says nothing of what it is", () => {
    const { refusal } = problemOf(new TypeError("x of undefined"));
    expect(refusal.code).to.equal("internal");
    expect(refusal.detail).not.to.include("undefined");
  });
});
