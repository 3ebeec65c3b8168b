// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITreasury} from "../../../contracts/interfaces/ITreasury.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {PartnerId} from "../../../contracts/types/PartnerId.sol";

/// Another product on the same treasury, with the least that one needs: it holds a partner's money for another until
/// somebody pays it out or gives it back. It asks nobody's permission, so that a history can do anything with it.
contract SecondModule {
    struct Subject {
        PartnerId payer;
        PartnerId payee;
        CurrencyCode currency;
        uint128 held;
    }

    ITreasury private immutable _treasury;
    Subject[] private _subjects;

    constructor(ITreasury treasury) {
        _treasury = treasury;
    }

    function take(PartnerId payer, PartnerId payee, CurrencyCode currency, uint128 amount) external {
        _subjects.push(Subject(payer, payee, currency, amount));
        _treasury.hold(payer, currency, amount);
    }

    function pay(uint256 id, uint128 amount) external {
        Subject storage subject = _subjects[id];
        subject.held -= amount;
        _treasury.transferHeld(subject.payer, subject.payee, subject.currency, amount);
    }

    function giveBack(uint256 id) external {
        Subject storage subject = _subjects[id];
        uint128 amount = subject.held;
        subject.held = 0;
        _treasury.release(subject.payer, subject.currency, amount);
    }

    /// Asks for money whoever holds it: what a module with a fault, or a hostile one, would do.
    function grab(PartnerId from, PartnerId to, CurrencyCode currency, uint128 amount) external {
        if (from == to) _treasury.release(from, currency, amount);
        else _treasury.transferHeld(from, to, currency, amount);
    }

    function subjects() external view returns (Subject[] memory) {
        return _subjects;
    }
}
