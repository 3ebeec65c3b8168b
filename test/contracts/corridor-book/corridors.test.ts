import { expect } from "chai";
import { corridorId } from "../../../src/domain/corridor.ts";
import { expectRevert } from "../support/expect-revert.ts";
import { CORRIDORS, HKD, PHP, TERMS, freshNetwork } from "../support/network.ts";

const MAX_UINT64 = 2n ** 64n - 1n;
const CORRIDOR = corridorId(CORRIDORS.hkdToPhp);

function packed(source: number, sourceCurrency: number, target: number, targetCurrency: number): bigint {
  return [source, sourceCurrency, target, targetCurrency].reduce((id, part) => (id << 16n) | BigInt(part), 0n);
}

describe("CorridorBook.constructor", () => {
  it("emits TreasuryBound with the treasury whose modules may draw", async () => {
    const { corridors, treasury } = await freshNetwork();
    const bound = await corridors.queryFilter(corridors.filters.TreasuryBound());
    expect(bound.map(({ args }) => args.treasury)).to.deep.equal([await treasury.getAddress()]);
  });
});

describe("CorridorBook.setCorridor", () => {
  describe("when the caller is not risk", () => {
    it("reverts with AccessManagedUnauthorized", async () => {
      const { corridors, cast } = await freshNetwork();
      const call = corridors.connect(cast.registrar).setCorridor(CORRIDOR, 1, TERMS);
      await expectRevert(call, "AccessManagedUnauthorized", [cast.registrar.address]);
    });
  });

  describe("when the corridor cannot have these terms", () => {
    const cases = [
      ["source and target are one partner", packed(7, HKD, 7, PHP), {}, "target", 7n, 7n],
      ["there is no source currency", packed(7, 0, 4, PHP), {}, "sourceCurrency", 0n, 999n],
      ["there is no target currency", packed(7, HKD, 4, 0), {}, "targetCurrency", 0n, 999n],
      ["the source currency has four digits", packed(7, 1_000, 4, PHP), {}, "sourceCurrency", 1_000n, 999n],
      ["the target currency has four digits", packed(7, HKD, 4, 1_000), {}, "targetCurrency", 1_000n, 999n],
      ["the fee is above a tenth", CORRIDOR, { feeBps: 1_001n }, "feeBps", 1_001n, 1_000n],
      ["a batch may be larger than a day", CORRIDOR, { maxPerBatch: 2n, maxPerDay: 1n }, "maxPerBatch", 2n, 1n],
    ] as const;
    for (const [title, corridor, change, field, given, against] of cases) {
      it(`reverts with Invalid when ${title}`, async () => {
        const { corridors, cast } = await freshNetwork();
        const call = corridors.connect(cast.risk).setCorridor(corridor, 1, { ...TERMS, ...change });
        await expectRevert(call, "CorridorBook_Invalid", [corridor, field, given, against]);
      });
    }
  });

  describe("when a partner was never registered", () => {
    it("reverts with UnknownPartner for the source", async () => {
      const { corridors, cast } = await freshNetwork();
      const call = corridors.connect(cast.risk).setCorridor(packed(98, HKD, 4, PHP), 0, TERMS);
      await expectRevert(call, "PartnerRegistry_UnknownPartner", [98]);
    });

    it("reverts with UnknownPartner for the target", async () => {
      const { corridors, cast } = await freshNetwork();
      const call = corridors.connect(cast.risk).setCorridor(packed(7, HKD, 99, PHP), 0, TERMS);
      await expectRevert(call, "PartnerRegistry_UnknownPartner", [99]);
    });
  });

  describe("when the call was made for another epoch", () => {
    it("reverts with EpochMismatch once the guardian has closed the corridor", async () => {
      const { corridors, cast } = await freshNetwork();
      await corridors.connect(cast.guardian).closeCorridor(CORRIDOR);
      const call = corridors.connect(cast.risk).setCorridor(CORRIDOR, 1, TERMS);
      await expectRevert(call, "CorridorBook_EpochMismatch", [CORRIDOR, 1, 2]);
      expect((await corridors.termsOf(CORRIDOR)).open).to.equal(false);
    });
  });

  describe("when the terms are valid", () => {
    const cases = [
      ["opens a corridor", packed(8, HKD, 7, PHP), TERMS],
      [
        "takes the largest values",
        packed(4, 999, 7, HKD),
        { open: true, feeBps: 1_000n, maxPerBatch: MAX_UINT64, maxPerDay: MAX_UINT64 },
      ],
      ["replaces the terms of an open corridor", CORRIDOR, { open: true, feeBps: 0n, maxPerBatch: 1n, maxPerDay: 1n }],
      ["closes a corridor", CORRIDOR, { ...TERMS, open: false }],
    ] as const;
    for (const [title, corridor, terms] of cases) {
      it(`${title} and emits CorridorChanged`, async () => {
        const { corridors, cast } = await freshNetwork();
        const values = [terms.open, terms.feeBps, terms.maxPerBatch, terms.maxPerDay];
        const epoch = await corridors.epochOf(corridor);
        await expect(corridors.connect(cast.risk).setCorridor(corridor, epoch, terms))
          .to.emit(corridors, "CorridorChanged")
          .withArgs(corridor, values);
        expect([...(await corridors.termsOf(corridor))]).to.deep.equal(values);
        expect(await corridors.epochOf(corridor)).to.equal(epoch + 1n);
      });
    }
  });
});

describe("CorridorBook.closeCorridor", () => {
  it("reverts with AccessManagedUnauthorized when the caller is not the guardian", async () => {
    const { corridors, cast } = await freshNetwork();
    const call = corridors.connect(cast.risk).closeCorridor(CORRIDOR);
    await expectRevert(call, "AccessManagedUnauthorized", [cast.risk.address]);
  });

  it("reverts with Closed when it was never opened", async () => {
    const { corridors, cast } = await freshNetwork();
    const corridor = packed(4, PHP, 7, HKD);
    const call = corridors.connect(cast.guardian).closeCorridor(corridor);
    await expectRevert(call, "CorridorBook_Closed", [corridor]);
  });

  it("reverts with Closed when it is closed already", async () => {
    const { corridors, cast } = await freshNetwork();
    await corridors.connect(cast.guardian).closeCorridor(CORRIDOR);
    const call = corridors.connect(cast.guardian).closeCorridor(CORRIDOR);
    await expectRevert(call, "CorridorBook_Closed", [CORRIDOR]);
  });

  it("closes the corridor, keeps its other terms and emits CorridorChanged", async () => {
    const { corridors, cast } = await freshNetwork();
    const values = [false, TERMS.feeBps, TERMS.maxPerBatch, TERMS.maxPerDay];
    await expect(corridors.connect(cast.guardian).closeCorridor(CORRIDOR))
      .to.emit(corridors, "CorridorChanged")
      .withArgs(CORRIDOR, values);
    expect([...(await corridors.termsOf(CORRIDOR))]).to.deep.equal(values);
  });
});
