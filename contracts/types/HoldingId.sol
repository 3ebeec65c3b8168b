// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CurrencyCode} from "./CurrencyCode.sol";
import {PartnerId} from "./PartnerId.sol";

/// What a module holds of a partner's money in one currency, packed: module (160 bits), partner (16), currency (16).
/// One word, where events and storage keys would have three and cost more.
type HoldingId is uint192;

function toHoldingId(address module, PartnerId partner, CurrencyCode currency) pure returns (HoldingId) {
    return
        HoldingId.wrap(
            (uint192(uint160(module)) << 32) |
                (uint192(PartnerId.unwrap(partner)) << 16) |
                uint192(CurrencyCode.unwrap(currency))
        );
}
