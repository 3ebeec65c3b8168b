// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {CorridorTerms, IPartnerRegistry} from "./interfaces/IPartnerRegistry.sol";
import {ITransferRegistry} from "./interfaces/ITransferRegistry.sol";
import {ITreasury} from "./interfaces/ITreasury.sol";
import {LedgerClock} from "./LedgerClock.sol";
import {BatchHashing} from "./libraries/BatchHashing.sol";
import {Settlement, Settlements} from "./libraries/Settlements.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {
    Authorization,
    BatchHeader,
    BatchStatus,
    MultiProof,
    Quote,
    RejectedLeaf,
    Rejection,
    Transfer
} from "./types/Batch.sol";
import {BatchId} from "./types/BatchId.sol";
import {CorridorId, toCorridorId} from "./types/CorridorId.sol";
import {CurrencyCode} from "./types/CurrencyCode.sol";
import {QUOTE} from "./types/KeyPurpose.sol";
import {HUB, NO_PARTNER, PartnerId} from "./types/PartnerId.sol";
import {QuoteId} from "./types/QuoteId.sol";

/// @title TransferRegistry
/// @notice See {ITransferRegistry}. A courier may pass several calls in one transaction, all or nothing (`multicall`).
contract TransferRegistry is ITransferRegistry, EIP712, Pausable, LedgerClock, AccessManaged, Multicall {
    /// One slot a batch. The header is not stored: who acts on a batch brings it, and its hash is the key.
    struct Outcome {
        BatchStatus status;
        bytes31 rejectionsHash;
    }

    /// One slot a corridor.
    struct OpenedVolume {
        uint48 day;
        uint128 sourceTotal;
    }

    /// @notice Longest time a batch may hold money, in seconds of ledger time.
    uint32 public constant MAX_HOLD = 1 days;

    /// @notice Where partners, their keys and corridors are kept.
    IPartnerRegistry public immutable registry;
    /// @notice Where the money is.
    ITreasury public immutable treasury;

    mapping(BatchId batchId => Outcome) private _outcomes;
    mapping(QuoteId quoteId => uint128) private _drawn;
    mapping(CorridorId => OpenedVolume) private _opened;

    /// @inheritdoc ITransferRegistry
    uint32 public pauseEpoch;

    /// @param authority the AccessManager that governs the ledger
    /// @param registry_ where partners, their keys and corridors are kept
    /// @param treasury_ where the money is; governance authorises this contract there as a module
    /// @param beatInterval_ see `beatInterval`, in seconds
    /// @param grace_ see `grace`, in seconds
    constructor(
        address authority,
        IPartnerRegistry registry_,
        ITreasury treasury_,
        uint32 beatInterval_,
        uint32 grace_
    ) EIP712("Feiqian", "1") LedgerClock(beatInterval_, grace_) AccessManaged(authority) {
        registry = registry_;
        treasury = treasury_;
    }

    /// @inheritdoc ITransferRegistry
    function open(
        BatchHeader calldata header,
        Authorization calldata send,
        Authorization calldata quote
    ) external whenNotPaused returns (BatchId batchId) {
        // Check
        bytes32 quoteHash = BatchHashing.hashQuote(header.quote);
        batchId = BatchId.wrap(_hashTypedDataV4(BatchHashing.hashBatch(header, quoteHash)));
        _requireStatus(batchId, BatchStatus.None);
        if (header.count == 0 || header.sourceTotal < header.count || header.targetTotal < header.count) {
            revert TransferRegistry_EmptyBatch(header.count, header.sourceTotal, header.targetTotal);
        }
        uint48 hold = _requireHoldable(header);
        CorridorId corridor = toCorridorId(header.source, header.sourceCurrency, header.target, header.targetCurrency);
        CorridorTerms memory terms = registry.checkOpen(corridor, header.quote.provider, send.key, quote.key);
        _requireTerms(header, corridor, terms);
        uint128 opened = _requireDayLimit(corridor, header.sourceTotal, terms.maxPerDay);
        Settlements.requireRate(header, header.sourceTotal, header.targetTotal);
        _requireSignature(header.source, send, BatchId.unwrap(batchId));
        bool exchanges = header.sourceCurrency != header.targetCurrency;
        QuoteId quoteId = QuoteId.wrap(_hashTypedDataV4(quoteHash));
        uint128 drawn;
        if (exchanges) {
            drawn = _requireQuote(header, quoteId, hold);
            _requireSignature(header.quote.provider, quote, QuoteId.unwrap(quoteId));
        } else if (quoteHash != BatchHashing.NO_QUOTE_HASH) {
            revert TransferRegistry_QuoteMismatch("provider", PartnerId.unwrap(header.quote.provider), 0);
        }

        // Effect
        _outcomes[batchId].status = BatchStatus.Open;
        _opened[corridor] = OpenedVolume(_today(), opened + header.sourceTotal);
        if (exchanges) _drawn[quoteId] = drawn + header.targetTotal;
        emit Opened(batchId, header.source, header.target, header);

        // Interaction
        treasury.hold(header.source, header.sourceCurrency, _toHold(header));
        if (exchanges) treasury.hold(header.quote.provider, header.targetCurrency, header.targetTotal);
    }

    /// @inheritdoc ITransferRegistry
    function settle(
        BatchHeader calldata header,
        Rejection[] calldata rejections,
        MultiProof calldata proof,
        Authorization calldata accept
    ) external {
        // Check
        BatchId batchId = batchIdOf(header);
        _requireStatus(batchId, BatchStatus.Open);
        uint48 now_ = beat();
        if (now_ >= header.expiresAt) revert TransferRegistry_Expired(now_, header.expiresAt);
        registry.checkSettle(header.target, accept.key);
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
        if (settled) _exchange(header, s);
        _refund(header, _toHold(header) - s.settledSource - s.fee, header.targetTotal - s.settledTarget);
    }

    /// @inheritdoc ITransferRegistry
    function expire(BatchHeader calldata header) external {
        // Check
        BatchId batchId = batchIdOf(header);
        _requireStatus(batchId, BatchStatus.Open);
        uint48 now_ = beat();
        if (now_ < header.expiresAt) revert TransferRegistry_NotExpired(now_, header.expiresAt);

        // Effect
        _outcomes[batchId].status = BatchStatus.Expired;
        emit Expired(batchId, header.source, header.target);

        // Interaction
        _refund(header, _toHold(header), header.targetTotal);
    }

    /// @inheritdoc ITransferRegistry
    function cancelQuote(Quote calldata quote) external {
        registry.checkKey(quote.provider, msg.sender, QUOTE);
        QuoteId quoteId = quoteIdOf(quote);
        _drawn[quoteId] = type(uint128).max;
        emit QuoteCancelled(quoteId, quote.provider);
    }

    /// @inheritdoc ITransferRegistry
    function pause() external restricted {
        _pause();
        ++pauseEpoch;
    }

    /// @inheritdoc ITransferRegistry
    function unpause(uint32 epoch) external restricted {
        _requirePaused();
        if (epoch != pauseEpoch) revert TransferRegistry_PauseEpochMismatch(epoch, pauseEpoch);
        _unpause();
    }

    /// @inheritdoc ITransferRegistry
    function verify(
        BatchHeader calldata header,
        Transfer calldata transfer,
        bytes32[] calldata proof,
        RejectedLeaf[] calldata rejected
    ) external view returns (BatchStatus status, bytes4 reason) {
        BatchId batchId = batchIdOf(header);
        bytes32 leaf = BatchHashing.leafOf(transfer);
        if (!MerkleProof.verifyCalldata(proof, header.root, leaf)) revert TransferRegistry_InvalidProof(batchId);
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
    function drawnOf(QuoteId quoteId) external view returns (uint128) {
        return _drawn[quoteId];
    }

    /// @inheritdoc ITransferRegistry
    function openedOn(CorridorId corridor, uint48 day) external view returns (uint128) {
        OpenedVolume memory volume = _opened[corridor];
        if (day < volume.day) revert TransferRegistry_DayNotKept(corridor, day, volume.day);
        return volume.day == day ? volume.sourceTotal : 0;
    }

    /// @inheritdoc ITransferRegistry
    function batchIdOf(BatchHeader calldata header) public view returns (BatchId) {
        bytes32 structHash = BatchHashing.hashBatch(header, BatchHashing.hashQuote(header.quote));
        return BatchId.wrap(_hashTypedDataV4(structHash));
    }

    /// @inheritdoc ITransferRegistry
    function quoteIdOf(Quote calldata quote) public view returns (QuoteId) {
        return QuoteId.wrap(_hashTypedDataV4(BatchHashing.hashQuote(quote)));
    }

    function _exchange(BatchHeader calldata header, Settlement memory s) private {
        PartnerId provider = header.quote.provider;
        if (provider == NO_PARTNER) {
            treasury.transferHeld(header.source, header.target, header.sourceCurrency, s.settledSource);
        } else {
            treasury.transferHeld(header.source, provider, header.sourceCurrency, s.settledSource);
            treasury.transferHeld(provider, header.target, header.targetCurrency, s.settledTarget);
        }
        if (s.fee > 0) treasury.transferHeld(header.source, HUB, header.sourceCurrency, s.fee);
    }

    function _refund(BatchHeader calldata header, uint128 sourceAmount, uint128 targetAmount) private {
        if (sourceAmount > 0) treasury.release(header.source, header.sourceCurrency, sourceAmount);
        if (targetAmount > 0 && header.quote.provider != NO_PARTNER) {
            treasury.release(header.quote.provider, header.targetCurrency, targetAmount);
        }
    }

    function _requireHoldable(BatchHeader calldata header) private returns (uint48 hold) {
        uint48 now_ = beat();
        if (now_ >= header.expiresAt) revert TransferRegistry_Expired(now_, header.expiresAt);
        hold = header.expiresAt - now_;
        if (hold > MAX_HOLD) revert TransferRegistry_HoldTooLong(hold, MAX_HOLD);
    }

    function _requireDayLimit(
        CorridorId corridor,
        uint128 sourceTotal,
        uint128 limit
    ) private view returns (uint128 opened) {
        OpenedVolume memory volume = _opened[corridor];
        opened = volume.day == _today() ? volume.sourceTotal : 0;
        // As a sum, since the limit may have been lowered below what is opened already.
        if (uint256(opened) + sourceTotal > limit) {
            revert TransferRegistry_DayLimitExceeded(corridor, opened, sourceTotal, limit);
        }
    }

    function _requireQuote(
        BatchHeader calldata header,
        QuoteId quoteId,
        uint48 hold
    ) private view returns (uint128 drawn) {
        Quote calldata quote = header.quote;
        _requireQuoteFits(header);
        // A price is a matter of the outside world's time, not of ledger time, which stands still in a halt.
        if (block.timestamp > quote.validUntil) {
            revert TransferRegistry_QuoteExpired(block.timestamp, quote.validUntil);
        }
        if (hold > quote.maxHold) revert TransferRegistry_HoldTooLong(hold, quote.maxHold);
        drawn = _drawn[quoteId];
        if (drawn > quote.capacity || header.targetTotal > quote.capacity - drawn) {
            revert TransferRegistry_QuoteUsedUp(quoteId, drawn, header.targetTotal, quote.capacity);
        }
    }

    function _requireStatus(BatchId batchId, BatchStatus needed) private view {
        BatchStatus current = _outcomes[batchId].status;
        if (current != needed) revert TransferRegistry_IllegalStatus(batchId, current, needed);
    }

    function _requireSignature(PartnerId partner, Authorization calldata auth, bytes32 digest) private view {
        if (!Signatures.isBy(auth.key, digest, auth.signature)) {
            revert TransferRegistry_InvalidSignature(partner, auth.key, digest);
        }
    }

    function _today() private view returns (uint48) {
        return uint48(block.timestamp / 1 days);
    }

    function _requireQuoteFits(BatchHeader calldata header) private pure {
        Quote calldata quote = header.quote;
        if (quote.provider == NO_PARTNER) revert TransferRegistry_QuoteMismatch("provider", 0, 0);
        if (quote.taker != NO_PARTNER && quote.taker != header.source) {
            revert TransferRegistry_QuoteMismatch(
                "taker",
                PartnerId.unwrap(quote.taker),
                PartnerId.unwrap(header.source)
            );
        }
        _requireCurrency("sourceCurrency", quote.sourceCurrency, header.sourceCurrency);
        _requireCurrency("targetCurrency", quote.targetCurrency, header.targetCurrency);
        if (quote.rateDenominator == 0) revert TransferRegistry_QuoteMismatch("rateDenominator", 0, 0);
    }

    function _requireCurrency(string memory field, CurrencyCode given, CurrencyCode expected) private pure {
        if (given == expected) return;
        revert TransferRegistry_QuoteMismatch(field, CurrencyCode.unwrap(given), CurrencyCode.unwrap(expected));
    }

    function _requireTerms(BatchHeader calldata header, CorridorId corridor, CorridorTerms memory terms) private pure {
        if (header.sourceTotal > terms.maxPerBatch) {
            revert TransferRegistry_BatchLimitExceeded(corridor, header.sourceTotal, terms.maxPerBatch);
        }
        // Inside uint128: maxPerBatch is a uint112 and bounds the total, and the fee is at most a tenth of it.
        uint128 fee = uint128(Math.ceilDiv(uint256(header.sourceTotal) * terms.feeBps, 10_000));
        if (header.fee != fee) revert TransferRegistry_FeeMismatch(header.fee, fee);
    }

    /// @dev Both were bounded when the batch was opened: see `_requireTerms`.
    function _toHold(BatchHeader calldata header) private pure returns (uint128) {
        return header.sourceTotal + header.fee;
    }
}
