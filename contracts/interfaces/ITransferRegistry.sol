// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Authorization,
    BatchHeader,
    BatchStatus,
    MultiProof,
    Quote,
    RejectedLeaf,
    Rejection,
    Transfer
} from "../types/Batch.sol";
import {BatchId} from "../types/BatchId.sol";
import {CorridorId} from "../types/CorridorId.sol";
import {PartnerId} from "../types/PartnerId.sol";
import {QuoteId} from "../types/QuoteId.sol";

/// @title The escrowed life cycle of batches
/// @notice A batch is 1…N transfers of one corridor, committed by a Merkle root under the source partner's signature.
/// Opening it holds the source partner's money and, where currencies differ, the liquidity provider's. Settling it
/// exchanges both in one step and refunds what the target partner rejects. Past its expiry anyone gives it all back.
///
/// Whoever submits is a courier without authority: every permission is an EIP-712 signature (domain `Feiqian`, version
/// `1`) by a key that the partner registry knows. All amounts are ISO 4217 minor units.
interface ITransferRegistry {
    /// @notice A batch is open and its money held.
    event Opened(BatchId indexed batchId, PartnerId indexed source, PartnerId indexed target, BatchHeader header);
    /// @notice A batch has settled.
    /// @param settledSource source total less rejections
    /// @param settledTarget target total less rejections
    /// @param fee network fee that was charged
    /// @param rejected the refused transfers, in the order of their leaves
    event Settled(
        BatchId indexed batchId,
        PartnerId indexed source,
        PartnerId indexed target,
        uint128 settledSource,
        uint128 settledTarget,
        uint128 fee,
        RejectedLeaf[] rejected
    );
    /// @notice The target partner refused every transfer of a batch. All of it is refunded.
    event Rejected(
        BatchId indexed batchId,
        PartnerId indexed source,
        PartnerId indexed target,
        RejectedLeaf[] rejected
    );
    /// @notice A batch was not settled in time. All of it is refunded.
    event Expired(BatchId indexed batchId, PartnerId indexed source, PartnerId indexed target);
    /// @notice A provider withdrew a quote. Batches that drew on it before stay open.
    event QuoteCancelled(QuoteId indexed quoteId, PartnerId indexed provider);

    /// @notice The batch is not in the status that this needs. For a courier that was overtaken, `current` tells that
    /// the work is done.
    error TransferRegistry_IllegalStatus(BatchId batchId, BatchStatus current, BatchStatus needed);
    /// @notice The count is zero, or an amount is too small for each transfer to carry at least one minor unit.
    error TransferRegistry_EmptyBatch(uint32 count, uint128 sourceTotal, uint128 targetTotal);
    /// @notice The batch can no longer be opened or settled (ISO 20022: AB03).
    error TransferRegistry_Expired(uint48 now_, uint48 expiresAt);
    /// @notice The batch can still be settled.
    error TransferRegistry_NotExpired(uint48 now_, uint48 expiresAt);
    /// @notice The batch would hold money for longer than the quote, or this ledger, allows.
    error TransferRegistry_HoldTooLong(uint48 hold, uint48 longest);
    /// @notice The source total is above the corridor's limit for a batch (AM02).
    error TransferRegistry_BatchLimitExceeded(CorridorId corridor, uint128 sourceTotal, uint128 limit);
    /// @notice The source total would take the corridor above its limit for the day (AM02).
    error TransferRegistry_DayLimitExceeded(CorridorId corridor, uint128 opened, uint128 sourceTotal, uint128 limit);
    /// @notice The fee is not what the corridor asks: the header was made under other terms.
    error TransferRegistry_FeeMismatch(uint128 given, uint128 expected);
    /// @notice What was opened on this day is no longer kept: batches were opened in the corridor on a later one.
    error TransferRegistry_DayNotKept(CorridorId corridor, uint48 day, uint48 kept);
    /// @notice `open` was paused again since: the call was made for another pause.
    error TransferRegistry_PauseEpochMismatch(uint32 given, uint32 current);
    /// @notice The quote is for other currencies or another source partner, has no rate, is missing, or is there where
    /// none belongs.
    /// @param field the one that does not fit
    /// @param given its value in the quote
    /// @param expected the batch's; zero where the quote only may not be zero, or may not be there
    error TransferRegistry_QuoteMismatch(string field, uint256 given, uint256 expected);
    /// @notice The quote is no longer valid.
    error TransferRegistry_QuoteExpired(uint256 now_, uint48 validUntil);
    /// @notice The target total would take the quote above its capacity.
    error TransferRegistry_QuoteUsedUp(QuoteId quoteId, uint128 drawn, uint128 targetTotal, uint128 capacity);
    /// @notice The provider would give more than its rate: of what would be exchanged, the target amount is above the
    /// floor of the source amount at the rate.
    error TransferRegistry_RateExceeded(uint128 sourceAmount, uint128 targetAmount);
    /// @notice The signature is not the key's.
    error TransferRegistry_InvalidSignature(PartnerId partner, address key, bytes32 digest);
    /// @notice A rejection carries no reason.
    error TransferRegistry_ReasonMissing(uint256 index);
    /// @notice Rejections must be in strictly ascending order of their leaves.
    error TransferRegistry_RejectionsOutOfOrder(uint256 index, bytes32 previous, bytes32 leaf);
    /// @notice The proof does not show the transfers to be in the batch.
    error TransferRegistry_InvalidProof(BatchId batchId);
    /// @notice More is rejected than the batch holds, or nothing is left for transfers that are not rejected, or
    /// something is although all are: the tree does not add up to the header.
    error TransferRegistry_TotalsMismatch(uint256 rejected, uint128 sourceLeft, uint128 targetLeft);
    /// @notice The list is not the one that the batch was settled with.
    error TransferRegistry_WrongRejections(BatchId batchId, bytes31 expected, bytes31 given);

    /// @notice Opens a batch and holds its money. Anyone submits; the source partner's SEND key signs the header, and
    /// the provider's QUOTE key the quote in it.
    /// @param send the source partner's signature over `header` (EIP-712 `Batch`)
    /// @param quote the provider's signature over `header.quote` (EIP-712 `Quote`); ignored in a same-currency batch
    /// @return batchId the EIP-712 digest of the header
    function open(
        BatchHeader calldata header,
        Authorization calldata send,
        Authorization calldata quote
    ) external returns (BatchId batchId);

    /// @notice Settles an open batch before its expiry. Anyone submits; the target partner's ACCEPT key signs.
    /// @param rejections the transfers that are refunded instead, in strictly ascending order of their leaves
    /// @param proof that they are in the batch; empty without rejections
    /// @param accept the target partner's signature over batch id and rejections hash (EIP-712 `Settlement`)
    function settle(
        BatchHeader calldata header,
        Rejection[] calldata rejections,
        MultiProof calldata proof,
        Authorization calldata accept
    ) external;

    /// @notice Refunds an open batch past its expiry. Anyone, without a signature, whatever the participants' status.
    function expire(BatchHeader calldata header) external;

    /// @notice Withdraws a quote. The provider's QUOTE keys only, as callers.
    function cancelQuote(Quote calldata quote) external;

    /// @notice Stops `open`, and nothing else. Guardian only.
    function pause() external;

    /// @notice Lets batches be opened again. Governance only (role SUPERVISOR).
    /// @param epoch the one that the pause made, see `pauseEpoch`
    function unpause(uint32 epoch) external;

    /// @notice What became of one transfer. Reverts unless the transfer is proved to be in the batch.
    /// @param proof of the transfer's leaf against `header.root`
    /// @param rejected what `Settled` or `Rejected` published for this batch; empty for any other status
    /// @return status the batch's; `Rejected` where this transfer was rejected in a batch that settled
    /// @return reason ISO 20022 reason code of a rejection, else zero
    function verify(
        BatchHeader calldata header,
        Transfer calldata transfer,
        bytes32[] calldata proof,
        RejectedLeaf[] calldata rejected
    ) external view returns (BatchStatus status, bytes4 reason);

    /// @notice Id of a batch: the EIP-712 digest of its header.
    function batchIdOf(BatchHeader calldata header) external view returns (BatchId);

    /// @notice Id of a quote: its EIP-712 digest.
    function quoteIdOf(Quote calldata quote) external view returns (QuoteId);

    /// @notice Where a batch is in its life cycle.
    function statusOf(BatchId batchId) external view returns (BatchStatus);

    /// @notice First 31 bytes of the hash of a batch's rejections; zero where there are none.
    function rejectionsHashOf(BatchId batchId) external view returns (bytes31);

    /// @notice How much of a quote is used, in target minor units. Rejected and expired batches give nothing back; a
    /// cancelled quote is used up.
    function drawnOf(QuoteId quoteId) external view returns (uint128);

    /// @notice How often `open` was paused.
    function pauseEpoch() external view returns (uint32);

    /// @notice Sum of source totals opened in a corridor during a UTC day. Nothing that follows lowers it. Reverts for
    /// a day before the latest on which anything was opened: of those nothing is kept.
    /// @param day days since 1 January 1970
    function openedOn(CorridorId corridor, uint48 day) external view returns (uint128);
}
