// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITreasury, ModuleStatus} from "./ITreasury.sol";

/// @title What only modules may draw on
/// @notice The treasury keeps the one list of modules. Whoever may hold partners' money may draw here, and nobody else.
interface IForModules {
    /// @notice The contract was created: the modules of this treasury may draw on it, for good.
    event TreasuryBound(ITreasury indexed treasury);

    /// @notice The caller is no active module of the treasury.
    error ForModules_NotActive(address caller, ModuleStatus status);

    /// @notice The treasury whose modules may draw.
    function treasury() external view returns (ITreasury);
}
