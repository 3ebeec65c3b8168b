// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PartnerId} from "../../types/PartnerId.sol";

/// @title What every module has
/// @notice Every permission is an EIP-712 signature (domain `Feiqian`, version `1`, the module) by a key that the
/// partner registry knows. Whoever submits is a courier without authority, and may pass several calls in one
/// transaction, all or nothing (`multicall`). A pause stops what takes new money, and nothing else.
interface IModule {
    /// @notice The signature is not the key's.
    error Module_InvalidSignature(PartnerId partner, address key, bytes32 digest);
    /// @notice The module was paused again since: the call was made for another pause.
    error Module_PauseEpochMismatch(uint32 given, uint32 current);

    /// @notice Stops what takes new money, and nothing else. Guardian only.
    function pause() external;

    /// @notice Lets new money be taken again. Governance only (role SUPERVISOR).
    /// @param epoch the one that the pause made, see `pauseEpoch`
    function unpause(uint32 epoch) external;

    /// @notice How often the module was paused.
    function pauseEpoch() external view returns (uint32);
}
