// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CurrencyCode} from "../../types/CurrencyCode.sol";
import {HoldingId} from "../../types/HoldingId.sol";
import {Hold} from "../../types/Hold.sol";
import {PartnerId} from "../../types/PartnerId.sol";
import {Release} from "../../types/Release.sol";
import {ISettlementToken} from "./ISettlementToken.sol";

/// What a contract may do with partners' money. A module that is replaced drains: it finishes what it holds and takes
/// no new holds.
enum ModuleStatus {
    None,
    Active,
    Draining
}

/// A module that is to have more rights than it has.
struct ModuleAnnouncement {
    /// what it will be: `None` where nothing is announced
    ModuleStatus status;
    /// block timestamps at which it may be activated, first and last
    uint48 from;
    uint48 until;
}

/// A partner's money in one currency, in minor units.
struct Balance {
    uint128 available;
    /// by all modules together
    uint128 held;
}

/// @title All the money of the network
/// @notice Holds every settlement token and keeps, per partner and currency, what is available and what each module
/// holds. It knows nothing of transfers: modules that governance authorises hold, and give back or to others, each what
/// it holds itself and nothing that another does. Per currency the tokens here equal the sum of all available and held.
///
/// Every movement is an event here, and these events alone give every balance:
///
/// | event     | available                      | held                               |
/// |-----------|--------------------------------|------------------------------------|
/// | Deposited | + amount, of the partner       |                                    |
/// | Withdrawn | − amount, of the partner       |                                    |
/// | Held      | − amount, of the held partner  | + amount, by the module            |
/// | Released  | + amount, of the held partner  | − amount, by the module            |
/// | Moved     | + amount, of the partner `to`  | − amount, by the module            |
///
/// Since an active module can move all available money, nobody's rights grow by surprise: a module is announced here,
/// for anyone to see, and activated after `MODULE_NOTICE`. Meanwhile active partners withdraw, and partners that are
/// not active exit.
interface ITreasury {
    /// @notice A currency has its token, for good.
    event TokenRegistered(CurrencyCode indexed currency, ISettlementToken token);
    /// @notice Governance changed what a module may do.
    event ModuleChanged(address indexed module, ModuleStatus previous, ModuleStatus current);
    /// @notice A module is to have this status, at the earliest from then on.
    event ModuleAnnounced(address indexed module, ModuleStatus status, uint48 from, uint48 until);
    /// @notice A module will not have the status that was announced.
    event ModuleAnnouncementCancelled(address indexed module, ModuleStatus status);
    /// @notice A partner put money in, in minor units.
    event Deposited(PartnerId indexed partner, CurrencyCode indexed currency, address indexed from, uint128 amount);
    /// @notice A partner took money out, in minor units.
    event Withdrawn(PartnerId indexed partner, CurrencyCode indexed currency, address indexed to, uint128 amount);
    /// @notice A module holds more of what a partner had available, in minor units.
    /// @param holding module, partner and currency, packed: see `HoldingId`
    event Held(HoldingId holding, uint128 amount);
    /// @notice A module gave back what it held of a partner's money, in minor units.
    /// @param holding module, partner and currency, packed: see `HoldingId`
    event Released(HoldingId holding, uint128 amount);
    /// @notice A module moved what it held of one partner's money to what another has available, in minor units.
    /// @param holding module, partner and currency, packed: see `HoldingId`
    event Moved(HoldingId holding, PartnerId to, uint128 amount);

    /// @notice The currency has no token.
    error Treasury_UnknownCurrency(CurrencyCode currency);
    /// @notice The currency has a token already, which cannot be replaced.
    error Treasury_CurrencyTaken(CurrencyCode currency, ISettlementToken token);
    /// @notice The token's currency is no ISO 4217 number.
    error Treasury_InvalidCurrency(ISettlementToken token, CurrencyCode currency);
    /// @notice There is no contract at this address.
    error Treasury_NoContract(address account);
    /// @notice Nothing to move.
    error Treasury_ZeroAmount();
    /// @notice Money withdrawn to the treasury would belong to nobody.
    error Treasury_InvalidRecipient(address to);
    /// @notice The token moved another amount than asked.
    error Treasury_AmountMismatch(uint256 expected, uint256 received);
    /// @notice The partner has less available than this takes (ISO 20022: AM04).
    error Treasury_InsufficientAvailable(PartnerId partner, CurrencyCode currency, uint128 available, uint128 required);
    /// @notice The module holds less of the partner's money than this takes. What other modules hold is not its own.
    error Treasury_InsufficientHeld(
        address module,
        PartnerId partner,
        CurrencyCode currency,
        uint128 held,
        uint128 required
    );
    /// @notice The caller's module status does not allow this.
    error Treasury_ModuleNotAuthorized(address caller, ModuleStatus status);
    /// @notice What the module is does not lead to the requested status by this call: rights are gained by announcement
    /// and activation, and lost by `restrictModule`.
    error Treasury_IllegalModuleStatus(address module, ModuleStatus current, ModuleStatus requested);
    /// @notice The module's status has changed since: the call was made for another.
    error Treasury_ModuleStatusMismatch(address module, ModuleStatus given, ModuleStatus current);
    /// @notice Another status is announced for the module, or none.
    error Treasury_ModuleNotAnnounced(address module, ModuleStatus announced, ModuleStatus requested);
    /// @notice The module is announced already: that must be cancelled, used or out of date before.
    error Treasury_ModuleAlreadyAnnounced(address module, ModuleStatus announced);
    /// @notice A treasury has had as many modules as it can count: 255.
    error Treasury_TooManyModules();
    /// @notice It is too early to activate the module, or too late.
    error Treasury_ModuleNoticeNotOver(address module, uint256 now_, uint48 from, uint48 until);
    /// @notice The partner cannot exit yet: no module is announced, none was activated since it ceased to be active,
    /// and the longest time of that is not over.
    error Treasury_ExitNotOpen(PartnerId partner, uint48 since, uint48 opensAt);

    /// @notice Gives a currency its token, for good. A token that another treasury has must be offered to this one
    /// before. Governance only (role UPGRADER).
    function registerToken(ISettlementToken token) external;

    /// @notice Announces that a module is to have more rights: to become active, or to drain again what it held when
    /// all its rights were taken. Governance only (role UPGRADER).
    /// @param module a contract
    function announceModule(address module, ModuleStatus status) external;

    /// @notice Gives a module the status that was announced, not before `MODULE_NOTICE` has passed and not long after.
    /// Before the first token is registered there is no money to warn of, and no notice. Governance only (role
    /// UPGRADER).
    function activateModule(address module, ModuleStatus status) external;

    /// @notice Takes an announcement back. Guardian only.
    function cancelModule(address module) external;

    /// @notice Makes an active module drain, or takes away all rights of a module, at once. A module that still holds
    /// money must drain first; one revoked too early can be announced to drain again. Governance only (role UPGRADER).
    /// @param current the status that this replaces
    function restrictModule(address module, ModuleStatus current, ModuleStatus status) external;

    /// @notice Takes `amount` of the currency's token from the caller and credits it to the partner. The partner's FUND
    /// keys only, whatever the partner's status.
    /// @param amount minor units, approved to the treasury before
    function deposit(PartnerId partner, CurrencyCode currency, uint128 amount) external;

    /// @notice `deposit`, with the approval signed (ERC-2612) by the caller.
    function depositWithPermit(
        PartnerId partner,
        CurrencyCode currency,
        uint128 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Pays `amount` out of what is available. The partner's FUND keys only, while the partner is active.
    /// @param amount minor units
    function withdraw(PartnerId partner, CurrencyCode currency, uint128 amount, address to) external;

    /// @notice Pays all that a partner has available in a currency to the partner's exit account. That account only,
    /// while the partner is suspended, or frozen without that being upheld, and
    /// - any module is announced, or
    /// - one was activated after the partner ceased to be active, or
    /// - the partner has not been active for `RESTRICTION_LIMIT`, or governance replaced its admin meanwhile.
    /// @return amount minor units
    function exit(PartnerId partner, CurrencyCode currency) external returns (uint128 amount);

    /// @notice Moves available money to what the calling module holds: all of it, or none. Active modules only.
    function hold(Hold[] calldata holds) external;

    /// @notice Gives what the calling module holds back to the partner it is held of, or to another: all, or nothing.
    /// Cannot fail for any partner whose money it holds, whoever receives it. Active and draining modules only.
    function release(Release[] calldata releases) external;

    /// @notice A partner's money in one currency, in minor units. Zero where it has none.
    function balanceOf(PartnerId partner, CurrencyCode currency) external view returns (Balance memory);

    /// @notice What one module holds of a partner's money in one currency, in minor units.
    function heldBy(address module, PartnerId partner, CurrencyCode currency) external view returns (uint128);

    /// @notice Every contract that was ever a module, in the order in which they were activated first.
    function modules() external view returns (address[] memory);

    /// @notice A currency's settlement token; the zero address where it has none.
    function tokenOf(CurrencyCode currency) external view returns (ISettlementToken);

    /// @notice What a module may do.
    function statusOfModule(address module) external view returns (ModuleStatus);

    /// @notice What is announced of a module. Zero where nothing is.
    function announcementOf(address module) external view returns (ModuleAnnouncement memory);

    /// @notice How many modules are announced, and neither activated nor cancelled.
    function announcedModules() external view returns (uint32);

    /// @notice Block timestamp at which a module last gained rights.
    function moduleActivatedAt() external view returns (uint48);
}
