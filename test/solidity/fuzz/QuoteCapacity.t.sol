// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IQuoteBook, Sale} from "../../../contracts/core/interfaces/IQuoteBook.sol";
import {Authorization} from "../../../contracts/types/Authorization.sol";
import {Quote} from "../../../contracts/types/Quote.sol";
import {QuoteId} from "../../../contracts/types/QuoteId.sol";
import {LedgerFixture} from "../support/LedgerFixture.sol";
import {vm} from "../support/Vm.sol";

/// A quote's capacity is one, however it is split between modules.
contract QuoteCapacityTest is LedgerFixture {
    uint256 private constant STEPS = 24;

    /// Two quotes that only their nonces tell apart.
    Quote[2] private quotes;
    Authorization[2] private signatures;
    uint256[2] private sums;
    bool[2] private cancelled;

    function setUp() external {
        _deploy();
    }

    /// Two modules sell, and the provider withdraws a quote at times.
    function testFuzz_NoQuoteSellsMoreThanItsCapacity(
        uint128 capacity,
        uint128 numerator,
        uint128 denominator,
        uint256[STEPS] calldata steps
    ) external {
        // A source amount is never above its target amount, so that it is inside its type.
        numerator = bound128(numerator, 1, type(uint128).max);
        denominator = bound128(denominator, 1, numerator);
        for (uint64 q = 0; q < 2; ++q) {
            Quote memory quote = _quote(PROVIDER, HKD, PHP, numerator, denominator);
            (quote.capacity, quote.nonce) = (capacity, q);
            quotes[q] = quote;
            signatures[q] = _signQuote(quote);
        }
        for (uint256 i = 0; i < STEPS; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(steps[i], i)));
            uint256 q = draw(seed, "quote") % 2;
            if (draw(seed, "cancels") % STEPS == 0) _cancel(q);
            else _sell(q, seed);
            _check();
        }
    }

    function _cancel(uint256 q) private {
        vm.prank(signatures[q].key);
        quoteBook.cancelQuote(quotes[q]);
        cancelled[q] = true;
    }

    function _sell(uint256 q, uint256 seed) private {
        Quote memory quote = quotes[q];
        uint128 amount = _amount(seed, quote.capacity - sums[q]);
        uint256 price = uint256(amount) * quote.rateDenominator;
        uint128 sourceAmount = uint128((price + quote.rateNumerator - 1) / quote.rateNumerator);
        Sale memory sale = Sale(ALIPAY_HK, HKD, PHP, sourceAmount, amount, 1 hours);
        bool isLeft = !cancelled[q] && sums[q] + amount <= quote.capacity;
        if (!isLeft) {
            uint128 drawn = cancelled[q] ? type(uint128).max : uint128(sums[q]);
            vm.expectRevert(
                abi.encodeWithSelector(
                    IQuoteBook.QuoteBook_UsedUp.selector,
                    _idOf(quote),
                    drawn,
                    amount,
                    quote.capacity
                )
            );
        }
        vm.prank(draw(seed, "module") % 2 == 0 ? address(registry) : address(second));
        quoteBook.draw(quote, sale, signatures[q]);
        if (isLeft) sums[q] += amount;
    }

    function _check() private view {
        for (uint256 q = 0; q < 2; ++q) {
            vm.assertLe(sums[q], quotes[q].capacity, "sold by both, and capacity");
            uint256 drawn = quoteBook.drawnOf(QuoteId.wrap(_idOf(quotes[q])));
            vm.assertEq(drawn, cancelled[q] ? type(uint128).max : sums[q], "drawn");
        }
    }

    /// All that is left, one more, some of it, or anything; at least one minor unit.
    function _amount(uint256 seed, uint256 left) private pure returns (uint128) {
        uint256 kind = draw(seed, "kind") % 8;
        if (kind == 0) return bound128(draw(seed, "amount"), 1, type(uint128).max);
        if (kind == 1 && left < type(uint128).max) return uint128(left + 1);
        if (kind == 2 && left > 0) return uint128(left);
        return uint128(1 + (draw(seed, "amount") % (left / 4 + 1)));
    }
}
