import { expect } from "chai";
import { TypedDataEncoder } from "ethers";
import fc from "fast-check";
import { InvalidInput } from "../../../src/domain/errors.ts";
import { parsePartnerId } from "../../../src/domain/partner.ts";
import {
  paymentRequestDigest,
  paymentRequestSchema,
  readRequestCode,
  requestCode,
  type PaymentRequest,
} from "../../../src/domain/payment-request.ts";
import {
  batchDomain,
  hashPaymentRequest,
  PAYMENT_REQUEST_TYPES,
  typedDataDomain,
} from "../../../src/domain/typed-data.ts";
import { uetrFromRandom } from "../../../src/domain/uetr.ts";
import { toJson } from "../../../src/domain/wire.ts";

const CHAIN = { chainId: 2_018n, transferRegistry: `0x${"5f".repeat(20)}` } as const;

const REQUEST: PaymentRequest = {
  id: "5f4b8a52-7a3c-4c1e-9a0d-0b6f1c2d3e4f",
  payee: parsePartnerId(4),
  name: "Maria's Store",
  currency: 608,
  amount: 72_500n,
  single: true,
  expiresAt: 1_796_000_000,
  purpose: "GDDS",
  reference: "Order 17",
};

const NAMES = ["Maria's Store", "安吉办公椅", "A very long name of a store that no code holds", "ร้านอาหาร", "Ω"];
const requests: fc.Arbitrary<PaymentRequest> = fc.record({
  id: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(uetrFromRandom),
  payee: fc.integer({ min: 1, max: 65_535 }).map((id) => parsePartnerId(id)),
  name: fc.constantFrom(...NAMES),
  currency: fc.constantFrom(608, 410, 50, 156),
  amount: fc.bigInt({ min: 0n, max: 999_999_999n }),
  single: fc.boolean(),
  expiresAt: fc.nat(2 ** 31),
  purpose: fc.constantFrom("GDDS", "UBIL"),
  reference: fc.constantFrom("", "Order 17", "发票 8"),
});

describe("payment requests", () => {
  it("are signed as EIP-712 has it", () => {
    fc.assert(
      fc.property(requests, (request) => {
        expect(hashPaymentRequest(request)).to.equal(
          TypedDataEncoder.hashStruct("PaymentRequest", PAYMENT_REQUEST_TYPES, request),
        );
        expect(paymentRequestDigest(request, CHAIN)).to.equal(
          TypedDataEncoder.hash({ ...typedDataDomain(batchDomain(CHAIN)) }, PAYMENT_REQUEST_TYPES, request),
        );
      }),
    );
  });

  it("are something else whatever is changed of them", () => {
    const digest = paymentRequestDigest(REQUEST, CHAIN);
    const others: readonly Partial<PaymentRequest>[] = [
      { id: "5f4b8a52-7a3c-4c1e-9a0d-0b6f1c2d3e4e" },
      { payee: parsePartnerId(5) },
      { name: "Mario's Store" },
      { currency: 410 },
      { amount: 72_501n },
      { single: false },
      { expiresAt: 1_796_000_001 },
      { purpose: "UBIL" },
      { reference: "Order 18" },
    ];
    expect(others.map((other) => Object.keys(other)[0]).sort()).to.deep.equal(Object.keys(REQUEST).sort());
    for (const other of others) expect(paymentRequestDigest({ ...REQUEST, ...other }, CHAIN)).not.to.equal(digest);
  });

  it("travel as JSON and come back as they were", () => {
    fc.assert(
      fc.property(requests, (request) => {
        expect(paymentRequestSchema.parse(toJson(request))).to.deep.equal(request);
      }),
    );
  });

  it("have a code that says where they are, how much they ask, and whether once", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const { payee, id, code } = readRequestCode(requestCode(request, "PH"));
        expect({ payee, id }).to.deep.equal({ payee: request.payee, id: request.id });
        expect(code.amount?.minor ?? 0n).to.equal(request.amount);
        expect(code).to.include({ isDynamic: request.single, country: "PH" });
        expect(request.name.startsWith(code.name ?? "?")).to.equal(true);
      }),
    );
  });

  it("have a code of EMVCo's objects in their order", () => {
    const objects = [
      "000201",
      "010212",
      "50640015network.feiqian0101402365f4b8a52-7a3c-4c1e-9a0d-0b6f1c2d3e4f",
      "52040000",
      "5303608",
      "5406725.00",
      "5802PH",
      "5913Maria's Store",
      "6002PH",
    ].join("");
    expect(requestCode(REQUEST, "PH").slice(0, -8)).to.equal(objects);
  });

  it("are no codes of other schemes, nor ones without a request", () => {
    const own = requestCode(REQUEST, "PH");
    expect(() => readRequestCode(own.replace("5406725.00", "5406725.01"))).to.throw(InvalidInput, /code\.63/);
  });
});
