// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ICorridorBook} from "../../../contracts/core/interfaces/ICorridorBook.sol";
import {IForModules} from "../../../contracts/core/interfaces/IForModules.sol";
import {IModule} from "../../../contracts/core/interfaces/IModule.sol";
import {IQuoteBook} from "../../../contracts/core/interfaces/IQuoteBook.sol";
import {IPartnerRegistry} from "../../../contracts/core/interfaces/IPartnerRegistry.sol";
import {ISettlementToken} from "../../../contracts/core/interfaces/ISettlementToken.sol";
import {ITransferRegistry} from "../../../contracts/remittance/ITransferRegistry.sol";
import {ITreasury} from "../../../contracts/core/interfaces/ITreasury.sol";
import {BatchStatus} from "../../../contracts/remittance/Batch.sol";
import {Campaign} from "./Campaign.sol";
import {vm} from "../support/Vm.sol";

/// One long history, which must have reached everything that the other campaigns are meant to try: otherwise their
/// invariants would hold over histories in which nothing happens.
contract CoverageInvariants is Campaign {
    error Missed(string action, bytes4 outcome, uint256 reached, uint256 wanted);

    function afterInvariant() external view {
        _reachesOpen();
        _reachesOneStep();
        _reachesSettle("settle");
        _reachesSettle("settle with rejections");
        _reachesRejections();
        _reachesExpire();
        _reachesMoney();
        _reachesSecondModule();
        _reachesGovernance();
        _reached("run", 0, 100);
        _reached("halt", 0, 20);
    }

    /// hardhat-config: invariant.failOnRevert = true
    /// hardhat-config: invariant.runs = 1
    /// hardhat-config: invariant.depth = 16000
    function invariant_HistoriesReachEverything() external view {
        vm.assertLe(handler.openBatchIds().length, handler.batchIds().length, "open batches, and all");
    }

    function _reachesOpen() private view {
        _reached("open", 0, 150);
        _reached("open", Pausable.EnforcedPause.selector, 1);
        _reached("open", ITransferRegistry.TransferRegistry_IllegalStatus.selector, 1);
        _reached("open", ITransferRegistry.TransferRegistry_EmptyBatch.selector, 1);
        _reached("open", ITransferRegistry.TransferRegistry_Expired.selector, 1);
        _reached("open", ITransferRegistry.TransferRegistry_HoldTooLong.selector, 1);
        _reached("open", ICorridorBook.CorridorBook_Closed.selector, 1);
        _reached("open", IPartnerRegistry.PartnerRegistry_PartnerNotActive.selector, 1);
        _reached("open", IPartnerRegistry.PartnerRegistry_KeyNotAuthorized.selector, 1);
        _reached("open", IPartnerRegistry.PartnerRegistry_UnknownPartner.selector, 1);
        _reached("open", IPartnerRegistry.PartnerRegistry_RoleMissing.selector, 1);
        _reached("open", ICorridorBook.CorridorBook_BatchLimitExceeded.selector, 1);
        _reached("open", ICorridorBook.CorridorBook_DayLimitExceeded.selector, 1);
        _reached("open", ITransferRegistry.TransferRegistry_FeeMismatch.selector, 1);
        _reached("open", ITransferRegistry.TransferRegistry_RateExceeded.selector, 1);
        _reached("open", ITransferRegistry.TransferRegistry_QuoteNotNeeded.selector, 1);
        _reached("open", IModule.Module_InvalidSignature.selector, 1);
        _reached("open", IQuoteBook.QuoteBook_Mismatch.selector, 1);
        _reached("open", IQuoteBook.QuoteBook_RateExceeded.selector, 1);
        _reached("open", IQuoteBook.QuoteBook_Expired.selector, 1);
        _reached("open", IQuoteBook.QuoteBook_HoldTooLong.selector, 1);
        _reached("open", IQuoteBook.QuoteBook_UsedUp.selector, 1);
        _reached("open", IQuoteBook.QuoteBook_InvalidSignature.selector, 1);
        _reached("open", IForModules.ForModules_NotActive.selector, 1);
        _reached("open", ITreasury.Treasury_InsufficientAvailable.selector, 1);
    }

    function _reachesOneStep() private view {
        _reached("open and settle", 0, 50);
        _reached("open and settle", Pausable.EnforcedPause.selector, 1);
        _reached("open and settle", ITransferRegistry.TransferRegistry_IllegalStatus.selector, 1);
        _reached("open and settle", ITransferRegistry.TransferRegistry_AcceptanceExpired.selector, 1);
        _reached("open and settle", IPartnerRegistry.PartnerRegistry_PartnerNotActive.selector, 1);
        _reached("open and settle", IPartnerRegistry.PartnerRegistry_KeyNotAuthorized.selector, 1);
        _reached("open and settle", IModule.Module_InvalidSignature.selector, 1);
        _reached("open and settle", IQuoteBook.QuoteBook_UsedUp.selector, 1);
        _reached("open and settle", IForModules.ForModules_NotActive.selector, 1);
        _reached("open and settle", ITreasury.Treasury_InsufficientAvailable.selector, 1);
        vm.assertGt(handler.transitions(BatchStatus.None, BatchStatus.Settled), 50, "batches settled in one step");
    }

    function _reachesSettle(bytes32 action) private view {
        _reached(action, 0, 50);
        _reached(action, ITransferRegistry.TransferRegistry_IllegalStatus.selector, 1);
        _reached(action, ITransferRegistry.TransferRegistry_Expired.selector, 1);
        _reached(action, IPartnerRegistry.PartnerRegistry_PartnerNotActive.selector, 1);
        _reached(action, IPartnerRegistry.PartnerRegistry_KeyNotAuthorized.selector, 1);
        _reached(action, ITreasury.Treasury_ModuleNotAuthorized.selector, 1);
    }

    function _reachesRejections() private view {
        bytes32 action = "settle with rejections";
        _reached(action, ITransferRegistry.TransferRegistry_ReasonMissing.selector, 1);
        _reached(action, ITransferRegistry.TransferRegistry_RejectionsOutOfOrder.selector, 1);
        _reached(action, ITransferRegistry.TransferRegistry_InvalidProof.selector, 1);
        _reached(action, ITransferRegistry.TransferRegistry_TotalsMismatch.selector, 1);
        _reached(action, IModule.Module_InvalidSignature.selector, 1);
        _reached("settle crooked", 0, 1);
        _reached("settle crooked", ITransferRegistry.TransferRegistry_RateExceeded.selector, 1);
        vm.assertGt(handler.transitions(BatchStatus.Open, BatchStatus.Settled), 100, "settled batches");
        vm.assertGt(handler.transitions(BatchStatus.Open, BatchStatus.Rejected), 10, "rejected batches");
        vm.assertGt(handler.transitions(BatchStatus.Open, BatchStatus.Expired), 20, "expired batches");
    }

    function _reachesExpire() private view {
        _reached("expire", 0, 20);
        _reached("expire", ITransferRegistry.TransferRegistry_IllegalStatus.selector, 1);
        _reached("expire", ITransferRegistry.TransferRegistry_NotExpired.selector, 1);
    }

    function _reachesMoney() private view {
        _reached("deposit", 0, 50);
        _reached("deposit", IPartnerRegistry.PartnerRegistry_KeyNotAuthorized.selector, 1);
        _reached("deposit", ITreasury.Treasury_ZeroAmount.selector, 1);
        _reached("deposit", IERC20Errors.ERC20InsufficientBalance.selector, 1);
        _reached("withdraw", 0, 10);
        _reached("withdraw", IPartnerRegistry.PartnerRegistry_KeyNotAuthorized.selector, 1);
        _reached("withdraw", IPartnerRegistry.PartnerRegistry_PartnerNotActive.selector, 1);
        _reached("withdraw", ITreasury.Treasury_InsufficientAvailable.selector, 1);
        _reached("withdraw", ITreasury.Treasury_InvalidRecipient.selector, 1);
        _reached("exit", 0, 5);
        _reached("exit", IPartnerRegistry.PartnerRegistry_NotExitAccount.selector, 1);
        _reached("exit", IPartnerRegistry.PartnerRegistry_NoExit.selector, 1);
        _reached("exit", ITreasury.Treasury_ExitNotOpen.selector, 1);
        _reached("mint", 0, 20);
        _reached("mint", ISettlementToken.SettlementToken_AttestationStale.selector, 1);
        _reached("mint", ISettlementToken.SettlementToken_ReserveExceeded.selector, 1);
        _reached("mint", ISettlementToken.SettlementToken_DepositInstead.selector, 1);
        _reached("attest", 0, 20);
        _reached("attest", ISettlementToken.SettlementToken_AttestationOutOfOrder.selector, 1);
        _reached("redeem", 0, 20);
        _reached("donate", ISettlementToken.SettlementToken_DepositInstead.selector, 20);
    }

    function _reachesSecondModule() private view {
        _reached("take", 0, 50);
        _reached("take", ITreasury.Treasury_InsufficientAvailable.selector, 1);
        _reached("pay", 0, 20);
        _reached("give back", 0, 20);
        _reached("grab", ITreasury.Treasury_InsufficientHeld.selector, 10);
        _reached("rob", ITreasury.Treasury_InsufficientHeld.selector, 10);
        _reached("send", 0, 30);
        _reached("send", ICorridorBook.CorridorBook_Closed.selector, 1);
        _reached("send", ICorridorBook.CorridorBook_BatchLimitExceeded.selector, 1);
        _reached("send", ICorridorBook.CorridorBook_DayLimitExceeded.selector, 1);
        _reached("send", ITreasury.Treasury_InsufficientAvailable.selector, 1);
        _reached("sell", 0, 10);
        _reached("sell", IQuoteBook.QuoteBook_Mismatch.selector, 1);
        _reached("sell", IQuoteBook.QuoteBook_RateExceeded.selector, 1);
        _reached("sell", IQuoteBook.QuoteBook_Expired.selector, 1);
        _reached("sell", IQuoteBook.QuoteBook_HoldTooLong.selector, 1);
        _reached("sell", IQuoteBook.QuoteBook_UsedUp.selector, 1);
        _reached("sell", IQuoteBook.QuoteBook_InvalidSignature.selector, 1);
        _reached("sell", IPartnerRegistry.PartnerRegistry_PartnerNotActive.selector, 1);
        _reached("sell", ITreasury.Treasury_InsufficientAvailable.selector, 1);
        _reached("trespass", IForModules.ForModules_NotActive.selector, 20);
        vm.assertGt(handler.sharedDraws("corridor"), 5, "days that both modules drew on");
        vm.assertGt(handler.sharedDraws("quote"), 2, "quotes that both modules drew on");
    }

    function _reachesGovernance() private view {
        _reached("changeStatus", 0, 30);
        _reached("changeStatus", IPartnerRegistry.PartnerRegistry_IllegalStatus.selector, 1);
        _reached("authorizeKey", 0, 30);
        _reached("authorizeKey", IPartnerRegistry.PartnerRegistry_NotAdmin.selector, 1);
        _reached("revokeKey", 0, 10);
        _reached("setCorridor", 0, 20);
        _reached("setCorridor", ICorridorBook.CorridorBook_Invalid.selector, 1);
        _reached("closeCorridor", 0, 1);
        _reached("pause", 0, 1);
        _reached("unpause", 0, 1);
        _reached("restrictModule", 0, 10);
        _reached("announceModule", 0, 10);
        _reached("announceModule", ITreasury.Treasury_ModuleAlreadyAnnounced.selector, 1);
        _reached("activateModule", 0, 10);
        _reached("cancelModule", 0, 5);
        _reached("reactivate late", IPartnerRegistry.PartnerRegistry_StatusEpochMismatch.selector, 5);
        _reached("unpause late", IModule.Module_PauseEpochMismatch.selector, 1);
        _reached("setCorridor late", ICorridorBook.CorridorBook_EpochMismatch.selector, 5);
        _reached("cancelQuote", 0, 10);
        _reached("cancelQuote", IPartnerRegistry.PartnerRegistry_KeyNotAuthorized.selector, 1);
    }

    function _reached(bytes32 action, bytes4 outcome, uint256 times) private view {
        uint256 reached = handler.outcomes(action, outcome);
        // Names what was missed without a text made up for each of those that were not.
        if (reached < times) revert Missed(text(action), outcome, reached, times);
    }
}
