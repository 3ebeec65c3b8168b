import { expect } from "chai";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { webhookSigner } from "../../../../src/kernel/outside/standard-webhooks.ts";

describe("standard webhooks", () => {
  it("signs as the published package does", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 24, maxLength: 64 }),
        fc.string({ unit: "grapheme" }),
        fc.integer({ min: 0, max: 2 ** 40 }),
        fc.string({ unit: "grapheme" }),
        (key, id, seconds, body) => {
          const base64 = Buffer.from(key).toString("base64");
          const expected = new Webhook(base64).sign(id, new Date(seconds * 1_000 + 999), body);
          for (const secret of [base64, `whsec_${base64}`]) {
            expect(webhookSigner(secret)(id, seconds, body)).to.equal(expected);
          }
        },
      ),
    );
  });
});
