// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CorridorTerms, ICorridorBook} from "../../../contracts/core/interfaces/ICorridorBook.sol";
import {CorridorId} from "../../../contracts/types/CorridorId.sol";
import {LedgerFixture} from "../support/LedgerFixture.sol";
import {vm} from "../support/Vm.sol";

/// A corridor's day is one, however it is split between modules.
contract CorridorDaysTest is LedgerFixture {
    uint256 private constant STEPS = 24;

    CorridorId private corridor;
    CorridorTerms private terms;
    mapping(uint256 day => uint256) private sums;
    mapping(uint256 day => uint256) private otherSums;

    function setUp() external {
        _deploy();
        corridor = exchangeCorridors[0];
    }

    /// Two modules draw, days pass, and governance changes the terms meanwhile.
    function testFuzz_NoDayTakesMoreThanItsLimit(
        uint64 maxPerBatch,
        uint64 maxPerDay,
        uint256[STEPS] calldata steps
    ) external {
        _setTerms(maxPerBatch, maxPerDay, FEE_BPS);
        for (uint256 i = 0; i < STEPS; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(steps[i], i)));
            if (draw(seed, "passes") % 4 == 0) vm.warp(vm.getBlockTimestamp() + (draw(seed, "passed") % 36 hours));
            if (draw(seed, "changes") % 8 == 0) {
                uint256 drawn = draw(seed, "terms");
                _setTerms(uint64(drawn), uint64(drawn >> 64), uint16(drawn >> 128) % 1_001);
            }
            _draw(seed);
            _drawOnAnother(seed);
            _check();
        }
    }

    /// From the last second of a day to the first of the next: each has its own whole limit, whoever took the other's.
    function testFuzz_EachDayHasItsOwnLimit(uint64 maxPerDay, bool swaps) external {
        maxPerDay = uint64(bound(maxPerDay, 1, type(uint64).max));
        _setTerms(maxPerDay, maxPerDay, 0);
        (address first, address next) = (address(registry), address(second));
        if (swaps) (first, next) = (next, first);
        for (uint256 day = 1; day < 6; day += 2) {
            uint256 midnight = START + day * 1 days;
            vm.warp(midnight - 1);
            vm.prank(first);
            corridorBook.draw(corridor, maxPerDay);
            vm.expectRevert(
                abi.encodeWithSelector(
                    ICorridorBook.CorridorBook_DayLimitExceeded.selector,
                    corridor,
                    maxPerDay,
                    uint128(1),
                    maxPerDay
                )
            );
            vm.prank(next);
            corridorBook.draw(corridor, 1);
            vm.warp(midnight);
            vm.prank(next);
            corridorBook.draw(corridor, maxPerDay);
            vm.assertEq(corridorBook.drawnOn(corridor, uint32(midnight / 1 days)), maxPerDay, "drawn on the next day");
            (first, next) = (next, first);
        }
    }

    function _setTerms(uint64 maxPerBatch, uint64 maxPerDay, uint16 feeBps) private {
        if (maxPerBatch > maxPerDay) (maxPerBatch, maxPerDay) = (maxPerDay, maxPerBatch);
        terms = CorridorTerms(true, feeBps, maxPerBatch, maxPerDay);
        corridorBook.setCorridor(corridor, corridorBook.epochOf(corridor), terms);
    }

    function _draw(uint256 seed) private {
        uint256 today = vm.getBlockTimestamp() / 1 days;
        uint128 amount = _amount(seed, sums[today]);
        bytes4 expected;
        if (amount > terms.maxPerBatch) expected = ICorridorBook.CorridorBook_BatchLimitExceeded.selector;
        else if (sums[today] + amount > terms.maxPerDay) {
            expected = ICorridorBook.CorridorBook_DayLimitExceeded.selector;
        }
        bytes4 outcome;
        vm.prank(draw(seed, "module") % 2 == 0 ? address(registry) : address(second));
        try corridorBook.draw(corridor, amount) returns (uint128 fee) {
            sums[today] += amount;
            vm.assertEq(fee, _feeOf(amount, terms.feeBps), "fee");
            vm.assertLe(sums[today], terms.maxPerDay, "drawn by both, and the limit");
        } catch (bytes memory reason) {
            outcome = bytes4(reason);
        }
        vm.assertEq(bytes32(outcome), bytes32(expected), "outcome");
    }

    /// It takes nothing of this corridor's day, and its own day goes by what is drawn on it alone.
    function _drawOnAnother(uint256 seed) private {
        uint256 today = vm.getBlockTimestamp() / 1 days;
        uint128 amount = uint128(draw(seed, "another") % (MAX_PER_DAY / STEPS));
        vm.prank(draw(seed, "other module") % 2 == 0 ? address(registry) : address(second));
        corridorBook.draw(exchangeCorridors[1], amount);
        otherSums[today] += amount;
    }

    function _check() private view {
        uint32 today = uint32(vm.getBlockTimestamp() / 1 days);
        vm.assertEq(corridorBook.drawnOn(corridor, today), sums[today], "drawn today");
        vm.assertEq(corridorBook.drawnOn(exchangeCorridors[1], today), otherSums[today], "drawn on another corridor");
        vm.assertEq(corridorBook.drawnOn(corridor, today + 1), 0, "drawn tomorrow");
    }

    /// Around what is left of the day and what a batch may have, or anything.
    function _amount(uint256 seed, uint256 drawn) private view returns (uint128) {
        uint256 left = drawn < terms.maxPerDay ? terms.maxPerDay - drawn : 0;
        uint256 most = left < terms.maxPerBatch ? left : terms.maxPerBatch;
        uint256 kind = draw(seed, "kind") % 8;
        if (kind == 0) return uint128(draw(seed, "amount"));
        if (kind == 1) return uint128(left) + 1;
        if (kind == 2) return uint128(terms.maxPerBatch) + 1;
        if (kind == 3) return uint128(most);
        return uint128(draw(seed, "amount") % (most + 1));
    }
}
