// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchHeader, Transfer} from "../../../contracts/remittance/Batch.sol";
import {Quote} from "../../../contracts/types/Quote.sol";
import {CorridorId} from "../../../contracts/types/CorridorId.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {NO_PARTNER, PartnerId} from "../../../contracts/types/PartnerId.sol";
import {Expectations, Signer} from "./Expectations.sol";
import {MerkleTree} from "../support/MerkleTree.sol";
import {vm} from "../support/Vm.sol";

/// A batch about to be opened.
struct Draft {
    BatchHeader header;
    uint256 seed;
    bool crooked;
    Signer sender;
    Signer quoter;
}

/// Random batches: mostly as an honest relay makes them, some with one thing wrong.
abstract contract Drafts is Expectations {
    uint256 private constant STRANGER = uint256(keccak256("stranger"));
    uint256 private constant SPOILS = 24;

    function _draftExchange(uint256 seed) internal returns (Draft memory draft) {
        CorridorId corridor = exchangeCorridors[draw(seed, "corridor") % exchangeCorridors.length];
        (PartnerId source, CurrencyCode sourceCurrency, , CurrencyCode targetCurrency) = corridor.unpack();
        Quote memory quote = _anyQuote(seed, source, sourceCurrency, targetCurrency);
        draft = _draft(seed, corridor, quote);
        draft.quoter = _operator(quote.provider);
    }

    function _draftSameCurrency(uint256 seed) internal view returns (Draft memory) {
        Quote memory none;
        return _draft(seed, sameCurrencyCorridors[draw(seed, "corridor") % sameCurrencyCorridors.length], none);
    }

    function _operator(PartnerId partner) internal view returns (Signer memory) {
        return Signer(operators[partner], _operatorKey(partner, generations[partner]), true);
    }

    /// Signs for itself, for all it is worth.
    function _stranger() internal pure returns (Signer memory) {
        return Signer(vm.addr(STRANGER), STRANGER, true);
    }

    function _forge(Signer memory signer) internal pure {
        signer.privateKey = STRANGER;
        signer.genuine = false;
    }

    /// Breaks one thing, chosen at random.
    function _spoil(Draft memory draft, uint256 seed) internal view {
        uint256 what = draw(seed, "spoil") % SPOILS;
        if (what < 10) _spoilHeader(draft.header, what, seed);
        else if (what < 17) _spoilQuote(draft.header, what);
        else _spoilSigner(draft, what);
        // The fee follows the total, or nothing but the fee would ever be wrong with it.
        if (what > 1) {
            uint256 feeBps = terms[_corridorOf(draft.header)].feeBps;
            draft.header.fee = _feeOf(draft.header.sourceTotal, feeBps);
        }
    }

    function _draft(uint256 seed, CorridorId corridor, Quote memory quote) private view returns (Draft memory draft) {
        bool exchanges = quote.provider != NO_PARTNER;
        draft.seed = seed;
        draft.crooked = exchanges && _chance(seed, "crooked", 3);
        Transfer[] memory transfers = _transfers(
            seed,
            1 + (draw(seed, "count") % 6),
            exchanges ? quote.rateNumerator : 1,
            exchanges ? quote.rateDenominator : 1,
            draft.crooked
        );
        draft.header = _header(corridor, transfers, MerkleTree.build(transfers)[0], quote);
        draft.header.fee = _feeOf(draft.header.sourceTotal, terms[corridor].feeBps);
        // A header that says less than its tree: lawful to open, but no rejection can make up for what is missing.
        if (exchanges && draft.header.targetTotal > 0 && _chance(seed, "short", 2)) --draft.header.targetTotal;
        uint256 hold = 1 + (draw(seed, "hold") % (_chance(seed, "long", 4) ? 1 days : 8 hours));
        draft.header.expiresAt = expectedTime() + uint48(hold);
        draft.sender = _operator(draft.header.source);
    }

    /// Two in three are quotes that were made before.
    function _anyQuote(
        uint256 seed,
        PartnerId source,
        CurrencyCode sourceCurrency,
        CurrencyCode targetCurrency
    ) internal returns (Quote memory quote) {
        if (quotes.length > 0 && !_chance(seed, "new quote", 3)) {
            // Among the newest, from a random one on: most of the older are no longer valid.
            uint256 recent = quotes.length < 10 ? quotes.length : 10;
            uint256 start = draw(seed, "old quote") % recent;
            for (uint256 i = 0; i < recent; ++i) {
                quote = quotes[quotes.length - 1 - ((start + i) % recent)];
                if (quote.sourceCurrency == sourceCurrency && quote.targetCurrency == targetCurrency) return quote;
            }
        }
        uint256 capacity = _chance(seed, "small", 3) ? 1e6 : 1e12;
        quote = Quote({
            provider: _chance(seed, "provider", 2) ? PROVIDER : BOTH,
            taker: _chance(seed, "taker", 4) ? source : NO_PARTNER,
            sourceCurrency: sourceCurrency,
            targetCurrency: targetCurrency,
            rateNumerator: uint128(bound(draw(seed, "numerator"), 1e3, 1e5)),
            rateDenominator: uint128(bound(draw(seed, "denominator"), 1e3, 1e5)),
            capacity: uint128(1 + (draw(seed, "capacity") % capacity)),
            validUntil: wallTime + uint48(draw(seed, "validity") % 4 days),
            maxHold: uint32(8 hours + (draw(seed, "max hold") % 1 days)),
            nonce: uint64(steps)
        });
        quotes.push(quote);
    }

    function _spoilHeader(BatchHeader memory header, uint256 what, uint256 seed) private view {
        if (what == 0) ++header.fee;
        else if (what == 1) header.fee /= 2;
        else if (what == 2) header.count = 0;
        else if (what == 3) header.expiresAt = expectedTime() - uint48(draw(seed, "late") % 2);
        else if (what == 4) header.expiresAt = expectedTime() + 1 days + 1;
        else if (what == 5) _scaleTo(header, MAX_PER_BATCH + 1);
        else if (what == 6) _scaleTo(header, 5e8);
        else if (what == 7) header.target = PROVIDER;
        else if (what == 8) header.count = uint32(header.sourceTotal + 1);
        else header.targetTotal = _mostTarget(header, header.sourceTotal) + 1;
    }

    function _spoilQuote(BatchHeader memory header, uint256 what) private view {
        Quote memory quote = header.quote;
        if (what == 10) quote.taker = PROVIDER;
        else if (what == 11) (quote.sourceCurrency, quote.targetCurrency) = (header.targetCurrency, CNY);
        else if (what == 12) quote.rateDenominator = 0;
        else if (what == 13) quote.validUntil = wallTime - 1;
        else if (what == 14) quote.maxHold = 1;
        else if (what == 15) quote.capacity = header.targetTotal / 2;
        else quote.provider = NO_PARTNER;
    }

    function _spoilSigner(Draft memory draft, uint256 what) private pure {
        if (what == 17) draft.sender = _stranger();
        else if (what == 18) _forge(draft.sender);
        else if (what == 19) draft.sender.claimed = _treasurer(draft.header.source);
        else if (what == 20) draft.quoter = _stranger();
        else if (what == 21) _forge(draft.quoter);
        else if (what == 22) draft.header.quote.provider = PartnerId.wrap(99);
        else draft.header.quote.provider = GCASH;
    }

    function _scaleTo(BatchHeader memory header, uint128 sourceTotal) private pure {
        header.sourceTotal = sourceTotal;
        header.targetTotal = _mostTarget(header, sourceTotal);
    }

    function _mostTarget(BatchHeader memory header, uint128 sourceTotal) private pure returns (uint128) {
        if (header.quote.provider == NO_PARTNER) return sourceTotal;
        return uint128((uint256(sourceTotal) * header.quote.rateNumerator) / header.quote.rateDenominator);
    }
}
