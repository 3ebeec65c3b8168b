import { expect } from "chai";
import { parsePhoneNumberFromString } from "libphonenumber-js/max";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { createRandom } from "../../../../src/kernel/random.ts";
import { makeCustomers, openDirectory } from "../../../../sandbox/wallet/customers.ts";
import { COMMUNITIES } from "../../../../sandbox/wallet/names.ts";
import { parseMobileNumber } from "../../../../sandbox/wallet/phones.ts";
import type { CountryCode } from "../../../../sandbox/wallet/wallets.ts";
import { WALLETS } from "../../../../sandbox/wallet/wallets.ts";

/** What a local name of each country is written in, besides the spaces between words. */
const SCRIPTS: Readonly<Record<CountryCode, RegExp>> = {
  CN: /^\p{Script=Han}{2,4}$/u,
  IN: /^[\p{Script=Devanagari} ]+$/u,
  TH: /^[\p{Script=Thai} ]+$/u,
  PH: /^[\p{Script=Latin} ]+$/u,
  KR: /^\p{Script=Hangul}{2,4}$/u,
  ID: /^[\p{Script=Latin} ]+$/u,
  HK: /^\p{Script=Han}{2,4}$/u,
  MY: /^([\p{Script=Latin} ]+|\p{Script=Han}{2,4}|[\p{Script=Tamil} /]+)$/u,
  BD: /^[\p{Script=Bengali} ]+$/u,
  PK: /^[\p{Script=Arabic} ]+$/u,
};

const customersOf = (index: number, count: number, seed = "1") => {
  const wallet = WALLETS[index];
  if (wallet === undefined) throw new Error("one of the ten");
  return makeCustomers(wallet, count, createRandom(seed));
};

describe("customers", () => {
  for (const wallet of WALLETS) {
    describe(`of ${wallet.name}`, () => {
      const customers = makeCustomers(wallet, 2_000, createRandom("customers"));

      it("have valid mobile numbers of the country, all different", () => {
        for (const { phone } of customers) {
          const number = parsePhoneNumberFromString(phone);
          expect(number?.number, phone).to.equal(phone);
          expect(number?.isValid(), phone).to.equal(true);
          expect(number?.country, phone).to.equal(wallet.country);
          expect(number?.getType(), phone).to.equal("MOBILE");
          expect(parseMobileNumber(phone, wallet)).to.equal(phone);
        }
        expect(new Set(customers.map(({ phone }) => phone)).size).to.equal(2_000);
      });

      it("have names in plain Latin letters and in the country's own script", () => {
        for (const { name, nameLocal } of customers) {
          expect(name).to.match(/^[A-Z][A-Za-z/ -]+$/);
          expect(nameLocal).to.match(SCRIPTS[wallet.country]);
          expect(nameLocal).to.equal(nameLocal.normalize("NFC"));
        }
      });

      it("have at least 30 given and 30 family names in pairs, none twice", () => {
        const lists = COMMUNITIES[wallet.country];
        const union = (pick: "given" | "family") =>
          new Set(lists.flatMap((entry) => entry[pick].map(({ latin }) => latin)));
        expect(union("given").size).to.be.at.least(30);
        expect(union("family").size).to.be.at.least(30);
        for (const list of lists.flatMap(({ given, family }) => [given, family])) {
          expect(new Set(list.map(({ latin }) => latin)).size).to.equal(list.length);
          for (const { latin, local } of list) {
            expect(latin).to.match(/^[A-Z][A-Za-z -]*$/);
            expect(local).to.not.equal("");
          }
        }
      });

      it("are of all its scripts", () => {
        const scripts: Record<string, RegExp> = {
          Hans: /\p{Script=Han}/u,
          Hant: /\p{Script=Han}/u,
          Deva: /\p{Script=Devanagari}/u,
          Thai: /\p{Script=Thai}/u,
          Latn: /\p{Script=Latin}/u,
          Hang: /\p{Script=Hangul}/u,
          Taml: /\p{Script=Tamil}/u,
          Beng: /\p{Script=Bengali}/u,
          Arab: /\p{Script=Arabic}/u,
        };
        for (const script of wallet.scripts) {
          const pattern = scripts[script];
          expect(
            customers.some(({ nameLocal }) => pattern?.test(nameLocal)),
            script,
          ).to.equal(true);
        }
      });
    });
  }

  it("have their names in the order of their country, in both scripts", () => {
    const korean = customersOf(4, 1)[0];
    expect(korean?.name).to.match(/^\w+ \w+-\w+$/);
    const families = new Map(COMMUNITIES.KR[0]?.family.map(({ latin, local }) => [latin, local]));
    const given = new Map(COMMUNITIES.KR[0]?.given.map(({ latin, local }) => [latin, local]));
    const [family = "", rest = ""] = korean?.name.split(" ") ?? [];
    expect(korean?.nameLocal).to.equal(`${families.get(family)}${given.get(rest)}`);

    const indians = new Map(COMMUNITIES.IN[0]?.given.map(({ latin, local }) => [latin, local]));
    for (const { name, nameLocal } of customersOf(1, 100)) {
      expect(nameLocal.split(" ")[0]).to.equal(indians.get(name.split(" ")[0] ?? ""));
    }
  });

  it("name Malaysians as their communities do", () => {
    const names = customersOf(7, 3_000).map(({ name, nameLocal }) => `${name} | ${nameLocal}`);
    for (const pattern of [
      /^\w+ bin \w+/,
      / binti \w+/,
      / a\/l .* த\/பெ /,
      / a\/p .* த\/பெ /,
      / \| \p{Script=Han}+$/u,
    ]) {
      expect(names.filter((name) => pattern.test(name)).length, String(pattern)).to.be.greaterThan(20);
    }
  });

  it("call nobody after a father of the same name", () => {
    for (const { name } of customersOf(7, 3_000)) {
      const [own, father] = name.split(/ binti? | a\/[lp] /);
      expect(own).to.not.equal(father);
    }
  });

  it("are the same for the same seed", () => {
    expect(customersOf(0, 50, "a")).to.deep.equal(customersOf(0, 50, "a"));
    expect(customersOf(0, 50, "a")).to.not.deep.equal(customersOf(0, 50, "b"));
  });

  it("are found in the directory by wallet and number, and strangers are not", () => {
    const [first, ...others] = customersOf(6, 100);
    if (first === undefined) throw new Error("a customer");
    const directory = openDirectory(others);
    expect(directory.size).to.equal(99);
    for (const customer of others) expect(directory.find(customer.wallet, customer.phone)).to.equal(customer);
    expect(directory.find(first.wallet, first.phone)).to.equal(undefined);
    const [second] = others;
    const elsewhere = WALLETS[0]?.id;
    if (second === undefined || elsewhere === undefined) throw new Error("a customer and a wallet");
    expect(directory.find(elsewhere, second.phone)).to.equal(undefined);
  });

  it("keep the first account of a number", () => {
    const [first, second] = customersOf(6, 2);
    if (first === undefined || second === undefined) throw new Error("two customers");
    const directory = openDirectory([first, { ...second, phone: first.phone }]);
    expect(directory.size).to.equal(1);
    expect(directory.find(first.wallet, first.phone)).to.equal(first);
  });

  it("refuse numbers that are not mobile numbers of the wallet's country, without repeating them", () => {
    const alipayHk = WALLETS[6];
    if (alipayHk === undefined) throw new Error("AlipayHK");
    const cases = [
      ["", /international form/],
      ["85251234567", /the "\+" before the calling code/],
      ["0085251234567", /telephone number/],
      ["+85221234567", /mobile number of Hong Kong/],
      ["+8613123456789", /mobile number of Hong Kong/],
      ["+852512345678901", /too long/],
      ["+999123456789", /calling code exists/],
    ] as const;
    for (const [phone, rule] of cases) {
      expect(() => parseMobileNumber(phone, alipayHk, "creditor_phone"), phone)
        .to.throw(InvalidInput, rule)
        .with.property("message")
        .that.satisfies((message: string) => phone === "" || !message.includes(phone));
    }
    for (const phone of ["+85251234567", "+852 5123 4567", "5123 4567"]) {
      expect(parseMobileNumber(phone, alipayHk)).to.equal("+85251234567");
    }
  });

  it("may have numbers that their country gives to mobile and fixed lines alike", () => {
    const paytm = WALLETS[1];
    if (paytm === undefined) throw new Error("Paytm");
    expect(parsePhoneNumberFromString("+918225526712")?.getType()).to.equal("FIXED_LINE_OR_MOBILE");
    expect(parseMobileNumber("+918225526712", paytm)).to.equal("+918225526712");
  });
});
