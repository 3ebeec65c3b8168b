// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ICorridorBook} from "../core/interfaces/ICorridorBook.sol";
import {IPartnerRegistry} from "../core/interfaces/IPartnerRegistry.sol";
import {IQuoteBook, Sale} from "../core/interfaces/IQuoteBook.sol";
import {ITreasury} from "../core/interfaces/ITreasury.sol";
import {Module} from "../core/Module.sol";
import {Authorization} from "../types/Authorization.sol";
import {toCorridorId} from "../types/CorridorId.sol";
import {ACCEPT, SEND} from "../types/KeyPurpose.sol";
import {Hold, toHold} from "../types/Hold.sol";
import {HUB, NO_PARTNER, PartnerId} from "../types/PartnerId.sol";
import {WALLET} from "../types/PartnerRole.sol";
import {NO_QUOTE_HASH} from "../types/Quote.sol";
import {Release, toRelease} from "../types/Release.sol";
import {AcceptedBatch, BatchHeader, BatchStatus, MultiProof, RejectedLeaf, Rejection, Transfer} from "./Batch.sol";
import {BatchHashing} from "./BatchHashing.sol";
import {BatchId} from "./BatchId.sol";
import {ITransferRegistry} from "./ITransferRegistry.sol";
import {PackedHeader} from "./PackedHeader.sol";
import {Settlement, Settlements} from "./Settlements.sol";

/// @title TransferRegistry
/// @notice See {ITransferRegistry}.
contract TransferRegistry is ITransferRegistry, Module {
    /// One slot a batch. The header is not stored: who acts on a batch brings it, and its hash is the key.
    struct Outcome {
        BatchStatus status;
        bytes31 rejectionsHash;
    }

    /// @notice Longest time a batch may hold money, in seconds of ledger time.
    uint32 public constant MAX_HOLD = 1 days;

    /// @notice Where corridors are kept, and what is left of their day.
    ICorridorBook public immutable corridors;
    /// @notice Where what is left of providers' quotes is kept.
    IQuoteBook public immutable quotes;

    mapping(BatchId batchId => Outcome) private _outcomes;

    /// @param authority the AccessManager that governs the ledger
    /// @param registry_ where partners and their keys are kept
    /// @param treasury_ where the money is; governance activates this contract there as a module
    /// @param corridors_ where corridors are kept
    /// @param quotes_ where what is left of providers' quotes is kept
    /// @param beatInterval_ see `beatInterval`, in seconds
    /// @param grace_ see `grace`, in seconds
    constructor(
        address authority,
        IPartnerRegistry registry_,
        ITreasury treasury_,
        ICorridorBook corridors_,
        IQuoteBook quotes_,
        uint32 beatInterval_,
        uint32 grace_
    ) Module(authority, registry_, treasury_, beatInterval_, grace_) {
        corridors = corridors_;
        quotes = quotes_;
    }

    /// @inheritdoc ITransferRegistry
    function open(
        PackedHeader calldata packed,
        Authorization calldata send,
        Authorization calldata quote
    ) external whenNotPaused returns (BatchId batchId) {
        BatchHeader memory header = packed.unpack();
        // Check
        batchId = _draw(header, send, quote);
        // Effect
        _outcomes[batchId].status = BatchStatus.Open;
        emit Opened(batchId, header.source, header.target, packed);
        // Interaction
        _hold(header);
    }

    /// @inheritdoc ITransferRegistry
    function openAndSettle(AcceptedBatch calldata batch) external whenNotPaused returns (BatchId batchId) {
        BatchHeader memory header = batch.header.unpack();
        // Check
        batchId = _draw(header, batch.bySource, batch.byProvider);
        _requireAcceptance(batchId, header.target, batch);
        // Effect
        _outcomes[batchId].status = BatchStatus.Settled;
        emit Opened(batchId, header.source, header.target, batch.header);
        (uint128 sourceTotal, uint128 targetTotal, uint128 fee) = (header.sourceTotal, header.targetTotal, header.fee);
        RejectedLeaf[] memory none;
        emit Settled(batchId, header.source, header.target, sourceTotal, targetTotal, fee, none);
        // Interaction
        _hold(header);
        _release(header, sourceTotal, targetTotal, fee);
    }

    /// @inheritdoc ITransferRegistry
    function settle(
        PackedHeader calldata packed,
        Rejection[] calldata rejections,
        MultiProof calldata proof,
        Authorization calldata accept
    ) external {
        // Check
        BatchHeader memory header = packed.unpack();
        BatchId batchId = _batchIdOf(header);
        _requireStatus(batchId, BatchStatus.Open);
        uint48 now_ = beat();
        if (now_ >= header.expiresAt) revert TransferRegistry_Expired(now_, header.expiresAt);
        registry.checkCommitted(header.target, accept.key, ACCEPT);
        Settlement memory s = Settlements.compute(batchId, header, rejections, proof);
        _requireSignature(
            header.target,
            accept,
            _hashTypedDataV4(BatchHashing.hashSettlement(batchId, s.rejectionsHash))
        );

        // Effect
        bool settled = s.settledSource > 0;
        _outcomes[batchId] = Outcome(settled ? BatchStatus.Settled : BatchStatus.Rejected, bytes31(s.rejectionsHash));
        if (settled) {
            emit Settled(batchId, header.source, header.target, s.settledSource, s.settledTarget, s.fee, s.rejected);
        } else {
            emit Rejected(batchId, header.source, header.target, s.rejected);
        }

        // Interaction
        _release(header, s.settledSource, s.settledTarget, s.fee);
    }

    /// @inheritdoc ITransferRegistry
    function expire(PackedHeader calldata packed) external {
        // Check
        BatchHeader memory header = packed.unpack();
        BatchId batchId = _batchIdOf(header);
        _requireStatus(batchId, BatchStatus.Open);
        uint48 now_ = beat();
        if (now_ < header.expiresAt) revert TransferRegistry_NotExpired(now_, header.expiresAt);

        // Effect
        _outcomes[batchId].status = BatchStatus.Expired;
        emit Expired(batchId, header.source, header.target);

        // Interaction
        _release(header, 0, 0, 0);
    }

    /// @inheritdoc ITransferRegistry
    function verify(
        PackedHeader calldata packed,
        Transfer calldata transfer,
        bytes32[] calldata proof,
        RejectedLeaf[] calldata rejected
    ) external view returns (BatchStatus status, bytes4 reason) {
        BatchId batchId = batchIdOf(packed);
        bytes32 leaf = BatchHashing.leafOf(transfer);
        if (!MerkleProof.verifyCalldata(proof, packed.root, leaf)) revert TransferRegistry_InvalidProof(batchId);
        Outcome memory outcome = _outcomes[batchId];
        bytes31 given = bytes31(BatchHashing.hashRejections(rejected));
        if (given != outcome.rejectionsHash) {
            revert TransferRegistry_WrongRejections(batchId, outcome.rejectionsHash, given);
        }
        for (uint256 i = 0; i < rejected.length; ++i) {
            if (rejected[i].leaf == leaf) return (BatchStatus.Rejected, rejected[i].reason);
        }
        return (outcome.status, 0);
    }

    /// @inheritdoc ITransferRegistry
    function statusOf(BatchId batchId) external view returns (BatchStatus) {
        return _outcomes[batchId].status;
    }

    /// @inheritdoc ITransferRegistry
    function rejectionsHashOf(BatchId batchId) external view returns (bytes31) {
        return _outcomes[batchId].rejectionsHash;
    }

    /// @inheritdoc ITransferRegistry
    function batchIdOf(PackedHeader calldata packed) public view returns (BatchId) {
        return _batchIdOf(packed.unpack());
    }

    /// @dev Everything that can speak against opening a batch, but for the money; what it uses up is drawn.
    function _draw(
        BatchHeader memory header,
        Authorization calldata send,
        Authorization calldata quote
    ) private returns (BatchId batchId) {
        bytes32 quoteHash = header.quote.hashStruct();
        batchId = BatchId.wrap(_hashTypedDataV4(BatchHashing.hashBatch(header, quoteHash)));
        _requireStatus(batchId, BatchStatus.None);
        if (header.count == 0 || header.sourceTotal < header.count || header.targetTotal < header.count) {
            revert TransferRegistry_EmptyBatch(header.count, header.sourceTotal, header.targetTotal);
        }
        uint48 hold = _requireHoldable(header);
        _drawOnCorridor(header);
        registry.checkAuthority(header.source, WALLET, send.key, SEND, header.target);
        _requireSignature(header.source, send, BatchId.unwrap(batchId));
        if (header.sourceCurrency != header.targetCurrency) _drawOnQuote(header, quote, hold);
        else _requireNoQuote(header, quoteHash);
    }

    function _drawOnCorridor(BatchHeader memory header) private {
        uint128 fee = corridors.draw(
            toCorridorId(header.source, header.sourceCurrency, header.target, header.targetCurrency),
            header.sourceTotal
        );
        if (header.fee != fee) revert TransferRegistry_FeeMismatch(header.fee, fee);
    }

    function _drawOnQuote(BatchHeader memory header, Authorization calldata by, uint48 hold) private {
        Sale memory sale = Sale(
            header.source,
            header.sourceCurrency,
            header.targetCurrency,
            header.sourceTotal,
            header.targetTotal,
            hold
        );
        quotes.draw(header.quote, sale, by);
    }

    function _requireHoldable(BatchHeader memory header) private returns (uint48 hold) {
        uint48 now_ = beat();
        if (now_ >= header.expiresAt) revert TransferRegistry_Expired(now_, header.expiresAt);
        hold = header.expiresAt - now_;
        if (hold > MAX_HOLD) revert TransferRegistry_HoldTooLong(hold, MAX_HOLD);
    }

    function _hold(BatchHeader memory header) private {
        bool exchanges = header.sourceCurrency != header.targetCurrency;
        Hold[] memory holds = new Hold[](exchanges ? 2 : 1);
        holds[0] = toHold(header.source, header.sourceCurrency, _held(header));
        if (exchanges) holds[1] = toHold(header.quote.provider, header.targetCurrency, header.targetTotal);
        treasury.hold(holds);
    }

    /// @dev Gives away what was settled and back what was not, in one call: all that the batch holds.
    function _release(BatchHeader memory header, uint128 settledSource, uint128 settledTarget, uint128 fee) private {
        PartnerId provider = header.quote.provider;
        bool exchanges = provider != NO_PARTNER;
        Release[] memory releases = new Release[](5);
        uint256 count = 0;
        if (settledSource > 0) {
            PartnerId buyer = exchanges ? provider : header.target;
            releases[0] = toRelease(header.source, buyer, header.sourceCurrency, settledSource);
            count = 1;
            if (exchanges) {
                releases[1] = toRelease(provider, header.target, header.targetCurrency, settledTarget);
                count = 2;
            }
            if (fee > 0) {
                releases[count] = toRelease(header.source, HUB, header.sourceCurrency, fee);
                ++count;
            }
        }
        uint128 left = _held(header) - settledSource - fee;
        if (left > 0) {
            releases[count] = toRelease(header.source, header.source, header.sourceCurrency, left);
            ++count;
        }
        left = exchanges ? header.targetTotal - settledTarget : 0;
        if (left > 0) {
            releases[count] = toRelease(provider, provider, header.targetCurrency, left);
            ++count;
        }
        // The array's length becomes the number of its entries.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(releases, count)
        }
        treasury.release(releases);
    }

    function _requireAcceptance(BatchId batchId, PartnerId target, AcceptedBatch calldata batch) private view {
        if (block.timestamp > batch.acceptedUntil) {
            revert TransferRegistry_AcceptanceExpired(block.timestamp, batch.acceptedUntil);
        }
        registry.checkCommitted(target, batch.byTarget.key, ACCEPT);
        bytes32 acceptance = BatchHashing.hashAcceptance(batchId, batch.acceptedUntil);
        _requireSignature(target, batch.byTarget, _hashTypedDataV4(acceptance));
    }

    function _requireStatus(BatchId batchId, BatchStatus needed) private view {
        BatchStatus current = _outcomes[batchId].status;
        if (current != needed) revert TransferRegistry_IllegalStatus(batchId, current, needed);
    }

    function _batchIdOf(BatchHeader memory header) private view returns (BatchId) {
        return BatchId.wrap(_hashTypedDataV4(BatchHashing.hashBatch(header, header.quote.hashStruct())));
    }

    function _requireNoQuote(BatchHeader memory header, bytes32 quoteHash) private pure {
        Settlements.requireRate(header, header.sourceTotal, header.targetTotal);
        if (quoteHash != NO_QUOTE_HASH) revert TransferRegistry_QuoteNotNeeded(header.quote.provider);
    }

    /// @dev Both were bounded when the batch was opened: the corridor's limits are far below their type.
    function _held(BatchHeader memory header) private pure returns (uint128) {
        return header.sourceTotal + header.fee;
    }
}
