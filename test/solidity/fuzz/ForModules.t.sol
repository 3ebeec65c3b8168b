// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IForModules} from "../../../contracts/core/interfaces/IForModules.sol";
import {Sale} from "../../../contracts/core/interfaces/IQuoteBook.sol";
import {ModuleStatus} from "../../../contracts/core/interfaces/ITreasury.sol";
import {Authorization} from "../../../contracts/types/Authorization.sol";
import {CorridorId} from "../../../contracts/types/CorridorId.sol";
import {Quote} from "../../../contracts/types/Quote.sol";
import {QuoteId} from "../../../contracts/types/QuoteId.sol";
import {LedgerFixture} from "../support/LedgerFixture.sol";
import {vm} from "../support/Vm.sol";

/// Who may hold partners' money may draw on corridors and quotes, and nobody else.
contract ForModulesTest is LedgerFixture {
    function setUp() external {
        _deploy();
    }

    /// Whatever the caller was before.
    function testFuzz_OnlyActiveModulesDraw(address caller, uint8[4] calldata steps) external {
        _assumeNobody(caller);
        vm.etch(caller, hex"00");
        for (uint256 i = 0; i < steps.length; ++i) {
            ModuleStatus status = ModuleStatus(steps[i] % 3);
            if (status != treasury.statusOfModule(caller)) _setStatusOfModule(caller, status);
            _draw(caller, status);
        }
    }

    /// Announced is not active yet.
    function testFuzz_AnnouncedModulesDoNotDraw(address caller, uint48 waited) external {
        _assumeNobody(caller);
        vm.etch(caller, hex"00");
        treasury.announceModule(caller, ModuleStatus.Active);
        vm.warp(vm.getBlockTimestamp() + (waited % (4 * uint256(treasury.MODULE_NOTICE()))));
        _draw(caller, ModuleStatus.None);
    }

    /// Draws on both, and looks whether it did.
    function _draw(address caller, ModuleStatus status) private {
        bool draws = status == ModuleStatus.Active;
        CorridorId corridor = exchangeCorridors[0];
        Quote memory quote = _quote(PROVIDER, HKD, PHP, 7, 1);
        quote.nonce = uint64(vm.getBlockTimestamp());
        Authorization memory by = _signQuote(quote);
        uint32 today = uint32(vm.getBlockTimestamp() / 1 days);
        uint128 before = corridorBook.drawnOn(corridor, today);
        QuoteId quoteId = QuoteId.wrap(_idOf(quote));
        uint128 sold = quoteBook.drawnOf(quoteId);
        bytes memory refusal = abi.encodeWithSelector(IForModules.ForModules_NotActive.selector, caller, status);
        vm.startPrank(caller);
        if (!draws) vm.expectRevert(refusal);
        corridorBook.draw(corridor, 1);
        if (!draws) vm.expectRevert(refusal);
        quoteBook.draw(quote, Sale(ALIPAY_HK, HKD, PHP, 1, 7, 1 hours), by);
        vm.stopPrank();
        vm.assertEq(corridorBook.drawnOn(corridor, today), draws ? before + 1 : before, "drawn on the corridor");
        vm.assertEq(quoteBook.drawnOf(quoteId), draws ? sold + 7 : sold, "drawn on the quote");
    }
}
