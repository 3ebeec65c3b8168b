// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader} from "../../../contracts/remittance/Batch.sol";
import {PackedHeader} from "../../../contracts/remittance/PackedHeader.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {Quote} from "../../../contracts/types/Quote.sol";

/// What a relay does before it submits.
function pack(BatchHeader memory header) pure returns (PackedHeader memory packed) {
    Quote memory quote = header.quote;
    packed.terms =
        uint256(PartnerId.unwrap(header.source)) |
        (uint256(PartnerId.unwrap(header.target)) << 16) |
        (uint256(CurrencyCode.unwrap(header.sourceCurrency)) << 32) |
        (uint256(CurrencyCode.unwrap(header.targetCurrency)) << 48) |
        (uint256(header.count) << 64) |
        (uint256(header.expiresAt) << 96);
    packed.totals = uint256(header.sourceTotal) | (uint256(header.targetTotal) << 128);
    packed.root = header.root;
    packed.quoteTerms =
        uint256(PartnerId.unwrap(quote.provider)) |
        (uint256(PartnerId.unwrap(quote.taker)) << 16) |
        (uint256(CurrencyCode.unwrap(quote.sourceCurrency)) << 32) |
        (uint256(CurrencyCode.unwrap(quote.targetCurrency)) << 48) |
        (uint256(quote.validUntil) << 64) |
        (uint256(quote.maxHold) << 112) |
        (uint256(quote.nonce) << 144);
    packed.quoteRate = uint256(quote.rateNumerator) | (uint256(quote.rateDenominator) << 128);
    packed.limits = uint256(header.fee) | (uint256(quote.capacity) << 128);
}
