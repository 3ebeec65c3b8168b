// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, Transfer} from "../../../contracts/remittance/Batch.sol";
import {Quote} from "../../../contracts/types/Quote.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {MerkleTree} from "../support/MerkleTree.sol";
import {TestBase} from "../support/TestBase.sol";

/// Batches drawn from a seed: one to twelve transfers, at rates and amounts of every magnitude that a uint128 takes.
abstract contract DrawnBatches is TestBase {
    uint256 internal constant MAX_COUNT = 12;
    uint256 internal constant MAX_AMOUNT = type(uint128).max;
    /// Rates further from one than this leave no amounts that are above zero and inside the type on both sides.
    uint256 private constant MAX_RATE_BITS = 100;

    /// A batch as an honest source partner makes it: its totals add up and each target amount is rounded down.
    function _drawBatch(uint256 seed) internal pure returns (Transfer[] memory transfers, BatchHeader memory header) {
        transfers = new Transfer[](_drawBetween(seed, "count", 1, MAX_COUNT));
        bool exchanges = draw(seed, "exchanges") % 4 > 0;
        if (exchanges) header.quote = _drawRate(seed);
        for (uint256 i = 0; i < transfers.length; ++i) {
            transfers[i] = _drawTransfer(draw(seed, bytes32(i)), header.quote, MAX_AMOUNT / transfers.length);
        }
        header.source = PartnerId.wrap(7);
        header.target = PartnerId.wrap(4);
        header.sourceCurrency = CurrencyCode.wrap(344);
        header.targetCurrency = CurrencyCode.wrap(exchanges ? 608 : 344);
        header.fee = uint128(_drawBetween(seed, "fee", 0, MAX_AMOUNT));
        _sumUp(transfers, header);
    }

    function _sumUp(Transfer[] memory transfers, BatchHeader memory header) internal pure {
        header.count = uint32(transfers.length);
        (header.sourceTotal, header.targetTotal) = (0, 0);
        for (uint256 i = 0; i < transfers.length; ++i) {
            header.sourceTotal += transfers[i].sourceAmount;
            header.targetTotal += transfers[i].targetAmount;
        }
        header.root = MerkleTree.build(transfers)[0];
    }

    /// @param quote its rate; without one both amounts are the same
    /// @param most largest amount on either side
    function _drawTransfer(
        uint256 seed,
        Quote memory quote,
        uint256 most
    ) internal pure returns (Transfer memory transfer) {
        transfer.uetr = bytes16(uint128(draw(seed, "uetr")));
        transfer.detailsHash = bytes32(draw(seed, "details"));
        uint256 numerator = quote.rateNumerator;
        uint256 denominator = quote.rateDenominator;
        if (denominator == 0) (numerator, denominator) = (1, 1);
        uint256 least = (denominator + numerator - 1) / numerator;
        uint256 affordable = (most * denominator) / numerator;
        uint256 source = _drawBetween(seed, "source", least, affordable < most ? affordable : most);
        transfer.sourceAmount = uint128(source);
        transfer.targetAmount = uint128((source * numerator) / denominator);
    }

    function _drawRate(uint256 seed) private pure returns (Quote memory quote) {
        uint256 numeratorBits = bound(draw(seed, "numerator bits"), 1, 128);
        uint256 least = numeratorBits > MAX_RATE_BITS ? numeratorBits - MAX_RATE_BITS : 1;
        uint256 most = numeratorBits + MAX_RATE_BITS > 128 ? 128 : numeratorBits + MAX_RATE_BITS;
        uint256 denominatorBits = bound(draw(seed, "denominator bits"), least, most);
        quote.provider = PartnerId.wrap(11);
        quote.rateNumerator = _drawOfBits(seed, "numerator", numeratorBits);
        quote.rateDenominator = _drawOfBits(seed, "denominator", denominatorBits);
    }

    /// Each end of the range in one of eight cases, else of any magnitude between them.
    function _drawBetween(uint256 seed, bytes32 what, uint256 min, uint256 max) internal pure returns (uint256) {
        uint256 drawn = draw(seed, what);
        if (drawn % 8 == 0) return min;
        if (drawn % 8 == 1) return max;
        uint256 span = (max - min) >> ((drawn >> 8) % 128);
        return min + ((drawn >> 16) % (span + 1));
    }

    function _drawOfBits(uint256 seed, bytes32 what, uint256 bits) private pure returns (uint128) {
        return uint128(_drawBetween(seed, what, 2 ** (bits - 1), 2 ** bits - 1));
    }
}
