// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/core/interfaces/ITreasury.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {HoldingId} from "../../../contracts/types/HoldingId.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {Vm, vm} from "./Vm.sol";

/// Every balance as the treasury's events alone give it. Whoever inherits this records logs, and posts them after each
/// call that succeeded.
abstract contract ReplayedBooks {
    mapping(PartnerId => mapping(CurrencyCode => uint256)) public replayedAvailable;
    mapping(address module => mapping(PartnerId => mapping(CurrencyCode => uint256))) public replayedHeld;

    /// Posts what was recorded since the last time, of the treasury's; or forgets it, where the call was reverted.
    function _post(address treasury, bool happened) internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        if (!happened) return;
        for (uint256 i = 0; i < logs.length; ++i) if (logs[i].emitter == treasury) _postOne(logs[i]);
    }

    function _postOne(Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (topic == ITreasury.Deposited.selector || topic == ITreasury.Withdrawn.selector) {
            PartnerId partner = PartnerId.wrap(uint16(uint256(log.topics[1])));
            CurrencyCode currency = CurrencyCode.wrap(uint16(uint256(log.topics[2])));
            uint256 moved = abi.decode(log.data, (uint128));
            if (topic == ITreasury.Deposited.selector) replayedAvailable[partner][currency] += moved;
            else replayedAvailable[partner][currency] -= moved;
        } else if (topic == ITreasury.Held.selector) {
            (HoldingId id, uint128 amount) = abi.decode(log.data, (HoldingId, uint128));
            (address module, PartnerId partner, CurrencyCode currency) = unpackHolding(id);
            replayedAvailable[partner][currency] -= amount;
            replayedHeld[module][partner][currency] += amount;
        } else if (topic == ITreasury.Released.selector) {
            (HoldingId id, uint128 amount) = abi.decode(log.data, (HoldingId, uint128));
            (address module, PartnerId partner, CurrencyCode currency) = unpackHolding(id);
            replayedHeld[module][partner][currency] -= amount;
            replayedAvailable[partner][currency] += amount;
        } else if (topic == ITreasury.Moved.selector) {
            (HoldingId id, PartnerId to, uint128 amount) = abi.decode(log.data, (HoldingId, PartnerId, uint128));
            (address module, PartnerId partner, CurrencyCode currency) = unpackHolding(id);
            replayedHeld[module][partner][currency] -= amount;
            replayedAvailable[to][currency] += amount;
        }
    }
}

function unpackHolding(HoldingId id) pure returns (address module, PartnerId partner, CurrencyCode currency) {
    uint192 raw = HoldingId.unwrap(id);
    // Each cast drops the bits above the field it names.
    module = address(uint160(raw >> 32));
    partner = PartnerId.wrap(uint16(raw >> 16));
    currency = CurrencyCode.wrap(uint16(raw));
}
