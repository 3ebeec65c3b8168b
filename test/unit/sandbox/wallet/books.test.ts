import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parseCurrency } from "../../../../src/domain/currency.ts";
import { InvalidInput } from "../../../../src/domain/errors.ts";
import { parsePartnerId } from "../../../../src/domain/partner.ts";
import { parseUetr } from "../../../../src/domain/uetr.ts";
import { openBooks, parsePostings, type WalletBooks } from "../../../../sandbox/wallet/books.ts";
import { openJournal, readJournal, type Journal } from "../../../../sandbox/wallet/journal.ts";

const UETR = parseUetr("0b6a9c52-3f1d-4f0e-9a51-7c2d1e8f4a10");
const OTHER = parseUetr("5d3c9f8e-62b7-4c1a-8e0f-2b9a7d6c5e41");
const WALLET = parsePartnerId(7);
const TAI_MAN = "+85251234567";
const MEI_LING = "+85261234567";

function open(journal?: Journal, mostKept?: number): WalletBooks {
  const holder = { nameLocal: "陳大文", openingMinor: 1_000n };
  return openBooks({
    wallet: WALLET,
    currency: parseCurrency("HKD").code,
    holders: [
      { ...holder, name: "Chan Tai Man", phone: TAI_MAN },
      { ...holder, name: "Wong Mei Ling", phone: MEI_LING },
    ],
    clock: { nowMs: () => 1_700_000_000_000, sleep: () => Promise.resolve() },
    ...(journal === undefined ? {} : { journal }),
    ...(mostKept === undefined ? {} : { mostKept }),
  });
}

const debit = (amountMinor: bigint, uetr = UETR, customer = TAI_MAN) => ({
  uetr,
  customer,
  amountMinor,
  text: "to Maria",
});
const credit = (amountMinor: bigint, uetr = UETR, content = "batch 1") => ({
  uetr,
  customer: MEI_LING,
  amountMinor,
  text: "from Maria",
  content,
});

describe("a wallet's books", () => {
  it("that keep so many postings know the newest, and every balance, and give each a name of its own", () => {
    const books = open(undefined, 2);
    const uetrs = [1, 2, 3, 4, 5].map((digit) => parseUetr(`0b6a9c52-3f1d-4f0e-9a51-7c2d1e8f4a1${digit}`));
    for (const uetr of uetrs) expect(books.credit(credit(10n, uetr)).kind).to.equal("credited");
    expect([...books.credits.keys()]).to.deep.equal(uetrs.slice(3));
    const account = books.accountOf(MEI_LING);
    expect(account?.balanceMinor).to.equal(1_050n);
    expect(account?.history.map(({ reference }) => reference)).to.deep.equal(["7-C-4", "7-C-5"]);
    expect(books.postingOf("credit", uetrs[0] ?? UETR)).to.equal(undefined);
  });

  it("keep what was debited, refunded and credited, by transfer and by customer", () => {
    const books = open();
    expect(books.debit(debit(100n))).to.deep.equal({ kind: "debited" });
    expect(books.debit(debit(7n, OTHER))).to.deep.equal({ kind: "debited" });
    books.refund(UETR, "AC03");
    expect(books.credit(credit(55n, OTHER)).kind).to.equal("credited");
    expect([...books.debits]).to.deep.equal([
      [UETR, 100n],
      [OTHER, 7n],
    ]);
    expect([...books.refunds]).to.deep.equal([[UETR, 100n]]);
    expect([...books.credits]).to.deep.equal([[OTHER, 55n]]);
    expect([books.accountOf(TAI_MAN)?.balanceMinor, books.accountOf(MEI_LING)?.balanceMinor]).to.deep.equal([
      993n,
      1_055n,
    ]);
    const history = books.accountOf(TAI_MAN)?.history.map(({ kind, amountMinor, text }) => [kind, amountMinor, text]);
    expect(history).to.deep.equal([
      ["debit", 100n, "to Maria"],
      ["debit", 7n, "to Maria"],
      ["refund", 100n, "AC03"],
    ]);
    expect([...books.accounts()].map(({ name }) => name)).to.deep.equal(["Chan Tai Man", "Wong Mei Ling"]);
  });

  it("post once, however often they are asked, with the first answer", () => {
    const books = open();
    const answers = [1, 2, 3].map(() => {
      books.debit(debit(100n));
      books.refund(UETR, "AC03");
      return books.credit(credit(5n));
    });
    expect([books.debits.size, books.refunds.size, books.credits.size]).to.deep.equal([1, 1, 1]);
    expect(answers[2]).to.deep.equal(answers[0]);
    expect([books.accountOf(TAI_MAN)?.balanceMinor, books.accountOf(MEI_LING)?.balanceMinor]).to.deep.equal([
      1_000n,
      1_005n,
    ]);
  });

  it("refuse another content for what they have posted", () => {
    const books = open();
    books.debit(debit(100n));
    expect(() => books.debit(debit(101n))).to.throw(RangeError, `wallet 7 has debited 100 for ${UETR}, and now 101`);
    expect(() => books.debit(debit(100n, UETR, MEI_LING))).to.throw(RangeError);
    books.credit(credit(5n));
    const refused = { kind: "refused", reason: "AM05" };
    expect(books.credit(credit(4n))).to.deep.equal(refused);
    expect(books.credit(credit(5n, UETR, "batch 2"))).to.deep.equal(refused);
    expect([books.debits.get(UETR), books.credits.get(UETR)]).to.deep.equal([100n, 5n]);
  });

  it("move no money that is not there, and none of or to anybody unknown", () => {
    const books = open();
    expect(books.debit(debit(1_001n))).to.deep.equal({ kind: "refused", reason: "AM04" });
    expect(books.debit(debit(1n, UETR, "+85290000000"))).to.deep.equal({ kind: "refused", reason: "AC01" });
    const toNobody = { ...credit(1n), customer: "+85290000000" };
    expect(books.credit(toNobody)).to.deep.equal({ kind: "refused", reason: "AC03" });
    expect(() => books.refund(UETR, "AC03")).to.throw(RangeError, "wallet 7 has not debited");
    expect(books.accountOf("+85290000000")).to.equal(undefined);
    expect([books.debits.size, books.refunds.size, books.credits.size]).to.deep.equal([0, 0, 0]);
  });

  describe("in a journal", () => {
    let folder: string;
    let path: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "feiqian-journal-"));
      path = join(folder, "books.ndjson");
    });
    afterEach(() => rm(folder, { recursive: true }));

    it("are the same after a restart, answers included", async () => {
      const books = open(await openJournal(path));
      books.debit(debit(100n));
      books.refund(UETR, "AC03");
      const answer = books.credit(credit(55n, OTHER));
      await books.flush();

      // The first process was killed: nobody has closed it.
      const reopened = open(await openJournal(path));
      expect([...reopened.accounts()]).to.deep.equal([...books.accounts()]);
      expect(reopened.credit(credit(55n, OTHER))).to.deep.equal(answer);
      await reopened.close();
      expect(parsePostings(await readJournal(path)).map(({ kind }) => kind)).to.deep.equal([
        "debit",
        "refund",
        "credit",
      ]);
      await books.close();
    });

    it("are on disk when they say so, in the order in which they were posted, each once", async () => {
      const books = open(await openJournal(path));
      const uetrs = Array.from({ length: 50 }, (_, index) =>
        parseUetr(`0b6a9c52-3f1d-4f0e-9a51-7c2d1e8f4a${String(index).padStart(2, "0")}`),
      );
      await Promise.all(
        uetrs.map(async (uetr, index) => {
          books.credit(credit(BigInt(index + 1), uetr));
          await books.flush();
          const onDisk = await readJournal(path);
          expect(onDisk.some((line) => line.includes(uetr))).to.equal(true);
        }),
      );
      expect(parsePostings(await readJournal(path)).map(({ uetr }) => uetr)).to.deep.equal(uetrs);
      await books.close();
    });

    it("forget a line that a crash has cut short, and go on after it", async () => {
      const books = open(await openJournal(path));
      books.debit(debit(100n));
      await books.close();
      await appendFile(path, `{"kind":"credit","uetr":"${OTHER}","cust`);

      const reopened = open(await openJournal(path));
      expect([reopened.debits.size, reopened.credits.size]).to.deep.equal([1, 0]);
      reopened.credit(credit(1n, OTHER));
      await reopened.close();
      expect((await readFile(path, "utf8")).trim().split("\n")).to.have.length(2);
      expect(parsePostings(await readJournal(path)).map(({ uetr }) => uetr)).to.deep.equal([UETR, OTHER]);
    });

    it("are not opened where they have one posting twice, or something else", async () => {
      const books = open(await openJournal(path));
      books.debit(debit(100n));
      await books.close();
      const line = await readFile(path, "utf8");
      await appendFile(path, line);
      const twice = await openJournal(path);
      expect(() => open(twice)).to.throw(RangeError, `a second debit of ${UETR}`);
      await twice.close();

      await appendFile(path, `{"kind":"gift"}\n`);
      const lines = await readJournal(path);
      expect(() => parsePostings(lines)).to.throw(InvalidInput, "journal[2].kind");
    });

    it("tell nobody that they are on disk when they are not", async () => {
      const journal = await openJournal(path);
      await journal.close();
      const books = open(journal);
      books.debit(debit(100n));
      for (let asked = 0; asked < 2; asked++) {
        const failure: unknown = await books.flush().catch((thrown: unknown) => thrown);
        expect(failure).to.be.instanceOf(Error);
      }
    });
  });
});
