// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {Authorization} from "../types/Authorization.sol";
import {PartnerId} from "../types/PartnerId.sol";
import {IModule} from "./interfaces/IModule.sol";
import {IPartnerRegistry} from "./interfaces/IPartnerRegistry.sol";
import {ITreasury} from "./interfaces/ITreasury.sol";
import {LedgerClock} from "./LedgerClock.sol";
import {Signatures} from "./Signatures.sol";

/// @title Module
/// @notice See {IModule}. A base of the contracts that hold and move partners' money.
/// @dev The clock follows the pause in the order of bases, so that both are in one slot.
abstract contract Module is IModule, EIP712, Pausable, LedgerClock, AccessManaged, Multicall {
    /// @notice Where partners and their keys are kept.
    IPartnerRegistry public immutable registry;
    /// @notice Where the money is.
    ITreasury public immutable treasury;

    /// @inheritdoc IModule
    uint32 public pauseEpoch;

    /// @param authority the AccessManager that governs the ledger
    /// @param registry_ where partners and their keys are kept
    /// @param treasury_ where the money is; governance activates this contract there as a module
    /// @param beatInterval_ see `beatInterval`, in seconds
    /// @param grace_ see `grace`, in seconds
    constructor(
        address authority,
        IPartnerRegistry registry_,
        ITreasury treasury_,
        uint32 beatInterval_,
        uint32 grace_
    ) EIP712("Feiqian", "1") LedgerClock(beatInterval_, grace_) AccessManaged(authority) {
        registry = registry_;
        treasury = treasury_;
    }

    /// @inheritdoc IModule
    function pause() external restricted {
        _pause();
        ++pauseEpoch;
    }

    /// @inheritdoc IModule
    function unpause(uint32 epoch) external restricted {
        _requirePaused();
        if (epoch != pauseEpoch) revert Module_PauseEpochMismatch(epoch, pauseEpoch);
        _unpause();
    }

    /// @inheritdoc IModule
    function callEach(bytes[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; ++i) {
            // One that burns all it gets, as a key that is a contract can, leaves the others their part, and enough of
            // its own to tell of it.
            uint256 part = gasleft() / (calls.length - i);
            // To itself, as `multicall` does, and so with the caller's rights.
            // solhint-disable-next-line avoid-low-level-calls
            (bool done, bytes memory reason) = address(this).delegatecall{gas: part - part / 16}(calls[i]);
            if (!done) emit CallFailed(i, reason);
        }
    }

    /// @dev Who the key acts for, and whether it may, is for the partner registry to say.
    function _requireSignature(PartnerId partner, Authorization calldata by, bytes32 digest) internal view {
        if (!Signatures.isBy(by.key, digest, by.signature)) {
            revert Module_InvalidSignature(partner, by.key, digest);
        }
    }
}
