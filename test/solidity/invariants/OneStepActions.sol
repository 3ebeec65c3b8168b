// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AcceptedBatch, BatchHeader, BatchStatus} from "../../../contracts/remittance/Batch.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {Authorization} from "../../../contracts/types/Authorization.sol";
import {QuoteId} from "../../../contracts/types/QuoteId.sol";
import {pack} from "../../contracts/helpers/PackedHeaders.sol";
import {vm} from "../support/Vm.sol";
import {BatchActions} from "./BatchActions.sol";
import {Draft} from "./Drafts.sol";
import {Signer} from "./Expectations.sol";
import {Entry} from "./Model.sol";

/// Opens and settles batches in one step: fresh ones, spoiled ones, and those that were opened before.
abstract contract OneStepActions is BatchActions {
    function openAndSettle(uint256 seed) external step {
        seed = _fresh(seed);
        Draft memory draft = _chance(seed, "exchange", 4) ? _draftSameCurrency(seed) : _draftExchange(seed);
        if (_chance(seed, "spoil", 4)) _spoil(draft, seed);
        if (history.length > 0 && _chance(seed, "known", 12)) _takeKnown(draft, seed);
        Signer memory accept = _operator(draft.header.target);
        uint256 what = draw(seed, "acceptance") % 12;
        if (what == 0) accept = _stranger();
        if (what == 1) _forge(accept);
        uint48 acceptedUntil = what == 2 ? wallTime - 1 : wallTime + uint48(draw(seed, "accepted") % 60);
        _settleAtOnce(draft, accept, acceptedUntil, what == 3);
    }

    function _takeKnown(Draft memory draft, uint256 seed) private view {
        Entry memory entry = entries[history[draw(seed, "batch") % history.length]];
        draft.header = entry.header;
        draft.seed = entry.seed;
        draft.crooked = entry.crooked;
        draft.sender = _operator(draft.header.source);
        draft.quoter = _operator(draft.header.quote.provider);
    }

    /// @param asSettlement whether the target partner has signed a settlement, which is no acceptance
    function _settleAtOnce(Draft memory draft, Signer memory accept, uint48 acceptedUntil, bool asSettlement) private {
        BatchHeader memory header = draft.header;
        BatchId batchId = registry.batchIdOf(pack(header));
        QuoteId quoteId = quoteBook.quoteIdOf(header.quote);
        AcceptedBatch memory batch;
        batch.header = _packed(header, draft.seed);
        batch.acceptedUntil = acceptedUntil;
        batch.bySource = _signed(draft.sender, BatchId.unwrap(batchId));
        if (draft.quoter.privateKey != 0) batch.byProvider = _signed(draft.quoter, QuoteId.unwrap(quoteId));
        batch.byTarget = _signed(
            accept,
            asSettlement ? _settlementDigest(batchId, 0) : _acceptanceDigest(batchId, acceptedUntil)
        );
        if (asSettlement) accept.genuine = false;
        bytes4 expected = _expectOpenAndSettle(header, draft.sender, draft.quoter, accept, acceptedUntil);
        bytes4 outcome = _trySettleAtOnce(batch, draft.seed);
        _record("open and settle", expected, outcome);
        if (outcome != 0) return;
        ++timesOpened[batchId];
        history.push(batchId);
        entries[batchId] = Entry(header, draft.seed, draft.crooked, BatchStatus.None);
        _opened(header, quoteId);
        _settled(batchId, header, 0, 0);
    }

    function _trySettleAtOnce(AcceptedBatch memory batch, uint256 seed) private returns (bytes4) {
        vm.prank(_courier(seed));
        try registry.openAndSettle(batch) returns (BatchId) {
            return 0;
        } catch (bytes memory reason) {
            return bytes4(reason);
        }
    }

    function _signed(Signer memory signer, bytes32 digest) private pure returns (Authorization memory) {
        return Authorization(signer.claimed, _sign(signer.privateKey, digest));
    }
}
