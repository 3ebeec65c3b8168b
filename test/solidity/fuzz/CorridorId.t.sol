// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CorridorId, toCorridorId} from "../../../contracts/types/CorridorId.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {vm} from "../support/Vm.sol";

contract CorridorIdTest {
    function testFuzz_UnpackingGivesWhatWasPacked(
        PartnerId source,
        CurrencyCode sourceCurrency,
        PartnerId target,
        CurrencyCode targetCurrency
    ) public pure {
        CorridorId id = toCorridorId(source, sourceCurrency, target, targetCurrency);
        (PartnerId s, CurrencyCode sc, PartnerId t, CurrencyCode tc) = id.unpack();
        vm.assertTrue(s == source && sc == sourceCurrency, "source");
        vm.assertTrue(t == target && tc == targetCurrency, "target");
    }

    function testFuzz_PackingGivesWhatWasUnpacked(CorridorId id) public pure {
        (PartnerId source, CurrencyCode sourceCurrency, PartnerId target, CurrencyCode targetCurrency) = id.unpack();
        CorridorId packed = toCorridorId(source, sourceCurrency, target, targetCurrency);
        vm.assertEq(CorridorId.unwrap(packed), CorridorId.unwrap(id), "corridor");
    }

    /// Field by field, so that a field in the wrong place cannot hide behind one that is wrong the same way back.
    function testFuzz_FieldsStandInOrder(
        uint16 source,
        uint16 sourceCurrency,
        uint16 target,
        uint16 currency
    ) public pure {
        CorridorId packed = toCorridorId(
            PartnerId.wrap(source),
            CurrencyCode.wrap(sourceCurrency),
            PartnerId.wrap(target),
            CurrencyCode.wrap(currency)
        );
        bytes memory expected = abi.encodePacked(source, sourceCurrency, target, currency);
        vm.assertEq(CorridorId.unwrap(packed), uint64(bytes8(expected)), "packed");
    }
}
