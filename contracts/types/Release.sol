// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CurrencyCode} from "./CurrencyCode.sol";
import {PartnerId} from "./PartnerId.sol";

/// Money that a module holds of one partner and gives another, or the same back, packed: from (16 bits), to (16),
/// currency (16), amount (128) in minor units. One word, since a module hands the treasury several at once.
type Release is uint176;

using {unpack} for Release global;

function toRelease(PartnerId from, PartnerId to, CurrencyCode currency, uint128 amount) pure returns (Release) {
    return
        Release.wrap(
            (uint176(PartnerId.unwrap(from)) << 160) |
                (uint176(PartnerId.unwrap(to)) << 144) |
                (uint176(CurrencyCode.unwrap(currency)) << 128) |
                amount
        );
}

function unpack(Release packed) pure returns (PartnerId from, PartnerId to, CurrencyCode currency, uint128 amount) {
    uint176 raw = Release.unwrap(packed);
    // Each cast drops the bits above the field it names.
    from = PartnerId.wrap(uint16(raw >> 160));
    to = PartnerId.wrap(uint16(raw >> 144));
    currency = CurrencyCode.wrap(uint16(raw >> 128));
    amount = uint128(raw);
}
