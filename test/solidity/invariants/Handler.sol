// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Closing} from "./Closing.sol";
import {ModuleActions} from "./ModuleActions.sol";
import {MoneyActions} from "./MoneyActions.sol";
import {NetworkActions} from "./NetworkActions.sol";
import {OneStepActions} from "./OneStepActions.sol";

/// Everything that can happen to a ledger, in any order.
contract Handler is MoneyActions, ModuleActions, NetworkActions, OneStepActions, Closing {
    /// What the fuzzer chooses from, each as likely as the others.
    function actions() external pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](15);
        selectors[0] = this.openExchange.selector;
        selectors[1] = this.openSameCurrency.selector;
        selectors[2] = this.openSpoiled.selector;
        selectors[3] = this.settleAll.selector;
        selectors[4] = this.settleWithRejections.selector;
        selectors[5] = this.settleWithFlaw.selector;
        selectors[6] = this.expire.selector;
        selectors[7] = this.submitAgain.selector;
        selectors[8] = this.moveMoney.selector;
        selectors[9] = this.govern.selector;
        selectors[10] = this.passTime.selector;
        selectors[11] = this.leave.selector;
        selectors[12] = this.outdate.selector;
        selectors[13] = this.useSecondModule.selector;
        selectors[14] = this.openAndSettle.selector;
    }
}
