// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Balance, ITreasury, ModuleStatus} from "../../../contracts/interfaces/ITreasury.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";
import {SecondModule} from "../support/SecondModule.sol";
import {Drafts} from "./Drafts.sol";

/// What another module does with the same partners' money, meanwhile; and what it tries to do with the batches' money.
abstract contract ModuleActions is Drafts {
    function useSecondModule(uint256 seed) external step {
        seed = _fresh(seed);
        uint256 what = draw(seed, "second") % 8;
        if (what < 3) _take(seed);
        else if (what < 5) _grab(seed);
        else _endPart(seed, what == 7);
    }

    /// Ends all that the second module holds, as anybody can, while it drains.
    function giveBackEverything() external replays {
        _setStatusOfModule(address(second), ModuleStatus.Draining);
        SecondModule.Subject[] memory subjects = second.subjects();
        for (uint256 i = 0; i < subjects.length; ++i) {
            second.giveBack(i);
            _endHeld(subjects[i], subjects[i].payer, subjects[i].held);
        }
    }

    /// The subjects that the second module has open, by its own account.
    function heldBySubjects(PartnerId partner, CurrencyCode currency) external view returns (uint256 held) {
        SecondModule.Subject[] memory subjects = second.subjects();
        for (uint256 i = 0; i < subjects.length; ++i) {
            if (subjects[i].payer == partner && subjects[i].currency == currency) held += subjects[i].held;
        }
    }

    function _take(uint256 seed) private {
        (PartnerId payer, CurrencyCode currency) = (_randomPartner(seed), _randomCurrency(seed));
        Balance storage balance = balances[payer][currency];
        uint128 amount = uint128(draw(seed, "amount") % (balance.available / 4 + 1));
        if (_chance(seed, "too much", 8)) amount = balance.available + 1;
        bool covered = amount <= balance.available;
        bytes4 outcome;
        try second.take(payer, _randomPartner(~seed), currency, amount) {
            balance.available -= amount;
            balance.held += amount;
        } catch (bytes memory reason) {
            outcome = bytes4(reason);
        }
        _record("take", covered ? bytes4(0) : ITreasury.Treasury_InsufficientAvailable.selector, outcome);
    }

    /// A unit more than it holds itself, of money that batches may hold.
    function _grab(uint256 seed) private {
        (PartnerId from, CurrencyCode currency) = (_randomPartner(seed), _randomCurrency(seed));
        uint128 own = treasury.heldBy(address(second), from, currency);
        uint128 others = treasury.heldBy(address(registry), from, currency);
        bytes4 outcome;
        try second.grab(from, _randomPartner(~seed), currency, own + (others == 0 ? 1 : others)) {} catch (
            bytes memory reason
        ) {
            outcome = bytes4(reason);
        }
        _record(others == 0 ? bytes32("grab") : bytes32("rob"), ITreasury.Treasury_InsufficientHeld.selector, outcome);
    }

    function _endPart(uint256 seed, bool pays) private {
        SecondModule.Subject[] memory subjects = second.subjects();
        if (subjects.length == 0) return;
        uint256 id = draw(seed, "subject") % subjects.length;
        SecondModule.Subject memory subject = subjects[id];
        if (pays) {
            uint128 amount = uint128(draw(seed, "part") % (uint256(subject.held) + 1));
            second.pay(id, amount);
            _endHeld(subject, subject.payee, amount);
            _record("pay", 0, 0);
        } else {
            second.giveBack(id);
            _endHeld(subject, subject.payer, subject.held);
            _record("give back", 0, 0);
        }
    }

    function _endHeld(SecondModule.Subject memory subject, PartnerId to, uint128 amount) private {
        balances[subject.payer][subject.currency].held -= amount;
        balances[to][subject.currency].available += amount;
    }
}
