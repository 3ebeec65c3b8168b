// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CurrencyCode} from "./CurrencyCode.sol";
import {PartnerId} from "./PartnerId.sol";

/// Money that a module takes from what a partner has available, packed: partner (16 bits), currency (16), amount (128)
/// in minor units. One word, since a module hands the treasury several at once.
type Hold is uint160;

using {unpack} for Hold global;

function toHold(PartnerId partner, CurrencyCode currency, uint128 amount) pure returns (Hold) {
    return
        Hold.wrap(
            (uint160(PartnerId.unwrap(partner)) << 144) | (uint160(CurrencyCode.unwrap(currency)) << 128) | amount
        );
}

function unpack(Hold packed) pure returns (PartnerId partner, CurrencyCode currency, uint128 amount) {
    uint160 raw = Hold.unwrap(packed);
    // Each cast drops the bits above the field it names.
    return (PartnerId.wrap(uint16(raw >> 144)), CurrencyCode.wrap(uint16(raw >> 128)), uint128(raw));
}
