// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CurrencyCode} from "./CurrencyCode.sol";
import {PartnerId} from "./PartnerId.sol";

/// A corridor, packed: source partner (16 bits), source currency (16), target partner (16), target currency (16).
type CorridorId is uint64;

using {unpack} for CorridorId global;

function toCorridorId(
    PartnerId source,
    CurrencyCode sourceCurrency,
    PartnerId target,
    CurrencyCode targetCurrency
) pure returns (CorridorId) {
    return
        CorridorId.wrap(
            (uint64(PartnerId.unwrap(source)) << 48) |
                (uint64(CurrencyCode.unwrap(sourceCurrency)) << 32) |
                (uint64(PartnerId.unwrap(target)) << 16) |
                uint64(CurrencyCode.unwrap(targetCurrency))
        );
}

function unpack(
    CorridorId id
) pure returns (PartnerId source, CurrencyCode sourceCurrency, PartnerId target, CurrencyCode targetCurrency) {
    uint64 raw = CorridorId.unwrap(id);
    // Each cast drops the bits above the field it names.
    source = PartnerId.wrap(uint16(raw >> 48));
    sourceCurrency = CurrencyCode.wrap(uint16(raw >> 32));
    target = PartnerId.wrap(uint16(raw >> 16));
    targetCurrency = CurrencyCode.wrap(uint16(raw));
}
