import { expect } from "chai";
import type { BaseContract } from "ethers";

/**
 * Asserts that a call reverts with this custom error and exactly these values.
 * @param contract whose ABI declares the error
 */
export async function expectRevert(
  call: Promise<unknown>,
  contract: BaseContract,
  error: string,
  args: readonly unknown[],
): Promise<void> {
  const declared = contract.interface.getError(error);
  expect(declared?.inputs.length, `values of ${error}`).to.equal(args.length);
  const reverts = expect(call).to.be.revertedWithCustomError(contract, error);
  await (args.length === 0 ? reverts : reverts.withArgs(...args));
}

/** Asserts that a call reverts with Solidity's own Panic of this code. */
export async function expectPanic(call: Promise<unknown>, code: number): Promise<void> {
  await expect(call).to.be.revertedWithPanic(code);
}
