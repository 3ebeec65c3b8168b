// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CurrencyCode} from "../types/CurrencyCode.sol";
import {PartnerId} from "../types/PartnerId.sol";
import {Quote} from "../types/Quote.sol";
import {BatchHeader} from "./Batch.sol";

/// A batch header as calldata and events carry it: six words, where ABI encoding takes twenty. Fields are named from
/// the lowest bits up. What is signed is the header itself (EIP-712), field by field.
struct PackedHeader {
    /// source (16 bits), target (16), source currency (16), target currency (16), count (32), expiresAt (48)
    uint256 terms;
    /// source total (128), target total (128)
    uint256 totals;
    bytes32 root;
    /// provider (16), taker (16), source currency (16), target currency (16), validUntil (48), maxHold (32), nonce (64)
    uint256 quoteTerms;
    /// rate numerator (128), rate denominator (128)
    uint256 quoteRate;
    /// the batch's fee (128), the quote's capacity (128)
    uint256 limits;
}

using {unpack} for PackedHeader global;

/// Bits above a word's last field mean nothing.
function unpack(PackedHeader calldata packed) pure returns (BatchHeader memory header) {
    (uint256 terms, uint256 quoteTerms) = (packed.terms, packed.quoteTerms);
    Quote memory quote = Quote({
        provider: PartnerId.wrap(uint16(quoteTerms)),
        taker: PartnerId.wrap(uint16(quoteTerms >> 16)),
        sourceCurrency: CurrencyCode.wrap(uint16(quoteTerms >> 32)),
        targetCurrency: CurrencyCode.wrap(uint16(quoteTerms >> 48)),
        rateNumerator: uint128(packed.quoteRate),
        rateDenominator: uint128(packed.quoteRate >> 128),
        capacity: uint128(packed.limits >> 128),
        validUntil: uint48(quoteTerms >> 64),
        maxHold: uint32(quoteTerms >> 112),
        nonce: uint64(quoteTerms >> 144)
    });
    header = BatchHeader({
        source: PartnerId.wrap(uint16(terms)),
        target: PartnerId.wrap(uint16(terms >> 16)),
        sourceCurrency: CurrencyCode.wrap(uint16(terms >> 32)),
        targetCurrency: CurrencyCode.wrap(uint16(terms >> 48)),
        count: uint32(terms >> 64),
        sourceTotal: uint128(packed.totals),
        targetTotal: uint128(packed.totals >> 128),
        fee: uint128(packed.limits),
        expiresAt: uint48(terms >> 96),
        root: packed.root,
        quote: quote
    });
}
