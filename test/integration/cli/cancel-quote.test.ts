import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { quoteId } from "../../../src/domain/quote.ts";
import { toJson } from "../../../src/domain/wire.ts";
import { drawSecurely } from "../../../src/kernel/secure-random.ts";
import { formatAddresses } from "../../../src/ledger/deployment/config-file.ts";
import { createKeystore } from "../../../src/ledger/keys/keystore.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { run, type Ran } from "../../unit/cli/fixtures.ts";
import { makeBatch, makeSettlement } from "../../support/batches.ts";
import { fundedLedger, GCASH, PROVIDER } from "../support/chain.ts";
import { startHttpNode, type HttpNode } from "../support/http.ts";

const PASSWORD = "open sesame";

describe("cancelling a quote from the command line", () => {
  let sandbox: Sandbox;
  let node: HttpNode;
  let folder: string;
  const at = (name: string): string => join(folder, name);

  beforeEach(async () => {
    sandbox = await fundedLedger();
    node = await startHttpNode();
    folder = await mkdtemp(join(tmpdir(), "feiqian-provider-"));
    await writeFile(at("addresses.json"), formatAddresses(sandbox.ledger.addresses));
    await writeFile(at("password"), PASSWORD, { mode: 0o600 });
    for (const partner of [PROVIDER, GCASH]) {
      const { privateKey } = sandbox.keys.walletOf({ kind: "operator", partner });
      await createKeystore(at(`${partner}.json`), PASSWORD, drawSecurely, { scryptN: 2, privateKey });
    }
  });
  afterEach(async () => {
    await node.close();
    await rm(folder, { recursive: true });
  });

  async function cancel(json: unknown, { key = PROVIDER, addresses = "addresses.json" } = {}): Promise<Ran> {
    await writeFile(at("quote.json"), typeof json === "string" ? json : JSON.stringify(json));
    return run(
      [
        ...["provider", "cancel-quote", at("quote.json"), "--json", "--rpc", node.url],
        ...["--addresses", at(addresses), "--key", at(`${key}.json`), "--password-file", at("password")],
      ],
      { fetch, environment: {} },
    );
  }
  const refusalOf = async (work: Promise<unknown>) =>
    work.then(
      () => "none",
      (failure: unknown) => (failure instanceof Error && "code" in failure ? failure.code : failure),
    );

  it("leaves what batches have drawn on it, and nothing for any other", async () => {
    const [first, second] = [await makeBatch(sandbox, { seed: "first" }), await makeBatch(sandbox, { seed: "second" })];
    const courier = await sandbox.submitterOf({ kind: "operator", partner: GCASH });
    await courier.submit(first.open);
    const { quote } = first.header;
    const done = await cancel({ quote: toJson(quote), signature: { key: "0x", signature: "0x" } });
    expect(done.code, done.err).to.equal(0);
    const id = quoteId(quote, sandbox.ledger.chain);
    expect(JSON.parse(done.out)).to.deep.include({
      id,
      wasCancelledBefore: false,
      drawn: String(first.header.targetTotal),
    });
    expect(await refusalOf(courier.submit(second.open))).to.equal("QuoteBook_UsedUp");
    await courier.submit(await makeSettlement(sandbox, first, {}));

    const again = await cancel(toJson(quote));
    expect(again.code, again.err).to.equal(0);
    expect(JSON.parse(again.out)).to.include({ id, wasCancelledBefore: true }).and.not.to.have.property("drawn");
  });

  it("is for its provider alone", async () => {
    const { quote } = (await makeBatch(sandbox)).header;
    const refused = await cancel(toJson(quote), { key: GCASH });
    expect(refused.code, refused.err).to.equal(9);
    expect(refused.err).to.contain("may not quote for partner 11");
    expect(await sandbox.ledger.quoteBook.drawnOf(quoteId(quote, sandbox.ledger.chain))).to.equal(0n);
  });

  it("says what is wrong with what it is given, and sends nothing", async () => {
    const { quote } = (await makeBatch(sandbox)).header;
    const wrong = async (json: unknown, options?: Parameters<typeof cancel>[1]) => {
      const { code, err } = await cancel(json, options);
      expect(code, err).to.equal(4);
      return err;
    };
    expect(await wrong("no JSON"))
      .to.contain("file")
      .and.to.contain("JSON");
    expect(await wrong({ ...toJson(quote), capacity: "-1" })).to.contain("quote.capacity");
    expect(await wrong({ ...toJson(quote), more: 1 })).to.contain("quote");
    const { quoteBook } = sandbox.ledger.addresses;
    const elsewhere = formatAddresses(sandbox.ledger.addresses).replaceAll(quoteBook, `0x${"12".repeat(20)}`);
    await writeFile(at("elsewhere.json"), elsewhere);
    expect(await wrong(toJson(quote), { addresses: "elsewhere.json" })).to.contain("addresses.quoteBook");
    expect(await sandbox.ledger.quoteBook.drawnOf(quoteId(quote, sandbox.ledger.chain))).to.equal(0n);
  });
});
