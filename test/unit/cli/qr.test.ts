import { expect } from "chai";
import { SOUND, UNSOUND } from "../domain/published-codes.ts";
import { parsed, run } from "./fixtures.ts";

describe("feiqian qr read", () => {
  const textOf = (of: string) => SOUND.find((code) => code.of === of)?.text ?? "";

  it("tells whom to pay and how much, and that nothing is proved by it", async () => {
    const ran = await run(["qr", "read", textOf("PromptPay")]);
    expect(ran.code, ran.err).to.equal(0);
    expect(ran.out).to.equal(
      [
        "pay to    PromptPay, mobile 0066801111111",
        "amount    20.15 THB",
        "place     TH",
        "made for  one payment",
        "",
        "The code is not damaged. Who has made it, it cannot say: ask the payee's wallet for the name.",
        "",
      ].join("\n"),
    );
    const open = await run(["qr", "read", textOf("QRIS")]);
    expect(open.out).to.contain("the payer says, in IDR").and.to.contain("ID.DANA.WWW, 01 936009153022591481");
    const tip = await run(["qr", "read", textOf("EMVCo, with a name in Chinese")]);
    expect(tip.out).to.contain("and a tip").and.to.contain("BEST TRANSPORT, 最佳运输");
  });

  it("has all of it as JSON, amounts as text", async () => {
    const { objects, ...code } = parsed((await run(["qr", "read", "--json", textOf("FPS")])).out);
    expect(objects).to.have.length(10);
    expect(code["amount"]).to.deep.equal({ minor: "10000", currency: "HKD" });
  });

  it("refuses what is damaged, by the object, and quotes none of it", async () => {
    for (const { text, field } of UNSOUND) {
      const ran = await run(["qr", "read", text]);
      expect([ran.code, ran.out]).to.deep.equal([4, ""]);
      expect(ran.err).to.contain(`feiqian: ${field}: `).and.not.to.contain(text.slice(20, 40));
    }
  });
});
