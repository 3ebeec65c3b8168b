// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PartnerStatus} from "../../../contracts/core/interfaces/IPartnerRegistry.sol";
import {ModuleStatus} from "../../../contracts/core/interfaces/ITreasury.sol";
import {CorridorId} from "../../../contracts/types/CorridorId.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {BatchActions} from "./BatchActions.sol";
import {TimeActions} from "./TimeActions.sol";
import {vm} from "../support/Vm.sol";

/// How every history must be able to end: whatever is open expires, and whoever has money takes it out.
abstract contract Closing is BatchActions, TimeActions {
    /// The worst that governance, guardian and admins can do to open batches: everyone frozen, no operator key left, no
    /// corridor open, new batches paused, and a ledger that was down for a month. A module that was revoked drains
    /// again, since a module without rights cannot give money back.
    function shutEverything() external {
        vm.warp(wallTime);
        for (uint256 p = 0; p < everyone.length; ++p) {
            if (statuses[everyone[p]] != PartnerStatus.Frozen) {
                partners.freeze(everyone[p]);
                _noteStatus(everyone[p], PartnerStatus.Frozen);
            }
            for (uint256 g = 0; g <= generations[everyone[p]]; ++g) {
                vm.prank(_admin(everyone[p]));
                partners.revokeKey(everyone[p], vm.addr(_operatorKey(everyone[p], g)));
            }
        }
        for (uint256 i = 0; i < exchangeCorridors.length + sameCurrencyCorridors.length; ++i) {
            CorridorId corridor = _corridor(i);
            if (terms[corridor].open) corridorBook.closeCorridor(corridor);
            terms[corridor].open = false;
        }
        if (!paused) registry.pause();
        paused = true;
        if (moduleStatus != ModuleStatus.Draining) _setStatusOfModule(address(registry), ModuleStatus.Draining);
        moduleStatus = ModuleStatus.Draining;
        wallTime = uint48(vm.getBlockTimestamp());
        _pass(30 days);
    }

    /// Beats until every batch is past its expiry, and expires each as a stranger.
    function expireEverything() external replays {
        vm.warp(wallTime);
        for (uint256 passed = 0; passed <= registry.MAX_HOLD(); passed += GRACE) {
            _pass(GRACE);
            _beat();
        }
        for (uint256 i = 0; i < history.length; ++i) _expire(i, history[i]);
    }

    /// Everyone leaves, frozen as they are, by the accounts that they registered long before.
    function exitEverything() external replays {
        vm.warp(wallTime);
        for (uint256 p = 0; p < everyone.length; ++p) {
            for (uint256 c = 0; c < currencies.length; ++c) {
                if (treasury.balanceOf(everyone[p], currencies[c]).available == 0) continue;
                vm.prank(_exitAccount(everyone[p]));
                treasury.exit(everyone[p], currencies[c]);
            }
        }
    }

    function withdrawEverything() external replays {
        vm.warp(wallTime);
        for (uint256 p = 0; p < everyone.length; ++p) {
            PartnerId partner = everyone[p];
            partners.reactivate(partner, partners.standingOf(partner).statusEpoch);
            for (uint256 c = 0; c < currencies.length; ++c) {
                CurrencyCode currency = currencies[c];
                uint128 available = treasury.balanceOf(partner, currency).available;
                vm.prank(_treasurer(partner));
                if (available > 0) treasury.withdraw(partner, currency, available, _treasurer(partner));
            }
        }
    }
}
