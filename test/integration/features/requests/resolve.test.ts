import { expect } from "chai";
import { utf8 } from "../../../../src/domain/bytes/bytes.ts";
import { crc16 } from "../../../../src/domain/payment-code/crc16.ts";
import { billersResponseSchema, resolvedRequestSchema } from "../../../../src/schema/requests.ts";
import { SOUND } from "../../../unit/domain/published-codes.ts";
import { GCASH } from "../../support/chain.ts";
import { describeOnBothDatabases } from "../../support/databases.ts";
import type { Pair } from "../../support/peers.ts";
import { runAll } from "../../support/proposals.ts";
import { problemOf, startRequests, type Requests } from "../../support/requests.ts";

describeOnBothDatabases("what codes and bills ask to be paid", (open) => {
  let requests: Requests;
  let pair: Pair;
  beforeEach(async () => {
    requests = await startRequests(open);
    ({ pair } = requests);
  });
  afterEach(() => pair.close());

  describe("codes that others have made", () => {
    /** The text with something changed, and a CRC that fits. */
    const forged = (code: string, from: string, to: string) => {
      const covered = code.replace(from, to).slice(0, -4);
      expect(covered).not.to.equal(code.slice(0, -4));
      return `${covered}${crc16(utf8(covered)).toString(16).toUpperCase().padStart(4, "0")}`;
    };

    it("are believed nothing: what they say otherwise than the payee's partner is refused", async () => {
      const { id, code } = await requests.create();
      const cheaper = await requests.resolve(forged(code, "5406725.00", "5406625.00"));
      expect(problemOf(cheaper)).to.include({ code: "code-altered", field: "code" });
      expect(problemOf(await requests.resolve(forged(code, "5406725.00", "")))).to.include({ code: "code-altered" });
      const other = await requests.resolve(forged(code, id, requests.newId()));
      expect(problemOf(other)).to.include({ code: "request-not-found", field: "code" });
      const nobody = await requests.resolve(forged(code, `0101${GCASH}`, "01019"));
      expect(nobody.statusCode, nobody.body).to.be.oneOf([422, 503]);
      expect(problemOf(await requests.resolve(code.replace("725.00", "625.00")))).to.include({ field: "code.63" });
      // The name is told by the payee's partner, whatever is printed.
      const renamed = await requests.resolve(forged(code, "5913Maria's Store", "5913Mario's Store"));
      expect(resolvedRequestSchema.parse(renamed.json()).name).to.equal("Maria's Store");
      const foreign = SOUND.find(({ of }) => of === "QRIS")?.text ?? "";
      expect(problemOf(await requests.resolve(foreign))).to.deep.include({ code: "invalid-request", field: "code" });
    });

    it("are nothing without the signature of a key that may accept for the payee's partner", async () => {
      const { code } = await requests.create();
      const stranger = pair.source.keys.accept;
      const { keys: own } = pair.target;
      // The relay's own way to sign, with the key of another partner.
      Object.assign(pair.target.keys, { accept: stranger });
      const answer = await requests.resolve(code);
      expect(problemOf(answer)).to.include({ code: "partner-unavailable" });
      Object.assign(pair.target.keys, own);
    });

    it("are asked for no more often than payees are", async () => {
      const { code } = await requests.create();
      await pair.target.db.query("UPDATE lookup_usage SET in_day = 100000000");
      expect((await requests.resolve(code)).statusCode).to.equal(200);
      await pair.target.db.query("UPDATE lookup_usage SET in_day = 100000000");
      expect(problemOf(await requests.resolve(code)).code).to.equal("rate-limited");
    });
  });

  it("are bills, too: of a biller's references, each the same request, and paid once", async () => {
    const [sourceKey, bill] = [pair.sourcePeer, await requests.create({ purpose: "UBIL", reference: "Bill 12345674" })];
    const lookUp = (reference: string, biller = "power") =>
      requests.ask(sourceKey, "POST", "/v1/bills/lookup", { target: GCASH, biller, reference });
    const billers = () => requests.ask(sourceKey, "GET", `/v1/billers/${GCASH}`);
    // A wallet that has none does not know the question.
    expect((await billers()).json()).to.deep.equal({ billers: [] });
    expect(problemOf(await lookUp("12345674")).code).to.equal("bill-not-found");
    pair.wallet.bills = new Map([["12345674", bill.id]]);
    const [power] = billersResponseSchema.parse((await billers()).json()).billers;
    expect(power).to.deep.include({ id: "power", name: "Manila Power", category: "electricity" });
    const due = resolvedRequestSchema.parse((await lookUp("1234 567-4")).json());
    expect(due).to.deep.include({ id: bill.id, amount: bill.amount, status: "open", purpose: "UBIL", target: GCASH });
    const wrong = problemOf(await lookUp("12345675"));
    expect(wrong).to.include({ code: "invalid-request", field: "reference" });
    expect(wrong.detail).to.equal("8 to 10 digits, of which the last is a check digit (Luhn)");
    expect(problemOf(await lookUp("79927398713")).field, "too long").to.equal("reference");
    expect(problemOf(await lookUp("18", "power")).field, "too short").to.equal("reference");
    expect(problemOf(await lookUp("00000000")).code, "of nobody").to.equal("bill-not-found");
    expect(problemOf(await lookUp("12345674", "water")).code).to.equal("bill-not-found");
    const uetr = await requests.pay(bill.id);
    await runAll(pair);
    expect(await requests.becameOf(uetr)).to.equal("credited");
    expect(resolvedRequestSchema.parse((await lookUp("12345674")).json()).status).to.equal("paid");
    pair.wallet.fateOf = () => "refused";
    expect(problemOf(await lookUp("12345674")).code, "the wallet is away").to.equal("partner-unavailable");
  });
});
