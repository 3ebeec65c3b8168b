// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {CorridorTerms, ICorridorBook} from "../../../contracts/core/interfaces/ICorridorBook.sol";
import {IPartnerRegistry, PartnerStatus} from "../../../contracts/core/interfaces/IPartnerRegistry.sol";
import {IForModules} from "../../../contracts/core/interfaces/IForModules.sol";
import {IModule} from "../../../contracts/core/interfaces/IModule.sol";
import {IQuoteBook, Sale} from "../../../contracts/core/interfaces/IQuoteBook.sol";
import {ITransferRegistry} from "../../../contracts/remittance/ITransferRegistry.sol";
import {ITreasury, ModuleStatus} from "../../../contracts/core/interfaces/ITreasury.sol";
import {BatchHeader, BatchStatus} from "../../../contracts/remittance/Batch.sol";
import {Quote} from "../../../contracts/types/Quote.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {CorridorId} from "../../../contracts/types/CorridorId.sol";
import {ACCEPT, QUOTE, SEND} from "../../../contracts/types/KeyPurpose.sol";
import {NO_PARTNER, PartnerId} from "../../../contracts/types/PartnerId.sol";
import {QuoteId} from "../../../contracts/types/QuoteId.sol";
import {pack} from "../../contracts/helpers/PackedHeaders.sol";
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
        bytes4 failure = _expectDraws(header, send, quote);
        return failure == 0 ? _expectHolds(header) : failure;
    }

    function _expectOpenAndSettle(
        BatchHeader memory header,
        Signer memory send,
        Signer memory quote,
        Signer memory accept,
        uint48 acceptedUntil
    ) internal view returns (bytes4) {
        bytes4 failure = _expectDraws(header, send, quote);
        if (failure != 0) return failure;
        if (wallTime > acceptedUntil) return ITransferRegistry.TransferRegistry_AcceptanceExpired.selector;
        if (!_mayAct(header.target, accept.claimed, ACCEPT)) {
            return IPartnerRegistry.PartnerRegistry_KeyNotAuthorized.selector;
        }
        return accept.genuine ? _expectHolds(header) : IModule.Module_InvalidSignature.selector;
    }

    /// Everything that can speak against a batch but for the money.
    function _expectDraws(
        BatchHeader memory header,
        Signer memory send,
        Signer memory quote
    ) private view returns (bytes4) {
        if (paused) return Pausable.EnforcedPause.selector;
        if (entries[registry.batchIdOf(pack(header))].status != BatchStatus.None) {
            return ITransferRegistry.TransferRegistry_IllegalStatus.selector;
        }
        if (header.count == 0 || header.sourceTotal < header.count || header.targetTotal < header.count) {
            return ITransferRegistry.TransferRegistry_EmptyBatch.selector;
        }
        uint48 time = expectedTime();
        if (time >= header.expiresAt) return ITransferRegistry.TransferRegistry_Expired.selector;
        if (header.expiresAt - time > 1 days) return ITransferRegistry.TransferRegistry_HoldTooLong.selector;
        CorridorId corridor = _corridorOf(header);
        bytes4 failure = _expectCorridorDraw(moduleStatus, corridor, header.sourceTotal);
        if (failure != 0) return failure;
        if (header.fee != _feeOf(header.sourceTotal, terms[corridor].feeBps)) {
            return ITransferRegistry.TransferRegistry_FeeMismatch.selector;
        }
        failure = _expectSender(header, send);
        return failure == 0 ? _expectPrice(header, quote, header.expiresAt - time) : failure;
    }

    /// What drawing on a corridor comes to, whichever module draws.
    function _expectCorridorDraw(
        ModuleStatus drawer,
        CorridorId corridor,
        uint256 sourceTotal
    ) internal view returns (bytes4) {
        if (drawer != ModuleStatus.Active) return IForModules.ForModules_NotActive.selector;
        CorridorTerms memory standing = terms[corridor];
        if (!standing.open) return ICorridorBook.CorridorBook_Closed.selector;
        if (sourceTotal > standing.maxPerBatch) return ICorridorBook.CorridorBook_BatchLimitExceeded.selector;
        bool fits = drawnOnDay[corridor][wallTime / 1 days] + sourceTotal <= standing.maxPerDay;
        return fits ? bytes4(0) : ICorridorBook.CorridorBook_DayLimitExceeded.selector;
    }

    /// What drawing on a quote comes to, whichever module draws.
    function _expectQuoteDraw(
        ModuleStatus drawer,
        Quote memory quote,
        Sale memory sale,
        Signer memory signer
    ) internal view returns (bytes4) {
        if (drawer != ModuleStatus.Active) return IForModules.ForModules_NotActive.selector;
        bool fits =
            quote.provider != NO_PARTNER &&
                (quote.taker == NO_PARTNER || quote.taker == sale.taker) &&
                quote.sourceCurrency == sale.sourceCurrency &&
                quote.targetCurrency == sale.targetCurrency &&
                quote.rateDenominator > 0;
        if (!fits) return IQuoteBook.QuoteBook_Mismatch.selector;
        if (uint256(sale.targetAmount) * quote.rateDenominator > uint256(sale.sourceAmount) * quote.rateNumerator) {
            return IQuoteBook.QuoteBook_RateExceeded.selector;
        }
        if (wallTime > quote.validUntil) return IQuoteBook.QuoteBook_Expired.selector;
        if (sale.hold > quote.maxHold) return IQuoteBook.QuoteBook_HoldTooLong.selector;
        QuoteId quoteId = quoteBook.quoteIdOf(quote);
        if (cancelled[quoteId] || drawn[quoteId] + sale.targetAmount > quote.capacity) {
            return IQuoteBook.QuoteBook_UsedUp.selector;
        }
        return _expectProvider(quote.provider, signer);
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
            return IModule.Module_InvalidSignature.selector;
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

    function _expectSender(BatchHeader memory header, Signer memory send) private view returns (bytes4) {
        if (statuses[header.source] != PartnerStatus.Active || statuses[header.target] != PartnerStatus.Active) {
            return IPartnerRegistry.PartnerRegistry_PartnerNotActive.selector;
        }
        if (!_mayAct(header.source, send.claimed, SEND)) {
            return IPartnerRegistry.PartnerRegistry_KeyNotAuthorized.selector;
        }
        return send.genuine ? bytes4(0) : IModule.Module_InvalidSignature.selector;
    }

    /// The quote where currencies are exchanged; in one currency, that there is none.
    function _expectPrice(BatchHeader memory header, Signer memory signer, uint48 hold) private view returns (bytes4) {
        if (header.sourceCurrency != header.targetCurrency) {
            Sale memory sale = Sale(
                header.source,
                header.sourceCurrency,
                header.targetCurrency,
                header.sourceTotal,
                header.targetTotal,
                hold
            );
            return _expectQuoteDraw(moduleStatus, header.quote, sale, signer);
        }
        if (header.sourceTotal != header.targetTotal) return ITransferRegistry.TransferRegistry_RateExceeded.selector;
        Quote memory none;
        bool isNone = keccak256(abi.encode(header.quote)) == keccak256(abi.encode(none));
        return isNone ? bytes4(0) : ITransferRegistry.TransferRegistry_QuoteNotNeeded.selector;
    }

    function _expectProvider(PartnerId provider, Signer memory signer) private view returns (bytes4) {
        if (statuses[provider] == PartnerStatus.None) return IPartnerRegistry.PartnerRegistry_UnknownPartner.selector;
        if (statuses[provider] != PartnerStatus.Active) {
            return IPartnerRegistry.PartnerRegistry_PartnerNotActive.selector;
        }
        if (provider != PROVIDER && provider != BOTH) return IPartnerRegistry.PartnerRegistry_RoleMissing.selector;
        if (!_mayAct(provider, signer.claimed, QUOTE)) {
            return IPartnerRegistry.PartnerRegistry_KeyNotAuthorized.selector;
        }
        return signer.genuine ? bytes4(0) : IQuoteBook.QuoteBook_InvalidSignature.selector;
    }

    function _expectHolds(BatchHeader memory header) private view returns (bytes4) {
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
