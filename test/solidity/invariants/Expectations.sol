// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {CorridorTerms, IPartnerRegistry, PartnerStatus} from "../../../contracts/interfaces/IPartnerRegistry.sol";
import {ITransferRegistry} from "../../../contracts/interfaces/ITransferRegistry.sol";
import {ITreasury, ModuleStatus} from "../../../contracts/interfaces/ITreasury.sol";
import {BatchHeader, BatchStatus, Quote} from "../../../contracts/types/Batch.sol";
import {BatchId} from "../../../contracts/types/BatchId.sol";
import {NO_CURRENCY} from "../../../contracts/types/CurrencyCode.sol";
import {ACCEPT, QUOTE, SEND} from "../../../contracts/types/KeyPurpose.sol";
import {NO_PARTNER, PartnerId} from "../../../contracts/types/PartnerId.sol";
import {QuoteId} from "../../../contracts/types/QuoteId.sol";
import {Model} from "./Model.sol";

/// Who is said to have signed, and the private key that really did.
struct Signer {
    address claimed;
    uint256 privateKey;
    bool genuine;
}

/// Errors a settlement may be given by hand.
enum Flaw {
    None,
    NoReason,
    Repeated,
    FalseProof,
    OtherRejectionsSigned
}

/// The rules of the protocol, read from its documentation: which error each call must end in, in the order in which
/// the rules are checked. Zero is success.
abstract contract Expectations is Model {
    function _expectOpen(
        BatchHeader memory header,
        Signer memory send,
        Signer memory quote
    ) internal view returns (bytes4) {
        if (paused) return Pausable.EnforcedPause.selector;
        if (entries[registry.batchIdOf(header)].status != BatchStatus.None) {
            return ITransferRegistry.TransferRegistry_IllegalStatus.selector;
        }
        if (header.count == 0 || header.sourceTotal < header.count || header.targetTotal < header.count) {
            return ITransferRegistry.TransferRegistry_EmptyBatch.selector;
        }
        uint48 time = expectedTime();
        if (time >= header.expiresAt) return ITransferRegistry.TransferRegistry_Expired.selector;
        if (header.expiresAt - time > 1 days) return ITransferRegistry.TransferRegistry_HoldTooLong.selector;
        bytes4 failure = _expectParticipants(header, send, quote);
        if (failure == 0) failure = _expectTerms(header);
        if (failure != 0) return failure;
        if (!_holdsRate(header, header.sourceTotal, header.targetTotal)) {
            return ITransferRegistry.TransferRegistry_RateExceeded.selector;
        }
        if (!send.genuine) return ITransferRegistry.TransferRegistry_InvalidSignature.selector;
        failure = _expectQuote(header, quote, header.expiresAt - time);
        return failure == 0 ? _expectHolds(header) : failure;
    }

    /// @param rejected number of rejections
    /// @param rejectedSource sum of their source amounts
    /// @param rejectedTarget sum of their target amounts
    function _expectSettle(
        BatchId batchId,
        uint256 rejected,
        uint256 rejectedSource,
        uint256 rejectedTarget,
        Signer memory accept,
        Flaw flaw
    ) internal view returns (bytes4) {
        if (entries[batchId].status != BatchStatus.Open) {
            return ITransferRegistry.TransferRegistry_IllegalStatus.selector;
        }
        BatchHeader memory header = entries[batchId].header;
        if (expectedTime() >= header.expiresAt) return ITransferRegistry.TransferRegistry_Expired.selector;
        if (statuses[header.target] == PartnerStatus.Frozen) {
            return IPartnerRegistry.PartnerRegistry_PartnerNotActive.selector;
        }
        if (!_mayAct(header.target, accept.claimed, ACCEPT)) {
            return IPartnerRegistry.PartnerRegistry_KeyNotAuthorized.selector;
        }
        bytes4 failure = _expectRejections(header, rejected, rejectedSource, rejectedTarget, flaw);
        if (failure != 0) return failure;
        if (!accept.genuine || flaw == Flaw.OtherRejectionsSigned) {
            return ITransferRegistry.TransferRegistry_InvalidSignature.selector;
        }
        return moduleStatus == ModuleStatus.None ? ITreasury.Treasury_ModuleNotAuthorized.selector : bytes4(0);
    }

    function _expectExpire(BatchId batchId) internal view returns (bytes4) {
        if (entries[batchId].status != BatchStatus.Open) {
            return ITransferRegistry.TransferRegistry_IllegalStatus.selector;
        }
        if (expectedTime() < entries[batchId].header.expiresAt) {
            return ITransferRegistry.TransferRegistry_NotExpired.selector;
        }
        return moduleStatus == ModuleStatus.None ? ITreasury.Treasury_ModuleNotAuthorized.selector : bytes4(0);
    }

    function _expectRejections(
        BatchHeader memory header,
        uint256 rejected,
        uint256 rejectedSource,
        uint256 rejectedTarget,
        Flaw flaw
    ) private pure returns (bytes4) {
        if (flaw == Flaw.NoReason) return ITransferRegistry.TransferRegistry_ReasonMissing.selector;
        if (flaw == Flaw.Repeated) return ITransferRegistry.TransferRegistry_RejectionsOutOfOrder.selector;
        if (flaw == Flaw.FalseProof) return ITransferRegistry.TransferRegistry_InvalidProof.selector;
        if (rejected == 0) return 0;
        if (!_addsUp(header, rejected, rejectedSource, rejectedTarget)) {
            return ITransferRegistry.TransferRegistry_TotalsMismatch.selector;
        }
        bool holdsRate = _holdsRate(header, header.sourceTotal - rejectedSource, header.targetTotal - rejectedTarget);
        return holdsRate ? bytes4(0) : ITransferRegistry.TransferRegistry_RateExceeded.selector;
    }

    function _expectParticipants(
        BatchHeader memory header,
        Signer memory send,
        Signer memory quote
    ) private view returns (bytes4 failure) {
        if (!terms[_corridorOf(header)].open) return IPartnerRegistry.PartnerRegistry_CorridorClosed.selector;
        if (statuses[header.source] != PartnerStatus.Active || statuses[header.target] != PartnerStatus.Active) {
            return IPartnerRegistry.PartnerRegistry_PartnerNotActive.selector;
        }
        if (!_mayAct(header.source, send.claimed, SEND)) {
            return IPartnerRegistry.PartnerRegistry_KeyNotAuthorized.selector;
        }
        PartnerId provider = header.quote.provider;
        if (provider == NO_PARTNER) return 0;
        if (statuses[provider] == PartnerStatus.None) return IPartnerRegistry.PartnerRegistry_UnknownPartner.selector;
        if (statuses[provider] != PartnerStatus.Active) {
            return IPartnerRegistry.PartnerRegistry_PartnerNotActive.selector;
        }
        if (provider != PROVIDER && provider != BOTH) return IPartnerRegistry.PartnerRegistry_RoleMissing.selector;
        bool mayQuote = _mayAct(provider, quote.claimed, QUOTE);
        return mayQuote ? bytes4(0) : IPartnerRegistry.PartnerRegistry_KeyNotAuthorized.selector;
    }

    function _expectTerms(BatchHeader memory header) private view returns (bytes4) {
        CorridorTerms memory standing = terms[_corridorOf(header)];
        if (header.sourceTotal > standing.maxPerBatch) {
            return ITransferRegistry.TransferRegistry_BatchLimitExceeded.selector;
        }
        if (header.fee != _feeOf(header.sourceTotal, standing.feeBps)) {
            return ITransferRegistry.TransferRegistry_FeeMismatch.selector;
        }
        uint256 opened = openedOn[_corridorOf(header)][wallTime / 1 days];
        bool fits = opened + header.sourceTotal <= standing.maxPerDay;
        return fits ? bytes4(0) : ITransferRegistry.TransferRegistry_DayLimitExceeded.selector;
    }

    function _expectQuote(BatchHeader memory header, Signer memory signer, uint48 hold) private view returns (bytes4) {
        Quote memory quote = header.quote;
        if (header.sourceCurrency == header.targetCurrency) {
            Quote memory none;
            bool isNone = keccak256(abi.encode(quote)) == keccak256(abi.encode(none));
            return isNone ? bytes4(0) : ITransferRegistry.TransferRegistry_QuoteMismatch.selector;
        }
        bool fits =
            quote.provider != NO_PARTNER &&
                (quote.taker == NO_PARTNER || quote.taker == header.source) &&
                quote.sourceCurrency == header.sourceCurrency &&
                quote.targetCurrency == header.targetCurrency &&
                quote.sourceCurrency != NO_CURRENCY &&
                quote.rateDenominator > 0;
        if (!fits) return ITransferRegistry.TransferRegistry_QuoteMismatch.selector;
        if (wallTime > quote.validUntil) return ITransferRegistry.TransferRegistry_QuoteExpired.selector;
        if (hold > quote.maxHold) return ITransferRegistry.TransferRegistry_HoldTooLong.selector;
        QuoteId quoteId = registry.quoteIdOf(quote);
        if (cancelled[quoteId] || uint256(drawn[quoteId]) + header.targetTotal > quote.capacity) {
            return ITransferRegistry.TransferRegistry_QuoteUsedUp.selector;
        }
        return signer.genuine ? bytes4(0) : ITransferRegistry.TransferRegistry_InvalidSignature.selector;
    }

    function _expectHolds(BatchHeader memory header) private view returns (bytes4) {
        if (moduleStatus != ModuleStatus.Active) return ITreasury.Treasury_ModuleNotAuthorized.selector;
        uint256 available = balances[header.source][header.sourceCurrency].available;
        bool isShort = available < uint256(header.sourceTotal) + header.fee;
        if (header.quote.provider != NO_PARTNER) {
            isShort = isShort || balances[header.quote.provider][header.targetCurrency].available < header.targetTotal;
        }
        return isShort ? ITreasury.Treasury_InsufficientAvailable.selector : bytes4(0);
    }

    /// The provider never gives more than its rate; in one currency both amounts are the same.
    function _holdsRate(BatchHeader memory header, uint256 source, uint256 target) private pure returns (bool) {
        if (header.sourceCurrency == header.targetCurrency) return source == target;
        return target * header.quote.rateDenominator <= source * header.quote.rateNumerator;
    }

    /// What is left carries at least one minor unit for each transfer left, and nothing where none is.
    function _addsUp(
        BatchHeader memory header,
        uint256 rejected,
        uint256 rejectedSource,
        uint256 rejectedTarget
    ) private pure returns (bool) {
        if (rejectedSource > header.sourceTotal || rejectedTarget > header.targetTotal) return false;
        uint256 sourceLeft = header.sourceTotal - rejectedSource;
        uint256 targetLeft = header.targetTotal - rejectedTarget;
        if (rejected == header.count) return sourceLeft == 0 && targetLeft == 0;
        uint256 transfersLeft = header.count - rejected;
        return sourceLeft >= transfersLeft && targetLeft >= transfersLeft;
    }
}
