// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization} from "../types/Authorization.sol";
import {PartnerId} from "../types/PartnerId.sol";
import {AcceptedBatch, BatchStatus, MultiProof, RejectedLeaf, Rejection, Transfer} from "./Batch.sol";
import {BatchId} from "./BatchId.sol";
import {PackedHeader} from "./PackedHeader.sol";

/// @title The escrowed life cycle of batches
/// @notice A batch is 1…N transfers of one corridor, committed by a Merkle root under the source partner's signature.
/// Opening it holds the source partner's money and, where currencies differ, the liquidity provider's. Settling it
/// exchanges both in one step and refunds what the target partner rejects. Past its expiry anyone gives it all back.
/// Where the target partner has accepted every transfer beforehand, one call opens and settles.
///
/// A module: see {IModule} for who signs and who submits. All amounts are ISO 4217 minor units.
interface ITransferRegistry {
    /// @notice A batch is open and its money held.
    event Opened(BatchId indexed batchId, PartnerId indexed source, PartnerId indexed target, PackedHeader header);
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

    /// @notice The batch is not in the status that this needs. For a courier that was overtaken, `current` tells that
    /// the work is done.
    error TransferRegistry_IllegalStatus(BatchId batchId, BatchStatus current, BatchStatus needed);
    /// @notice The count is zero, or an amount is too small for each transfer to carry at least one minor unit.
    error TransferRegistry_EmptyBatch(uint32 count, uint128 sourceTotal, uint128 targetTotal);
    /// @notice The batch can no longer be opened or settled (ISO 20022: AB03).
    error TransferRegistry_Expired(uint48 now_, uint48 expiresAt);
    /// @notice The batch can still be settled.
    error TransferRegistry_NotExpired(uint48 now_, uint48 expiresAt);
    /// @notice The batch would hold money for longer than this ledger allows.
    error TransferRegistry_HoldTooLong(uint48 hold, uint48 longest);
    /// @notice The fee is not what the corridor asks: the header was made under other terms.
    error TransferRegistry_FeeMismatch(uint128 given, uint128 expected);
    /// @notice A batch of one currency carries a quote, of which a field is not zero.
    error TransferRegistry_QuoteNotNeeded(PartnerId provider);
    /// @notice The provider would give more than its rate: of what is left to exchange, the target amount is above the
    /// floor of the source amount at the rate. In one currency both must be the same.
    error TransferRegistry_RateExceeded(uint128 sourceAmount, uint128 targetAmount);
    /// @notice The target partner's acceptance no longer counts. The batch can still be opened, and settled later.
    error TransferRegistry_AcceptanceExpired(uint256 now_, uint48 acceptedUntil);
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
    /// @param quote the provider's signature over `header.quote` (EIP-712 `Quote`, see {IQuoteBook}); ignored in a
    /// same-currency batch
    /// @return batchId the EIP-712 digest of the header
    function open(
        PackedHeader calldata header,
        Authorization calldata send,
        Authorization calldata quote
    ) external returns (BatchId batchId);

    /// @notice Opens a batch and settles all of it in the same step: whatever `open` refuses, this does. Anyone
    /// submits; the source partner and the provider sign as for `open`, and the target partner's ACCEPT key signs the
    /// acceptance. Emits `Opened` and `Settled`.
    /// @return batchId the EIP-712 digest of the header
    function openAndSettle(AcceptedBatch calldata batch) external returns (BatchId batchId);

    /// @notice Settles an open batch before its expiry. Anyone submits; the target partner's ACCEPT key signs.
    /// @param rejections the transfers that are refunded instead, in strictly ascending order of their leaves
    /// @param proof that they are in the batch; empty without rejections
    /// @param accept the target partner's signature over batch id and rejections hash (EIP-712 `Settlement`)
    function settle(
        PackedHeader calldata header,
        Rejection[] calldata rejections,
        MultiProof calldata proof,
        Authorization calldata accept
    ) external;

    /// @notice Refunds an open batch past its expiry. Anyone, without a signature, whatever the participants' status.
    function expire(PackedHeader calldata header) external;

    /// @notice What became of one transfer. Reverts unless the transfer is proved to be in the batch.
    /// @param proof of the transfer's leaf against `header.root`
    /// @param rejected what `Settled` or `Rejected` published for this batch; empty for any other status
    /// @return status the batch's; `Rejected` where this transfer was rejected in a batch that settled
    /// @return reason ISO 20022 reason code of a rejection, else zero
    function verify(
        PackedHeader calldata header,
        Transfer calldata transfer,
        bytes32[] calldata proof,
        RejectedLeaf[] calldata rejected
    ) external view returns (BatchStatus status, bytes4 reason);

    /// @notice Id of a batch: the EIP-712 digest of its header.
    function batchIdOf(PackedHeader calldata header) external view returns (BatchId);

    /// @notice Where a batch is in its life cycle.
    function statusOf(BatchId batchId) external view returns (BatchStatus);

    /// @notice First 31 bytes of the hash of a batch's rejections; zero where there are none.
    function rejectionsHashOf(BatchId batchId) external view returns (bytes31);
}
