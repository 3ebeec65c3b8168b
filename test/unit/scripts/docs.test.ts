import { expect } from "chai";
import { fileURLToPath } from "node:url";
import { parseFolders } from "../../../scripts/lib/solidity/compile.ts";
import { referenceOf } from "../../../scripts/docs/model.ts";
import type { ContractEntry, FunctionEntry, Reference } from "../../../scripts/docs/model.ts";
import { parseNatSpec } from "../../../scripts/docs/natspec.ts";
import { render } from "../../../scripts/docs/render.ts";

const folder = fileURLToPath(new URL("./fixtures", import.meta.url));

describe("NatSpec", () => {
  it("takes what comes before the first tag for the notice, and lines that follow a tag for its text", () => {
    const doc = parseNatSpec("Opens.\nAt once.\n@param amount minor units,\nnever zero\n@return id of it\n@dev inside");
    expect(doc.notice).to.equal("Opens.\nAt once.");
    expect(doc.params.get("amount")).to.equal("minor units,\nnever zero");
    expect(doc.returns).to.deep.equal(["id of it"]);
    expect(doc.dev).to.equal("inside");
  });

  it("is empty where there is no comment", () => {
    expect(parseNatSpec("")).to.deep.include({ title: "", notice: "", inheritdoc: "" });
  });
});

describe("reference of the contracts", () => {
  let reference: Reference;
  let ledger: ContractEntry;

  before(async function () {
    reference = referenceOf(await parseFolders([folder]), folder);
    const found = reference.contracts.find(({ name }) => name === "Ledger");
    if (found === undefined) throw new Error("the fixture's contract Ledger is missing");
    ledger = found;
  });

  function functionNamed(name: string): FunctionEntry {
    const found = ledger.functions.find((entry) => entry.name === name);
    if (found === undefined) throw new Error(`the fixture's function ${name} is missing`);
    return found;
  }

  it("takes a contract's documentation from its interface", () => {
    expect(ledger.doc.title).to.equal("A ledger | in small");
    const { doc, fields, returns } = functionNamed("open");
    expect(doc.notice).to.equal("Opens.");
    expect(fields).to.deep.equal([{ type: "uint128", name: "amount", doc: "minor units,\nnever zero" }]);
    expect(returns).to.deep.equal([{ type: "uint256", name: "id", doc: "of what opened" }]);
  });

  it("follows internal calls, and calls through interfaces, to their errors", () => {
    expect(functionNamed("open").errors).to.deep.equal(["Ledger_Zero", "Vault_Empty"]);
  });

  it("leaves errors inside a try where they are caught", () => {
    expect(functionNamed("tryOpen").errors).to.deep.equal([]);
  });

  it("tells who may call from modifiers, and from @custom:access before anything else", () => {
    expect(functionNamed("open").caller).to.equal("anyone");
    expect(functionNamed("close")).to.deep.include({ caller: "`onlyOwner`", errors: ["Ledger_NotOwner"] });
    expect(functionNamed("tryOpen").caller).to.equal("the night watch");
  });

  it("names what has no notice", () => {
    const names = reference.undocumented.map((item) => item.replace(/^.*: /, ""));
    expect(names).to.include.members(["IVault", "take", "close"]);
    expect(names).not.to.include.members(["Ledger", "open", "Opened", "Ledger_Zero"]);
  });

  it("gives selectors and topics of the ABI", () => {
    expect(functionNamed("close").selector).to.equal("0x43d726d6");
    expect(ledger.errors.map(({ name }) => name)).to.deep.equal(["Ledger_NotOwner", "Ledger_Zero"]);
    expect(ledger.events[0]?.selector).to.match(/^0x[0-9a-f]{64}$/);
  });

  it("is written the same way every time, a list item for each thing that is told", () => {
    const page = render(reference);
    expect(render(reference)).to.equal(page);
    expect(page).to.include("  - `amount`: minor units, never zero\n");
    expect(page).not.to.match(/^\|/m);
    expect(page).to.include("**A ledger | in small.**");
  });
});
