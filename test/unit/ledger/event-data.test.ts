import { expect } from "chai";
import type { EventFragment, ParamType, Result } from "ethers";
import fc from "fast-check";
import { ABI, type ContractName } from "../../../src/ledger/abi.ts";
import { decodeEventData, type EventData } from "../../../src/ledger/event-data.ts";

/** What relays read: ethers decodes the others where somebody asks for them. */
const READ: readonly (readonly [ContractName, readonly string[]])[] = [
  ["transferRegistry", ["Opened", "Settled", "Rejected", "Expired", "TimeLost"]],
  ["treasury", ["Deposited", "Withdrawn", "Held", "Released", "Moved"]],
  ["partnerRegistry", ["StatusChanged"]],
  ["corridorBook", ["CorridorChanged"]],
  ["quoteBook", ["QuoteCancelled"]],
];
const EVENTS = READ.flatMap(([contract, names]) =>
  names.map((name) => ({ contract, event: ABI[contract].getEvent(name) ?? expect.fail(name) })),
);

function anyOf(type: ParamType): fc.Arbitrary<unknown> {
  if (type.arrayChildren !== null) return fc.array(anyOf(type.arrayChildren), { maxLength: 5 });
  if (type.baseType === "tuple") return fc.tuple(...(type.components ?? []).map(anyOf));
  if (type.baseType === "bool") return fc.boolean();
  const bits = /^uint(\d+)$/.exec(type.baseType)?.[1];
  if (bits !== undefined) return fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n });
  const length = type.baseType === "address" ? 20 : Number.parseInt(/^bytes(\d+)$/.exec(type.baseType)?.[1] ?? "", 10);
  return fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`);
}

function ofEthers(types: readonly ParamType[], values: Result): unknown {
  return types.map((type, index) => plain(type, values[index]));
}

function plain(type: ParamType, value: unknown): unknown {
  const { arrayChildren, components } = type;
  // Results of ethers are arrays, of the ABI's types.
  if (arrayChildren !== null) return (value as readonly unknown[]).map((each) => plain(arrayChildren, each));
  if (components !== null) return ofEthers(components, value as Result);
  return typeof value === "string" ? value.toLowerCase() : value;
}

function ofOurs(types: readonly ParamType[], values: EventData): unknown {
  return types.map((type) => ours(type, values.getValue(type.name)));
}

function ours(type: ParamType, value: unknown): unknown {
  const { arrayChildren, components } = type;
  if (arrayChildren !== null) return (value as readonly unknown[]).map((each) => ours(arrayChildren, each));
  return components === null ? value : ofOurs(components, value as EventData);
}

describe("an event's data", () => {
  const log = (event: EventFragment, values: readonly unknown[], contract: ContractName) =>
    ABI[contract].encodeEventLog(event, values);

  for (const { contract, event } of EVENTS) {
    it(`of ${contract}.${event.name} is read as ethers reads it`, () => {
      fc.assert(
        fc.property(fc.tuple(...event.inputs.map(anyOf)), (values) => {
          const { data, topics } = log(event, values, contract);
          const theirs = ABI[contract].decodeEventLog(event, data, topics);
          expect(ofOurs(event.inputs, decodeEventData(event, topics, data))).to.deep.equal(
            ofEthers(event.inputs, theirs),
          );
        }),
      );
    });

    if (event.inputs.every(({ indexed }) => indexed === true)) continue;
    it(`of ${contract}.${event.name} is refused, cut off anywhere`, () => {
      fc.assert(
        fc.property(fc.tuple(...event.inputs.map(anyOf)), fc.nat(), (values, at) => {
          const { data, topics } = log(event, values, contract);
          const words = (data.length - 2) / 64;
          const cut = data.slice(0, 2 + 64 * (at % words));
          expect(() => decodeEventData(event, topics, cut)).to.throw(/event/);
        }),
      );
    });
  }

  it("is refused where a value is more than its type, and where a list is longer than what there is", () => {
    const { event } = EVENTS.find((each) => each.event.name === "Held") ?? expect.fail("Held");
    const { data, topics } = log(event, [1n, 5n], "treasury");
    const over = `${data.slice(0, 2 + 64)}${"f".repeat(64)}`;
    expect(() => decodeEventData(event, topics, over)).to.throw(/uint128/);
    const settled = EVENTS.find((each) => each.event.name === "Settled")?.event ?? expect.fail("Settled");
    const encoded = log(settled, [`0x${"1".repeat(64)}`, 1, 2, 1n, 1n, 0n, []], "transferRegistry");
    const endless = `${encoded.data.slice(0, -64)}${"f".repeat(64)}`;
    expect(() => decodeEventData(settled, encoded.topics, endless)).to.throw(/beyond its end/);
    expect(() => decodeEventData(event, topics, data).getValue("nothing")).to.throw(/nothing/);
  });
});
