// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ACCEPT, FUND, KeyPurpose, QUOTE, SEND} from "../../../contracts/types/KeyPurpose.sol";
import {LIQUIDITY_PROVIDER, PartnerRole, WALLET} from "../../../contracts/types/PartnerRole.sol";
import {vm} from "../support/Vm.sol";

/// Sets of purposes and of roles are small enough to try them all.
contract SetsTest {
    function test_PurposesAreASetOfBits() external pure {
        uint8 all = 0;
        KeyPurpose[4] memory purposes = [SEND, ACCEPT, QUOTE, FUND];
        for (uint256 i = 0; i < purposes.length; ++i) {
            vm.assertEq(KeyPurpose.unwrap(purposes[i]), 2 ** i, "one bit each");
            all |= KeyPurpose.unwrap(purposes[i]);
        }
        for (uint256 granted = 0; granted < 256; ++granted) {
            KeyPurpose set = KeyPurpose.wrap(uint8(granted));
            vm.assertTrue(set.isEmpty() == (granted == 0), "isEmpty");
            vm.assertTrue(set.isKnown() == (granted & ~uint256(all) == 0), "isKnown");
        }
    }

    function test_RolesAreASetOfBits() external pure {
        vm.assertEq(PartnerRole.unwrap(WALLET), 1, "wallet");
        vm.assertEq(PartnerRole.unwrap(LIQUIDITY_PROVIDER), 2, "liquidity provider");
        for (uint256 granted = 0; granted < 256; ++granted) {
            bool isValid = granted == 1 || granted == 2 || granted == 3;
            vm.assertTrue(PartnerRole.wrap(uint8(granted)).isValid() == isValid, "isValid");
        }
    }

    function test_IncludesIsTheSubsetRelation() external pure {
        for (uint256 granted = 0; granted < 256; ++granted) {
            for (uint256 needed = 0; needed < 256; ++needed) {
                bool expected = granted | needed == granted;
                bool purposes = KeyPurpose.wrap(uint8(granted)).includes(KeyPurpose.wrap(uint8(needed)));
                bool roles = PartnerRole.wrap(uint8(granted)).includes(PartnerRole.wrap(uint8(needed)));
                // A call of the cheatcode for each pair would take seconds.
                if (purposes != expected || roles != expected) revert("includes is not the subset relation");
            }
        }
    }
}
