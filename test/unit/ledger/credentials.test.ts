import { expect } from "chai";
import { tokenEnd } from "../../../src/ledger/credentials.ts";

const jwt = (claims: unknown) =>
  ["eyJhbGciOiJSUzI1NiJ9", Buffer.from(JSON.stringify(claims)).toString("base64url"), "c2lnbmF0dXJl"].join(".");

describe("when a token ends", () => {
  it("is what a JWT says", () => {
    expect(tokenEnd(jwt({ permissions: ["eth:*"], exp: 1_798_761_600 }))).to.equal(1_798_761_600);
    expect(tokenEnd(`${jwt({ exp: 1_798_761_600.9 })}\n`)).to.equal(1_798_761_600);
  });

  it("is not known of any other", () => {
    const others = [jwt({ exp: "1798761600" }), jwt({ exp: null }), jwt({}), jwt(null), jwt(7), jwt([])];
    for (const token of [...others, "", "opaque", "a.b.c", "..", "a.!.c"]) {
      expect(tokenEnd(token), token).to.equal(undefined);
    }
  });
});
