// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CurrencyCode} from "./CurrencyCode.sol";
import {PartnerId} from "./PartnerId.sol";

/// A liquidity provider's firm offer to sell target currency for source currency, signed by its QUOTE key (EIP-712, in
/// the domain of the QuoteBook).
struct Quote {
    /// who sells
    PartnerId provider;
    /// the only source partner that may draw on it; NO_PARTNER for any
    PartnerId taker;
    CurrencyCode sourceCurrency;
    CurrencyCode targetCurrency;
    /// target minor units …
    uint128 rateNumerator;
    /// … per source minor units
    uint128 rateDenominator;
    /// the most it will sell in all, in target minor units
    uint128 capacity;
    /// last block timestamp at which it may be drawn on. Wall-clock time: a price must not outlive a halt
    uint48 validUntil;
    /// longest time its money may be held, in seconds of ledger time
    uint32 maxHold;
    /// tells otherwise equal quotes apart
    uint64 nonce;
}

using {buys, hashStruct} for Quote global;

bytes constant QUOTE_TYPE =
    "Quote(uint16 provider,uint16 taker,uint16 sourceCurrency,uint16 targetCurrency,uint128 rateNumerator,"
    "uint128 rateDenominator,uint128 capacity,uint48 validUntil,uint32 maxHold,uint64 nonce)";

bytes32 constant QUOTE_TYPEHASH = keccak256(QUOTE_TYPE);

// The hash of the quote where none is drawn on: every field zero.
bytes32 constant NO_QUOTE_HASH = keccak256(abi.encode(QUOTE_TYPEHASH, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));

/// Whether the source amount buys as much of the target currency at the quote's rate, rounded down.
function buys(Quote memory quote, uint128 sourceAmount, uint128 targetAmount) pure returns (bool) {
    return uint256(targetAmount) * quote.rateDenominator <= uint256(sourceAmount) * quote.rateNumerator;
}

/// EIP-712 hashStruct. A struct of value types lies in memory as it encodes: its fields in order, a word each.
function hashStruct(Quote memory quote) pure returns (bytes32 hash) {
    bytes32 typeHash = QUOTE_TYPEHASH;
    // A copy, where abi.encode takes the fields one by one.
    // solhint-disable-next-line no-inline-assembly
    assembly ("memory-safe") {
        let encoded := mload(0x40)
        mstore(encoded, typeHash)
        mcopy(add(encoded, 0x20), quote, 0x140)
        hash := keccak256(encoded, 0x160)
    }
}
