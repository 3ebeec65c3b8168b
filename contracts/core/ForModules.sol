// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IForModules} from "./interfaces/IForModules.sol";
import {ITreasury, ModuleStatus} from "./interfaces/ITreasury.sol";

/// @title ForModules
/// @notice See {IForModules}. A base of what modules share beside the treasury.
abstract contract ForModules is IForModules {
    /// @inheritdoc IForModules
    ITreasury public immutable treasury;

    modifier onlyActiveModule() {
        ModuleStatus status = treasury.statusOfModule(msg.sender);
        if (status != ModuleStatus.Active) revert ForModules_NotActive(msg.sender, status);
        _;
    }

    /// @param treasury_ see `treasury`
    constructor(ITreasury treasury_) {
        treasury = treasury_;
        emit TreasuryBound(treasury_);
    }
}
