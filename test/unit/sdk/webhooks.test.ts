import { expect } from "chai";
import * as fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { verifyWebhook, type WebhookHeaders } from "../../../sdk/index.ts";

const NOW_MS = 1_795_000_000_000;
const secretOf = (seed: number): string => `whsec_${Buffer.alloc(32, seed).toString("base64")}`;
const SECRET = secretOf(1);
const BODY = JSON.stringify({
  type: "transfer.settled",
  timestamp: "2026-11-22T08:30:00.000Z",
  data: {
    id: "evt_3f9c2a71b04e_17",
    seq: 17,
    type: "transfer.settled",
    at: "2026-11-22T08:30:00.000Z",
    uetr: "eb6305c9-1f7f-49de-aed0-16487c27b42d",
    data: { transaction: "0x01" },
    transfer: {
      status: "settled",
      send: { currency: "HKD", minor: "150000" },
      receive: { currency: "PHP", minor: "1087500" },
    },
  },
});

/** As the standard's own library signs. */
function signed(body: string, { secret = SECRET, id = "evt_17", sentMs = NOW_MS } = {}): Record<string, string> {
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(sentMs / 1_000)),
    "webhook-signature": new Webhook(secret).sign(id, new Date(sentMs), body),
  };
}

function judge(headers: WebhookHeaders, body: string | Uint8Array = BODY, secrets: string | string[] = SECRET): string {
  const verification = verifyWebhook(headers, body, secrets, { nowMs: NOW_MS });
  return verification.kind === "verified" ? "verified" : verification.refusal;
}

describe("Verification of webhooks", () => {
  it("takes what the standard's own library has signed, as text and as bytes, whatever the headers come in", () => {
    // What a release before versions has sent.
    const verification = verifyWebhook(signed(BODY), BODY, SECRET, { nowMs: NOW_MS });
    expect(verification).to.deep.equal({
      kind: "verified",
      id: "evt_17",
      sentAt: NOW_MS / 1_000,
      body: { version: 1, ...(JSON.parse(BODY) as object) },
    });
    expect(judge(signed(BODY), Buffer.from(BODY))).to.equal("verified");
    expect(judge(new Headers(signed(BODY)))).to.equal("verified");
    const upperCase = Object.entries(signed(BODY)).map(([name, value]) => [name.toUpperCase(), [value]] as const);
    expect(judge(Object.fromEntries(upperCase))).to.equal("verified");
  });

  it("refuses a later version as such, whatever else is in it, and ignores members that were added", () => {
    const later = JSON.stringify({ version: 2, kind: "settled" });
    expect(judge(signed(later), later)).to.equal("VERSION");
    const more = JSON.stringify({ version: 1, ...(JSON.parse(BODY) as object), urgency: "high" });
    expect(judge(signed(more), more)).to.equal("verified");
  });

  it("refuses a body, id, time or signature of which one character has been changed", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("body", "webhook-id", "webhook-timestamp", "webhook-signature"),
        fc.nat(),
        fc.constantFrom(...Array.from("0123456789abcXYZ")),
        (what, drawn, character) => {
          const headers = signed(BODY);
          const before = what === "body" ? BODY : (headers[what] ?? "");
          const at = drawn % before.length;
          fc.pre(before[at] !== character);
          const after = before.slice(0, at) + character + before.slice(at + 1);
          const verdict = what === "body" ? judge(headers, after) : judge({ ...headers, [what]: after });
          expect(verdict).to.not.equal("verified");
        },
      ),
      { numRuns: 500 },
    );
  });

  it("refuses what was sent too long ago, or in the future, by its own measure", () => {
    expect(judge(signed(BODY, { sentMs: NOW_MS - 300_000 }))).to.equal("verified");
    expect(judge(signed(BODY, { sentMs: NOW_MS - 301_000 }))).to.equal("TOO_OLD");
    expect(judge(signed(BODY, { sentMs: NOW_MS + 300_000 }))).to.equal("verified");
    expect(judge(signed(BODY, { sentMs: NOW_MS + 301_000 }))).to.equal("TOO_NEW");
    const headers = signed(BODY, { sentMs: NOW_MS - 20_000 });
    const strict = verifyWebhook(headers, BODY, SECRET, { nowMs: NOW_MS, toleranceSeconds: 10 });
    expect(strict).to.deep.equal({ kind: "refused", refusal: "TOO_OLD" });
  });

  it("takes any of several secrets, and any of several signatures, while secrets are exchanged", () => {
    const [old, next] = [secretOf(2), secretOf(3)];
    for (const secret of [old, next]) {
      expect(judge(signed(BODY, { secret }), BODY, [old, next])).to.equal("verified");
      expect(judge(signed(BODY, { secret }))).to.equal("SIGNATURE");
    }
    const both = [old, next].map((secret) => signed(BODY, { secret })["webhook-signature"]).join(" ");
    expect(judge({ ...signed(BODY), "webhook-signature": `v1a,abc ${both}` }, BODY, next)).to.equal("verified");
    expect(judge(signed(BODY), BODY, [])).to.equal("SIGNATURE");
  });

  it("refuses headers that are missing, empty of meaning, or there twice", () => {
    for (const name of Object.keys(signed(BODY))) {
      const { [name]: _, ...rest } = signed(BODY);
      expect(judge(rest), name).to.equal("HEADERS");
    }
    const headers = signed(BODY);
    expect(judge({ ...headers, "webhook-timestamp": "now" })).to.equal("HEADERS");
    expect(judge({ ...headers, "webhook-timestamp": "-1" })).to.equal("HEADERS");
    expect(judge({ ...headers, "Webhook-Id": "evt_18" })).to.equal("HEADERS");
    expect(judge({ ...headers, "webhook-signature": ["v1,a", "v1,b"] })).to.equal("HEADERS");
    expect(judge({ ...headers, "webhook-signature": "" })).to.equal("SIGNATURE");
  });

  it("says so when what is signed is no event", () => {
    for (const body of ["", "{", "[]", JSON.stringify({ type: "transfer.settled" })]) {
      expect(judge(signed(body), body)).to.equal("BODY");
    }
  });
});
