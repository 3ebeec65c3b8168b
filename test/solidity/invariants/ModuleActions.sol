// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Balance, ITreasury, ModuleStatus} from "../../../contracts/core/interfaces/ITreasury.sol";
import {IForModules} from "../../../contracts/core/interfaces/IForModules.sol";
import {Sale} from "../../../contracts/core/interfaces/IQuoteBook.sol";
import {BatchHeader} from "../../../contracts/remittance/Batch.sol";
import {Authorization} from "../../../contracts/types/Authorization.sol";
import {CorridorId} from "../../../contracts/types/CorridorId.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {NO_PARTNER, PartnerId} from "../../../contracts/types/PartnerId.sol";
import {Quote} from "../../../contracts/types/Quote.sol";
import {QuoteId} from "../../../contracts/types/QuoteId.sol";
import {SecondModule} from "../support/SecondModule.sol";
import {vm} from "../support/Vm.sol";
import {Drafts} from "./Drafts.sol";
import {Signer} from "./Expectations.sol";

/// What another module does with the same partners' money, meanwhile; and what it tries to do with the batches' money.
abstract contract ModuleActions is Drafts {
    function useSecondModule(uint256 seed) external step {
        seed = _fresh(seed);
        uint256 what = draw(seed, "second") % 14;
        if (what < 3) _take(seed);
        else if (what < 5) _grab(seed);
        else if (what < 7) _send(seed);
        else if (what < 9) _sell(seed);
        else if (what < 10) _trespass(seed);
        else _endPart(seed, what == 13);
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
        if (openIds.length > 0 && _chance(seed, "from a batch", 2)) {
            BatchHeader storage header = entries[openIds[draw(seed, "batch") % openIds.length]].header;
            (from, currency) = (header.source, header.sourceCurrency);
        }
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

    /// Through a corridor that batches use: its day is one for both.
    function _send(uint256 seed) private {
        (CorridorId corridor, uint128 amount) = (_anyCorridor(seed), uint128(1 + (draw(seed, "amount") % 1e6)));
        if (_chance(seed, "all of the day", 4)) (corridor, amount) = _moreThanLeft();
        (PartnerId source, CurrencyCode currency, , ) = corridor.unpack();
        Balance storage balance = balances[source][currency];
        if (_chance(seed, "too much", 8)) amount = MAX_PER_BATCH + 1;
        else if (_chance(seed, "more than available", 8)) amount = balance.available + 1;
        uint128 fee = _feeOf(amount, terms[corridor].feeBps);
        bytes4 expected = _expectCorridorDraw(ModuleStatus.Active, corridor, amount);
        if (expected == 0 && balance.available < uint256(amount) + fee) {
            expected = ITreasury.Treasury_InsufficientAvailable.selector;
        }
        bytes4 outcome;
        try second.sendThrough(corridor, amount) returns (uint128 charged) {
            vm.assertEq(charged, fee, "fee of what the second module sends");
            balance.available -= amount + fee;
            balance.held += amount + fee;
            _drewOnCorridor(address(second), corridor, amount);
        } catch (bytes memory reason) {
            outcome = bytes4(reason);
        }
        _record("send", expected, outcome);
    }

    /// At a quote that batches draw on: its capacity is one for both.
    function _sell(uint256 seed) private {
        (Quote memory quote, Sale memory sale) = _draftSale(seed);
        Signer memory signer = _operator(quote.provider);
        if (_chance(seed, "spoiled", 2)) _spoilSale(quote, sale, signer, seed);
        Balance storage paid = balances[sale.taker][sale.sourceCurrency];
        Balance storage sold = balances[quote.provider][sale.targetCurrency];
        bytes4 expected = _expectQuoteDraw(ModuleStatus.Active, quote, sale, signer);
        if (expected == 0 && (paid.available < sale.sourceAmount || sold.available < sale.targetAmount)) {
            expected = ITreasury.Treasury_InsufficientAvailable.selector;
        }
        QuoteId quoteId = quoteBook.quoteIdOf(quote);
        bytes memory signature = _sign(signer.privateKey, QuoteId.unwrap(quoteId));
        bytes4 outcome;
        try second.sell(quote, sale, Authorization(signer.claimed, signature)) {
            paid.available -= sale.sourceAmount;
            paid.held += sale.sourceAmount;
            sold.available -= sale.targetAmount;
            sold.held += sale.targetAmount;
            _drewOnQuote(address(second), quoteId, sale.targetAmount);
        } catch (bytes memory reason) {
            outcome = bytes4(reason);
        }
        _record("sell", expected, outcome);
    }

    /// Nobody but a module draws, however good what it brings: not this contract, which governs the ledger, nor one
    /// that is announced at most, nor the provider itself.
    function _trespass(uint256 seed) private {
        (Quote memory quote, Sale memory sale) = _draftSale(seed);
        Signer memory signer = _operator(quote.provider);
        bytes memory signature = _sign(signer.privateKey, QuoteId.unwrap(quoteBook.quoteIdOf(quote)));
        address[3] memory callers = [address(this), address(manager), signer.claimed];
        bool onQuote = _chance(seed, "on quote", 2);
        bytes memory call =
            onQuote
                ? abi.encodeCall(quoteBook.draw, (quote, sale, Authorization(signer.claimed, signature)))
                : abi.encodeCall(corridorBook.draw, (_anyCorridor(seed), 1));
        vm.prank(callers[draw(seed, "caller") % callers.length]);
        (bool success, bytes memory result) = (onQuote ? address(quoteBook) : address(corridorBook)).call(call);
        bytes4 outcome = success ? bytes4(0) : bytes4(result);
        _record("trespass", IForModules.ForModules_NotActive.selector, outcome);
    }

    /// As an honest module sells: at the rate, rounded down.
    function _draftSale(uint256 seed) private returns (Quote memory quote, Sale memory sale) {
        CorridorId corridor = exchangeCorridors[draw(seed, "corridor") % exchangeCorridors.length];
        (sale.taker, sale.sourceCurrency, , sale.targetCurrency) = corridor.unpack();
        bool found = false;
        // Three in four are at a quote that was drawn on before, if one of the newest was.
        if (!_chance(seed, "any quote", 4)) (quote, found) = _drawnQuote();
        if (!found) quote = _anyQuote(seed, sale.taker, sale.sourceCurrency, sale.targetCurrency);
        if (quote.taker != NO_PARTNER) sale.taker = quote.taker;
        (sale.sourceCurrency, sale.targetCurrency) = (quote.sourceCurrency, quote.targetCurrency);
        sale.sourceAmount = uint128(1 + (draw(seed, "amount") % 1e6));
        sale.targetAmount = (sale.sourceAmount * quote.rateNumerator) / quote.rateDenominator;
        sale.hold = uint48(draw(seed, "hold") % 8 hours);
    }

    /// Breaks one thing, or takes all that the quote has left.
    function _spoilSale(Quote memory quote, Sale memory sale, Signer memory signer, uint256 seed) private view {
        uint256 what = draw(seed, "spoil") % 8;
        if (what == 0) ++sale.targetAmount;
        else if (what == 1) sale.sourceCurrency = sale.targetCurrency;
        else if (what == 2) quote.validUntil = wallTime - 1;
        else if (what == 3) sale.hold = uint48(quote.maxHold) + 1;
        else if (what == 4) _forge(signer);
        else if (what == 5) quote.rateDenominator = 0;
        else {
            uint256 left = quote.capacity - drawn[quoteBook.quoteIdOf(quote)];
            sale.targetAmount = uint128(what == 6 ? left : left + 1);
            uint256 price = uint256(sale.targetAmount) * quote.rateDenominator;
            sale.sourceAmount = uint128((price + quote.rateNumerator - 1) / quote.rateNumerator);
        }
    }

    /// The newest that something was drawn on, and that still sells.
    function _drawnQuote() private view returns (Quote memory quote, bool found) {
        for (uint256 i = 0; i < 10 && i < quotes.length; ++i) {
            quote = quotes[quotes.length - 1 - i];
            QuoteId id = quoteBook.quoteIdOf(quote);
            if (drawn[id] > 0 && !cancelled[id] && wallTime <= quote.validUntil) return (quote, true);
        }
    }

    /// The open corridor with the least left of its day, and a unit more than that, or as much as it takes at once.
    function _moreThanLeft() private view returns (CorridorId nearest, uint128 amount) {
        uint256 least = type(uint256).max;
        for (uint256 i = 0; i < exchangeCorridors.length + sameCurrencyCorridors.length; ++i) {
            CorridorId corridor = _corridor(i);
            (uint256 drawnToday, uint256 limit) = (drawnOnDay[corridor][wallTime / 1 days], terms[corridor].maxPerDay);
            uint256 left = drawnToday < limit ? limit - drawnToday : 0;
            if (terms[corridor].open && left < least) (nearest, least) = (corridor, left);
        }
        uint256 most = terms[nearest].maxPerBatch;
        amount = uint128(least < most ? least + 1 : most);
    }

    function _anyCorridor(uint256 seed) private view returns (CorridorId) {
        return _corridor(draw(seed, "corridor") % (exchangeCorridors.length + sameCurrencyCorridors.length));
    }

    function _endPart(uint256 seed, bool pays) private {
        SecondModule.Subject[] memory subjects = second.subjects();
        if (subjects.length == 0) return;
        uint256 id = draw(seed, "subject") % subjects.length;
        // Three in four still hold something, if any does: most of the older are at their end.
        for (uint256 i = 0; i < subjects.length && !_chance(seed, "ended", 4); ++i) {
            if (subjects[id].held > 0) break;
            id = (id + 1) % subjects.length;
        }
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
