import { expect } from "chai";
import { InvalidInput } from "../../../src/domain/errors.ts";
import {
  formatAddresses,
  formatConfig,
  parseAddresses,
  parseConfig,
} from "../../../src/ledger/deployment/config-file.ts";
import { sandboxConfig, sandboxKeys } from "../../../sandbox/network.ts";

const config = sandboxConfig(sandboxKeys());

interface Json {
  clock?: object;
  tokens: object[];
  partners: object[];
  corridors: { terms: object }[];
  holders: object[];
}

/** The sandbox's configuration with one thing of it changed. */
function changed(change: (json: Json) => void): string {
  // What `formatConfig` has written.
  const json = JSON.parse(formatConfig(config)) as Json;
  change(json);
  return JSON.stringify(json);
}

function first<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new Error("none");
  return item;
}

function refusal(text: string): InvalidInput {
  try {
    parseConfig(text);
  } catch (failure) {
    if (failure instanceof InvalidInput) return failure;
    throw failure;
  }
  throw new Error("accepted");
}

describe("the configuration file", () => {
  it("reads back what it writes", () => {
    expect(parseConfig(formatConfig(config))).to.deep.equal(config);
  });

  const wrong: readonly [title: string, text: string, field: string, rule: RegExp][] = [
    ["is not JSON", "{", "configuration", /^JSON$/],
    ["is no object", "[]", "configuration", /object/],
    ["has an unknown field", changed((json) => Object.assign(json, { colour: 1 })), "configuration", /colour/],
    ["lacks a field", changed((json) => delete json.clock), "clock", /./],
    [
      "has an address that is too short",
      changed((json) => Object.assign(first(json.tokens), { bank: "0x12" })),
      "tokens.0.bank",
      /an address/,
    ],
    [
      "has an unknown currency",
      changed((json) => Object.assign(first(json.tokens), { currency: "XXX" })),
      "tokens.0.currency",
      /ISO 4217/,
    ],
    [
      "has an amount that is a number",
      changed((json) => Object.assign(first(json.corridors).terms, { maxPerDay: 1 })),
      "corridors.0.terms.maxPerDay",
      /string/,
    ],
    [
      "has a fee with a fraction",
      changed((json) => Object.assign(first(json.corridors).terms, { feeBps: 0.5 })),
      "corridors.0.terms.feeBps",
      /int/,
    ],
    [
      "has a corridor twice",
      changed((json) => json.corridors.push(first(json.corridors))),
      "corridors[69]",
      /no corridor twice/,
    ],
    ["has no guardian", changed((json) => json.holders.splice(5, 1)), "holders", /guardian/],
    ["has a partner twice", changed((json) => json.partners.push(first(json.partners))), "partners", /twice/],
    ["has no hub", changed((json) => json.partners.splice(0, 1)), "partners", /hub/],
  ];
  for (const [title, text, field, rule] of wrong) {
    it(`is refused where it ${title}`, () => {
      const { field: named, rule: given } = refusal(text);
      expect(named).to.equal(field);
      expect(given).to.match(rule);
    });
  }
});

describe("the file of addresses", () => {
  const address = `0x${"12".repeat(20)}` as const;
  const other = `0x${"34".repeat(20)}` as const;
  const third = `0x${"56".repeat(20)}` as const;
  const contracts = {
    accessManager: address,
    partnerRegistry: address,
    treasury: address,
    corridorBook: address,
    quoteBook: address,
    transferRegistry: address,
  };
  const addresses = { ...contracts, tokens: new Map([[first(config.tokens).currency, address]]), deployedBy: 97 };

  it("reads back what it writes", () => {
    const earlier = [{ transferRegistry: other, treasury: third, quoteBook: third }, { transferRegistry: third }];
    for (const [draining, announced] of [
      [[], []],
      [earlier, []],
      [[], earlier],
    ]) {
      const moving = { ...addresses, draining: draining ?? [], announced: announced ?? [] };
      expect(parseAddresses(formatAddresses(moving))).to.deep.equal(moving);
    }
  });

  it("is one that earlier releases read, as long as there is no other registry", () => {
    const file = { ...contracts, tokens: {} };
    expect(JSON.parse(formatAddresses(parseAddresses(JSON.stringify(file))))).to.deep.equal(file);
  });

  it("is refused with the same registry twice", () => {
    for (const again of [address, other]) {
      const draining = [{ transferRegistry: other }, { transferRegistry: again }];
      expect(() => parseAddresses(JSON.stringify({ ...contracts, tokens: {}, draining })))
        .to.throw(InvalidInput)
        .with.property("field", "draining.1.transferRegistry");
    }
    const both = { draining: [{ transferRegistry: other }], announced: [{ transferRegistry: other }] };
    expect(() => parseAddresses(JSON.stringify({ ...contracts, tokens: {}, ...both })))
      .to.throw(InvalidInput)
      .with.property("field", "announced.0.transferRegistry");
  });

  it("is refused with a currency that there is not", () => {
    const text = JSON.stringify({ ...contracts, tokens: { ZZZ: address } });
    expect(() => parseAddresses(text)).to.throw(InvalidInput, /tokens/);
  });
});
