// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Balance, ITreasury} from "../../../contracts/core/interfaces/ITreasury.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {Campaign} from "./Campaign.sol";
import {vm} from "../support/Vm.sol";

/// However a history went, nobody's money is stuck at its end.
contract RefundInvariants is Campaign {
    /// Ends every run: nothing but time and a stranger's call is needed for a refund.
    function afterInvariant() external {
        (PartnerId[] memory partners, CurrencyCode[] memory currencies) = handler.network();
        ITreasury treasury = handler.treasury();
        handler.shutEverything();
        handler.expireEverything();
        handler.giveBackEverything();
        vm.assertEq(handler.openBatchIds().length, 0, "open batches past their expiry");
        for (uint256 c = 0; c < currencies.length; ++c) {
            for (uint256 p = 0; p < partners.length; ++p) {
                Balance memory actual = treasury.balanceOf(partners[p], currencies[c]);
                Balance memory expected = handler.expectedBalance(partners[p], currencies[c]);
                vm.assertEq(actual.held, 0, "held, with nothing open");
                vm.assertEq(actual.available, expected.available, "available, with everything refunded");
            }
        }
        uint256 before = vm.snapshotState();
        handler.exitEverything();
        _expectEmpty(currencies);
        vm.revertToState(before);
        handler.withdrawEverything();
        _expectEmpty(currencies);
    }

    function _expectEmpty(CurrencyCode[] memory currencies) private view {
        ITreasury treasury = handler.treasury();
        for (uint256 c = 0; c < currencies.length; ++c) {
            uint256 left = handler.tokens(currencies[c]).balanceOf(address(treasury));
            vm.assertEq(left, 0, "tokens in the treasury after everyone took out everything");
        }
    }

    /// Along the way, what is available and held together is never less than what the ledger owes to open batches.
    /// hardhat-config: invariant.failOnRevert = true
    function invariant_RefundsAreNeverBlocked() external view {
        (PartnerId[] memory partners, CurrencyCode[] memory currencies) = handler.network();
        for (uint256 c = 0; c < currencies.length; ++c) {
            for (uint256 p = 0; p < partners.length; ++p) {
                address registry = address(handler.registry());
                uint256 held = handler.treasury().heldBy(registry, partners[p], currencies[c]);
                vm.assertGe(
                    held,
                    handler.heldByOpenBatches(partners[p], currencies[c]),
                    "held, and due to be refunded"
                );
            }
        }
    }
}
