// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Balance, ITreasury} from "../../../contracts/core/interfaces/ITreasury.sol";
import {SettlementToken} from "../../../contracts/core/SettlementToken.sol";
import {CorridorBook} from "../../../contracts/core/CorridorBook.sol";
import {QuoteBook} from "../../../contracts/core/QuoteBook.sol";
import {TransferRegistry} from "../../../contracts/remittance/TransferRegistry.sol";
import {BatchStatus} from "../../../contracts/remittance/Batch.sol";
import {Quote} from "../../../contracts/types/Quote.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {CorridorId} from "../../../contracts/types/CorridorId.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {QuoteId} from "../../../contracts/types/QuoteId.sol";
import {Campaign} from "./Campaign.sol";
import {vm} from "../support/Vm.sol";

/// What holds after every step of every history. That each step ends as the protocol's rules say, with the right error
/// where one is due, the handler checks itself: it reverts where one does not, and a revert fails the campaign.
contract LedgerInvariants is Campaign {
    /// hardhat-config: invariant.failOnRevert = true
    function invariant_TokensInTheTreasuryAreAvailableOrHeld() external view {
        (PartnerId[] memory partners, CurrencyCode[] memory currencies) = handler.network();
        ITreasury treasury = handler.treasury();
        for (uint256 c = 0; c < currencies.length; ++c) {
            uint256 owed = 0;
            for (uint256 p = 0; p < partners.length; ++p) {
                Balance memory balance = treasury.balanceOf(partners[p], currencies[c]);
                owed += uint256(balance.available) + balance.held;
            }
            vm.assertEq(handler.tokens(currencies[c]).balanceOf(address(treasury)), owed, "tokens, and what is owed");
        }
    }

    /// hardhat-config: invariant.failOnRevert = true
    function invariant_EachModuleHoldsWhatItsOpenSubjectsHold() external view {
        (PartnerId[] memory partners, CurrencyCode[] memory currencies) = handler.network();
        ITreasury treasury = handler.treasury();
        (address registry, address second) = (address(handler.registry()), address(handler.second()));
        for (uint256 c = 0; c < currencies.length; ++c) {
            for (uint256 p = 0; p < partners.length; ++p) {
                uint256 held = treasury.heldBy(registry, partners[p], currencies[c]);
                vm.assertEq(held, handler.heldByOpenBatches(partners[p], currencies[c]), "held, and by open batches");
                held = treasury.heldBy(second, partners[p], currencies[c]);
                vm.assertEq(held, handler.heldBySubjects(partners[p], currencies[c]), "held, and by other subjects");
            }
        }
    }

    /// hardhat-config: invariant.failOnRevert = true
    function invariant_EventsAloneGiveEveryBalance() external view {
        (PartnerId[] memory partners, CurrencyCode[] memory currencies) = handler.network();
        ITreasury treasury = handler.treasury();
        address[] memory modules = treasury.modules();
        for (uint256 c = 0; c < currencies.length; ++c) {
            for (uint256 p = 0; p < partners.length; ++p) {
                uint256 available = treasury.balanceOf(partners[p], currencies[c]).available;
                vm.assertEq(available, handler.replayedAvailable(partners[p], currencies[c]), "available, by events");
                for (uint256 m = 0; m < modules.length; ++m) {
                    uint256 held = treasury.heldBy(modules[m], partners[p], currencies[c]);
                    vm.assertEq(held, handler.replayedHeld(modules[m], partners[p], currencies[c]), "held, by events");
                }
            }
        }
    }

    /// Balances move by a partner's own signature, a settlement it is party to, or a refund, and by exactly that much.
    /// hardhat-config: invariant.failOnRevert = true
    function invariant_BalancesAreWhatTheHistoryMadeThem() external view {
        (PartnerId[] memory partners, CurrencyCode[] memory currencies) = handler.network();
        ITreasury treasury = handler.treasury();
        for (uint256 c = 0; c < currencies.length; ++c) {
            for (uint256 p = 0; p < partners.length; ++p) {
                Balance memory actual = treasury.balanceOf(partners[p], currencies[c]);
                Balance memory expected = handler.expectedBalance(partners[p], currencies[c]);
                vm.assertEq(actual.available, expected.available, "available");
                vm.assertEq(actual.held, expected.held, "held");
            }
        }
    }

    /// hardhat-config: invariant.failOnRevert = true
    function invariant_BatchesOpenOnceAndEndOnce() external view {
        TransferRegistry registry = handler.registry();
        BatchId[] memory ids = handler.batchIds();
        for (uint256 i = 0; i < ids.length; ++i) {
            vm.assertEq(handler.timesOpened(ids[i]), 1, "times opened");
            BatchStatus status = handler.entryOf(ids[i]).status;
            vm.assertEq(uint256(registry.statusOf(ids[i])), uint256(status), "status, and when last touched");
        }
        for (uint256 from = 0; from <= uint256(type(BatchStatus).max); ++from) {
            for (uint256 to = 0; to <= uint256(type(BatchStatus).max); ++to) {
                bool opens =
                    from == uint256(BatchStatus.None) &&
                        (to == uint256(BatchStatus.Open) || to == uint256(BatchStatus.Settled));
                bool ends = from == uint256(BatchStatus.Open) && to > uint256(BatchStatus.Open);
                if (opens || ends) continue;
                vm.assertEq(handler.transitions(BatchStatus(from), BatchStatus(to)), 0, "illegal transitions");
            }
        }
    }

    /// hardhat-config: invariant.failOnRevert = true
    function invariant_SupplyIsWithinTheReserveOfTheLastMint() external view {
        (, CurrencyCode[] memory currencies) = handler.network();
        for (uint256 c = 0; c < currencies.length; ++c) {
            uint256 supply = handler.tokens(currencies[c]).totalSupply();
            vm.assertLe(supply, handler.reserveAtLastMint(currencies[c]), "supply, and reserve");
            SettlementToken token = handler.tokens(currencies[c]);
            uint256 redeemed = token.redeemedSince(token.latestAttestation().asOf);
            vm.assertEq(redeemed, handler.redeemedSinceCount(currencies[c]), "redeemed since the count");
            vm.assertEq(supply, handler.supply(currencies[c]), "supply, and what was minted less what was redeemed");
        }
    }

    /// hardhat-config: invariant.failOnRevert = true
    function invariant_QuotesSellNoMoreThanTheirCapacityWhoeverSells() external view {
        QuoteBook book = handler.quoteBook();
        Quote[] memory quotes = handler.allQuotes();
        for (uint256 i = 0; i < quotes.length; ++i) {
            QuoteId id = book.quoteIdOf(quotes[i]);
            uint256 drawn = handler.drawn(id);
            vm.assertLe(drawn, quotes[i].capacity, "sold, and capacity");
            if (handler.cancelled(id)) drawn = type(uint128).max;
            vm.assertEq(book.drawnOf(id), drawn, "drawn, and sum of the sales of both modules");
        }
    }

    /// hardhat-config: invariant.failOnRevert = true
    function invariant_DaysTakeNoMoreThanTheirLimitWhoeverSends() external view {
        CorridorBook book = handler.corridorBook();
        CorridorId[] memory corridors = handler.corridorIds();
        for (uint256 i = 0; i < corridors.length; ++i) {
            uint48 day = handler.dayWhenDrawn(corridors[i]);
            uint64 drawn = book.drawnOn(corridors[i], uint32(day));
            vm.assertEq(drawn, handler.drawnOnDay(corridors[i], day), "drawn, and sum of what both modules sent");
            vm.assertLe(drawn, handler.limitWhenDrawn(corridors[i]), "drawn, and limit when last drawn on");
        }
    }

    /// hardhat-config: invariant.failOnRevert = true
    function invariant_LedgerTimeNeitherRunsBackNorAhead() external view {
        vm.assertFalse(handler.timeRanBack(), "ledger time ran back");
        uint48 time = handler.registry().time();
        vm.assertLe(time, vm.getBlockTimestamp(), "ledger time, and block time");
        vm.assertEq(time, handler.expectedTime(), "ledger time, and block time less what was lost");
    }
}
