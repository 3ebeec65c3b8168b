// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PartnerId} from "../../types/PartnerId.sol";

/// @title What every module has
/// @notice Every permission is an EIP-712 signature (domain `Feiqian`, version `1`, the module) by a key that the
/// partner registry knows. Whoever submits is a courier without authority, and may pass several calls in one
/// transaction, all or nothing (`multicall`) or each by itself (`callEach`). A pause stops what takes new money, and
/// nothing else.
interface IModule {
    /// @notice A call of `callEach` has failed, and has no effect; the others have theirs. Anyone can have any call
    /// fail: only for who submitted the transaction does it tell something.
    /// @param index which call
    /// @param reason the error that it failed with, encoded; empty where its part of the gas was not enough
    event CallFailed(uint256 indexed index, bytes reason);

    /// @notice The signature is not the key's.
    error Module_InvalidSignature(PartnerId partner, address key, bytes32 digest);
    /// @notice The module was paused again since: the call was made for another pause.
    error Module_PauseEpochMismatch(uint32 given, uint32 current);

    /// @notice Several calls of this module in one transaction, each by itself: one that fails is skipped. Of the gas
    /// that is left, each gets 15/16 of an equal part, and what it leaves goes to those behind it.
    /// @param calls as `multicall` takes them
    function callEach(bytes[] calldata calls) external;

    /// @notice Stops what takes new money, and nothing else. Guardian only.
    function pause() external;

    /// @notice Lets new money be taken again. Governance only (role SUPERVISOR).
    /// @param epoch the one that the pause made, see `pauseEpoch`
    function unpause(uint32 epoch) external;

    /// @notice How often the module was paused.
    function pauseEpoch() external view returns (uint32);
}
