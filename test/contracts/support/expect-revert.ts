import { expect } from "chai";
import { getAddress, Interface, isAddress } from "ethers";
import { ABI } from "../../../src/ledger/abi.ts";

/** Every error of the ledger: a call may be refused by a contract that the called one calls. */
const ERRORS = {
  interface: new Interface(
    Object.values(ABI).flatMap(({ fragments }) => fragments.filter(({ type }) => type === "error")),
  ),
};

/** Asserts that a call reverts with this custom error and exactly these values. */
export async function expectRevert(call: Promise<unknown>, error: string, args: readonly unknown[]): Promise<void> {
  const declared = ERRORS.interface.getError(error);
  expect(declared?.inputs.length, `values of ${error}`).to.equal(args.length);
  const reverts = expect(call).to.be.revertedWithCustomError(ERRORS, error);
  // However an address is written, errors have its checksum; in a text it is as the text has it.
  const values = args.map((value, index) =>
    declared?.inputs[index]?.type === "address" && isAddress(value) ? getAddress(value) : value,
  );
  await (args.length === 0 ? reverts : reverts.withArgs(...values));
}

/** Asserts that a call reverts with Solidity's own Panic of this code. */
export async function expectPanic(call: Promise<unknown>, code: number): Promise<void> {
  await expect(call).to.be.revertedWithPanic(code);
}
