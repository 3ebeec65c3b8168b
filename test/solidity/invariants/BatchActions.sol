// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPartnerRegistry} from "../../../contracts/core/interfaces/IPartnerRegistry.sol";
import {Balance} from "../../../contracts/core/interfaces/ITreasury.sol";
import {BatchHeader, BatchStatus, MultiProof, Rejection, Transfer} from "../../../contracts/remittance/Batch.sol";
import {Authorization} from "../../../contracts/types/Authorization.sol";
import {Quote} from "../../../contracts/types/Quote.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {PackedHeader} from "../../../contracts/remittance/PackedHeader.sol";
import {QUOTE} from "../../../contracts/types/KeyPurpose.sol";
import {HUB, NO_PARTNER, PartnerId} from "../../../contracts/types/PartnerId.sol";
import {QuoteId} from "../../../contracts/types/QuoteId.sol";
import {Draft, Drafts} from "./Drafts.sol";
import {Flaw, Signer} from "./Expectations.sol";
import {Entry} from "./Model.sol";
import {pack} from "../../contracts/helpers/PackedHeaders.sol";
import {MerkleTree} from "../support/MerkleTree.sol";
import {vm} from "../support/Vm.sol";

/// Opens, settles and expires batches, submitted by couriers without authority.
abstract contract BatchActions is Drafts {
    uint256 private constant TERMS_BITS = 144;
    uint256 private constant QUOTE_TERMS_BITS = 208;

    function openExchange(uint256 seed) external step {
        _open(_draftExchange(_fresh(seed)));
    }

    function openSameCurrency(uint256 seed) external step {
        _open(_draftSameCurrency(_fresh(seed)));
    }

    function openSpoiled(uint256 seed) external step {
        seed = _fresh(seed);
        Draft memory draft = _chance(seed, "exchange", 4) ? _draftSameCurrency(seed) : _draftExchange(seed);
        _spoil(draft, seed);
        _open(draft);
    }

    function settleAll(uint256 seed) external step {
        seed = _fresh(seed);
        (BatchId batchId, bool found) = _pickOpen(seed);
        if (found) _settle(seed, batchId, 0, _operator(entries[batchId].header.target), Flaw.None);
    }

    function settleWithRejections(uint256 seed) external step {
        seed = _fresh(seed);
        (BatchId batchId, bool found) = _pickOpen(seed);
        if (!found) return;
        uint256 mask = _chance(seed, "all", 2) ? type(uint256).max : draw(seed, "mask");
        _settle(seed, batchId, mask, _operator(entries[batchId].header.target), Flaw.None);
    }

    function settleWithFlaw(uint256 seed) external step {
        seed = _fresh(seed);
        (BatchId batchId, bool found) = _pickOpen(seed);
        if (!found) return;
        Signer memory accept = _operator(entries[batchId].header.target);
        uint256 what = draw(seed, "flaw") % 7;
        Flaw flaw = what <= uint256(type(Flaw).max) ? Flaw(what) : Flaw.None;
        if (what == 5) accept = _operator(entries[batchId].header.source);
        if (what == 6) _forge(accept);
        _settle(seed, batchId, 1 | draw(seed, "mask"), accept, flaw);
    }

    function expire(uint256 seed) external step {
        seed = _fresh(seed);
        (BatchId batchId, bool found) = _pickOpen(seed);
        for (uint256 i = 0; i < openIds.length && !_chance(seed, "any", 3); ++i) {
            if (entries[openIds[i]].header.expiresAt <= expectedTime()) batchId = openIds[i];
        }
        if (found) _expire(seed, batchId);
    }

    /// A batch that was opened before, whatever became of it, with good signatures: opened, settled and expired again,
    /// or with a header that differs in one figure, which makes it a batch that nobody opened. Or a quote is cancelled.
    function submitAgain(uint256 seed) external step {
        seed = _fresh(seed);
        if (history.length == 0) return;
        if (_chance(seed, "cancel", 6)) return _cancelQuote(seed);
        BatchId batchId = history[draw(seed, "batch") % history.length];
        uint256 what = draw(seed, "again") % 4;
        if (what == 0) _openAgain(batchId);
        else if (what == 1) _expire(seed, batchId);
        else if (what == 2) _expireForged(seed, batchId);
        else _settle(seed, batchId, draw(seed, "mask"), _operator(entries[batchId].header.target), Flaw.None);
    }

    function _cancelQuote(uint256 seed) private {
        if (quotes.length == 0) return;
        Quote memory quote = quotes[draw(seed, "quote") % quotes.length];
        PartnerId canceller = _chance(seed, "other", 2) ? HUB : quote.provider;
        address caller = _operator(canceller).claimed;
        bool mayCancel = _mayAct(quote.provider, caller, QUOTE);
        bytes4 outcome;
        vm.prank(caller);
        try quoteBook.cancelQuote(quote) {
            cancelled[quoteBook.quoteIdOf(quote)] = true;
        } catch (bytes memory reason) {
            outcome = bytes4(reason);
        }
        bytes4 expected = mayCancel ? bytes4(0) : IPartnerRegistry.PartnerRegistry_KeyNotAuthorized.selector;
        _record("cancelQuote", expected, outcome);
    }

    function _openAgain(BatchId batchId) private {
        Entry memory entry = entries[batchId];
        Draft memory draft;
        draft.header = entry.header;
        draft.seed = entry.seed;
        draft.sender = _operator(draft.header.source);
        draft.quoter = _operator(draft.header.quote.provider);
        _open(draft);
    }

    function _expireForged(uint256 seed, BatchId batchId) private {
        BatchHeader memory header = entries[batchId].header;
        ++header.fee;
        bytes4 outcome = _tryExpire(_packed(header, seed), _courier(seed));
        _record("expire", _expectExpire(registry.batchIdOf(pack(header))), outcome);
    }

    function _expire(uint256 seed, BatchId batchId) internal {
        BatchHeader memory header = entries[batchId].header;
        bytes4 expected = _expectExpire(batchId);
        bytes4 outcome = _tryExpire(_packed(header, seed), _courier(seed));
        _record("expire", expected, outcome);
        if (outcome != 0) return;
        _beaten();
        _release(header.source, header, header.sourceTotal + header.fee, true);
        if (header.quote.provider != NO_PARTNER) _release(header.quote.provider, header, header.targetTotal, false);
        _observe(batchId);
    }

    function _open(Draft memory draft) private {
        BatchHeader memory header = draft.header;
        bytes4 expected = _expectOpen(header, draft.sender, draft.quoter);
        BatchId batchId = registry.batchIdOf(pack(header));
        QuoteId quoteId = quoteBook.quoteIdOf(header.quote);
        Authorization memory quote;
        if (draft.quoter.privateKey != 0) {
            quote = Authorization(draft.quoter.claimed, _sign(draft.quoter.privateKey, QuoteId.unwrap(quoteId)));
        }
        Authorization memory send = Authorization(
            draft.sender.claimed,
            _sign(draft.sender.privateKey, BatchId.unwrap(batchId))
        );
        bytes4 outcome;
        vm.prank(_courier(draft.seed));
        try registry.open(_packed(header, draft.seed), send, quote) returns (BatchId) {
            ++timesOpened[batchId];
        } catch (bytes memory reason) {
            outcome = bytes4(reason);
        }
        _record("open", expected, outcome);
        if (outcome != 0) return;
        _beaten();
        history.push(batchId);
        entries[batchId] = Entry(header, draft.seed, draft.crooked, BatchStatus.None);
        _observe(batchId);
        _opened(header, quoteId);
    }

    function _opened(BatchHeader memory header, QuoteId quoteId) internal {
        _drewOnCorridor(address(registry), _corridorOf(header), header.sourceTotal);
        Balance storage paid = balances[header.source][header.sourceCurrency];
        paid.available -= header.sourceTotal + header.fee;
        paid.held += header.sourceTotal + header.fee;
        if (header.quote.provider == NO_PARTNER) return;
        _drewOnQuote(address(registry), quoteId, header.targetTotal);
        Balance storage sold = balances[header.quote.provider][header.targetCurrency];
        sold.available -= header.targetTotal;
        sold.held += header.targetTotal;
    }

    function _settle(uint256 seed, BatchId batchId, uint256 mask, Signer memory accept, Flaw flaw) private {
        Entry memory entry = entries[batchId];
        (Rejection[] memory rejections, MultiProof memory proof) = MerkleTree.reject(_transfersOf(entry), mask, "AC03");
        if (rejections.length == 0) flaw = Flaw.None;
        (uint128 source, uint128 target) = _sums(rejections);
        bytes4 expected = _expectSettle(batchId, rejections.length, source, target, accept, flaw);
        rejections = _spoilRejections(rejections, flaw);
        Authorization memory by = Authorization(accept.claimed, _signSettlement(batchId, rejections, accept, flaw));
        bytes4 outcome = _trySettle(seed, entry.header, rejections, proof, by);
        bytes32 action = entry.crooked ? bytes32("settle crooked") : bytes32("settle with rejections");
        if (rejections.length == 0) action = "settle";
        _record(action, expected, outcome);
        if (outcome == 0) _settled(batchId, entry.header, source, target);
    }

    function _sums(Rejection[] memory rejections) private pure returns (uint128 source, uint128 target) {
        for (uint256 i = 0; i < rejections.length; ++i) {
            source += rejections[i].transfer.sourceAmount;
            target += rejections[i].transfer.targetAmount;
        }
    }

    function _signSettlement(
        BatchId batchId,
        Rejection[] memory rejections,
        Signer memory accept,
        Flaw flaw
    ) private view returns (bytes memory) {
        bytes32 rejectionsHash = flaw == Flaw.OtherRejectionsSigned ? bytes32(0) : _hashOf(rejections);
        return _sign(accept.privateKey, _settlementDigest(batchId, rejectionsHash));
    }

    function _trySettle(
        uint256 seed,
        BatchHeader memory header,
        Rejection[] memory rejections,
        MultiProof memory proof,
        Authorization memory by
    ) private returns (bytes4) {
        PackedHeader memory packed = _packed(header, seed);
        vm.prank(_courier(seed));
        try registry.settle(packed, rejections, proof, by) {
            return 0;
        } catch (bytes memory reason) {
            return bytes4(reason);
        }
    }

    /// What the target partner accepted changes hands, and the rest goes back.
    function _settled(BatchId batchId, BatchHeader memory header, uint128 source, uint128 target) internal {
        _beaten();
        _observe(batchId);
        uint128 sourceLeft = header.sourceTotal - source;
        uint128 targetLeft = header.targetTotal - target;
        uint128 fee = uint128((uint256(header.fee) * sourceLeft + header.sourceTotal - 1) / header.sourceTotal);
        PartnerId provider = header.quote.provider;
        _release(header.source, header, header.sourceTotal + header.fee, true);
        balances[header.source][header.sourceCurrency].available -= sourceLeft + fee;
        balances[HUB][header.sourceCurrency].available += fee;
        if (provider == NO_PARTNER) {
            balances[header.target][header.sourceCurrency].available += sourceLeft;
            return;
        }
        _release(provider, header, header.targetTotal, false);
        balances[provider][header.targetCurrency].available -= targetLeft;
        balances[provider][header.sourceCurrency].available += sourceLeft;
        balances[header.target][header.targetCurrency].available += targetLeft;
    }

    function _release(PartnerId partner, BatchHeader memory header, uint128 amount, bool isSource) private {
        Balance storage balance = balances[partner][isSource ? header.sourceCurrency : header.targetCurrency];
        balance.held -= amount;
        balance.available += amount;
    }

    function _tryExpire(PackedHeader memory header, address courier) private returns (bytes4) {
        vm.prank(courier);
        try registry.expire(header) {
            return 0;
        } catch (bytes memory reason) {
            return bytes4(reason);
        }
    }

    function _pickOpen(uint256 seed) private view returns (BatchId batchId, bool found) {
        if (openIds.length == 0) return (batchId, false);
        return (openIds[draw(seed, "batch") % openIds.length], true);
    }

    /// As a courier submits it. Half of them leave something in the bits that mean nothing.
    function _packed(BatchHeader memory header, uint256 seed) internal pure returns (PackedHeader memory packed) {
        packed = pack(header);
        if (_chance(seed, "junk", 2)) return packed;
        packed.terms |= draw(seed, "junk in terms") << TERMS_BITS;
        packed.quoteTerms |= draw(seed, "junk in quote terms") << QUOTE_TERMS_BITS;
    }

    function _courier(uint256 seed) internal pure returns (address) {
        return address(uint160(draw(seed, "courier") | 1));
    }

    function _spoilRejections(
        Rejection[] memory rejections,
        Flaw flaw
    ) private pure returns (Rejection[] memory spoiled) {
        uint256 count = rejections.length;
        if (flaw == Flaw.NoReason) rejections[count - 1].reason = 0;
        if (flaw == Flaw.FalseProof) {
            // Another transfer that still comes last in the order of leaves.
            Transfer memory transfer = rejections[count - 1].transfer;
            do transfer.detailsHash = keccak256(abi.encode(transfer.detailsHash)); while (
                count > 1 && MerkleTree.leafOf(transfer) <= MerkleTree.leafOf(rejections[count - 2].transfer)
            );
        }
        if (flaw != Flaw.Repeated) return rejections;
        spoiled = new Rejection[](count + 1);
        for (uint256 i = 0; i < count; ++i) spoiled[i] = rejections[i];
        spoiled[count] = rejections[count - 1];
    }

    function _hashOf(Rejection[] memory rejections) private pure returns (bytes32 rejectionsHash) {
        for (uint256 i = 0; i < rejections.length; ++i) {
            bytes32 leaf = MerkleTree.leafOf(rejections[i].transfer);
            rejectionsHash = keccak256(abi.encode(rejectionsHash, leaf, rejections[i].reason));
        }
    }
}
