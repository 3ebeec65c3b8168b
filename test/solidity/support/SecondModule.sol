// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICorridorBook} from "../../../contracts/core/interfaces/ICorridorBook.sol";
import {IPartnerRegistry} from "../../../contracts/core/interfaces/IPartnerRegistry.sol";
import {IQuoteBook, Sale} from "../../../contracts/core/interfaces/IQuoteBook.sol";
import {ITreasury} from "../../../contracts/core/interfaces/ITreasury.sol";
import {Module} from "../../../contracts/core/Module.sol";
import {Authorization} from "../../../contracts/types/Authorization.sol";
import {CorridorId} from "../../../contracts/types/CorridorId.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {Hold, toHold} from "../../../contracts/types/Hold.sol";
import {HUB, PartnerId} from "../../../contracts/types/PartnerId.sol";
import {Quote} from "../../../contracts/types/Quote.sol";
import {toRelease} from "../../../contracts/types/Release.sol";
import {one} from "./Movements.sol";

/// Another product on the same treasury, with the least that one needs: it holds a partner's money for another until
/// somebody pays it out or gives it back. It sends through the same corridors as batches do, and sells at the same
/// quotes. It asks no permission but a quote's, so that a history can do anything with it.
contract SecondModule is Module {
    struct Subject {
        PartnerId payer;
        PartnerId payee;
        CurrencyCode currency;
        uint128 held;
    }

    ICorridorBook private immutable _corridors;
    IQuoteBook private immutable _quotes;
    Subject[] private _subjects;

    constructor(
        address authority,
        IPartnerRegistry registry_,
        ITreasury treasury_,
        ICorridorBook corridors_,
        IQuoteBook quotes_,
        uint32 beatInterval_,
        uint32 grace_
    ) Module(authority, registry_, treasury_, beatInterval_, grace_) {
        _corridors = corridors_;
        _quotes = quotes_;
    }

    function take(PartnerId payer, PartnerId payee, CurrencyCode currency, uint128 amount) external whenNotPaused {
        treasury.hold(one(_add(payer, payee, currency, amount)));
    }

    /// Draws on a corridor's day: for the target partner the amount, and for the hub the fee on top of it.
    function sendThrough(CorridorId corridor, uint128 amount) external whenNotPaused returns (uint128 fee) {
        fee = _corridors.draw(corridor, amount);
        (PartnerId source, CurrencyCode currency, PartnerId target, ) = corridor.unpack();
        Hold[] memory holds = new Hold[](2);
        holds[0] = _add(source, target, currency, amount);
        holds[1] = _add(source, HUB, currency, fee);
        treasury.hold(holds);
    }

    /// Draws on a quote: the provider's money is held for the taker, and the taker's for the provider.
    function sell(Quote calldata quote, Sale calldata sale, Authorization calldata by) external whenNotPaused {
        _quotes.draw(quote, sale, by);
        Hold[] memory holds = new Hold[](2);
        holds[0] = _add(sale.taker, quote.provider, sale.sourceCurrency, sale.sourceAmount);
        holds[1] = _add(quote.provider, sale.taker, sale.targetCurrency, sale.targetAmount);
        treasury.hold(holds);
    }

    function pay(uint256 id, uint128 amount) external {
        Subject storage subject = _subjects[id];
        subject.held -= amount;
        treasury.release(one(toRelease(subject.payer, subject.payee, subject.currency, amount)));
    }

    function giveBack(uint256 id) external {
        Subject storage subject = _subjects[id];
        uint128 amount = subject.held;
        subject.held = 0;
        treasury.release(one(toRelease(subject.payer, subject.payer, subject.currency, amount)));
    }

    /// Asks for money whoever holds it: what a module with a fault, or a hostile one, would do.
    function grab(PartnerId from, PartnerId to, CurrencyCode currency, uint128 amount) external {
        treasury.release(one(toRelease(from, to, currency, amount)));
    }

    function subjects() external view returns (Subject[] memory) {
        return _subjects;
    }

    function _add(PartnerId payer, PartnerId payee, CurrencyCode currency, uint128 amount) private returns (Hold) {
        _subjects.push(Subject(payer, payee, currency, amount));
        return toHold(payer, currency, amount);
    }
}
