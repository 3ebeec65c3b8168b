// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CurrencyCode} from "../types/CurrencyCode.sol";
import {PartnerId} from "../types/PartnerId.sol";
import {ISettlementToken} from "./ISettlementToken.sol";

/// What a contract may do with partners' money. A module that is replaced drains: it finishes what it holds and takes
/// no new holds.
enum ModuleStatus {
    None,
    Active,
    Draining
}

/// A partner's money in one currency, in minor units.
struct Balance {
    uint128 available;
    uint128 held;
}

/// @title All the money of the network
/// @notice Holds every settlement token and keeps, per partner and currency, what is available and what is held. It
/// knows nothing of transfers: modules that governance authorises hold, release and transfer. Per currency the tokens
/// here equal the sum of all available and held.
interface ITreasury {
    /// @notice A currency has its token, for good.
    event TokenRegistered(CurrencyCode indexed currency, ISettlementToken token);
    /// @notice Governance changed what a module may do.
    event ModuleChanged(address indexed module, ModuleStatus previous, ModuleStatus current);
    /// @notice A partner put money in, in minor units.
    event Deposited(PartnerId indexed partner, CurrencyCode indexed currency, address indexed from, uint128 amount);
    /// @notice A partner took money out, in minor units.
    event Withdrawn(PartnerId indexed partner, CurrencyCode indexed currency, address indexed to, uint128 amount);

    /// @notice The currency has no token.
    error Treasury_UnknownCurrency(CurrencyCode currency);
    /// @notice The currency has a token already, which cannot be replaced.
    error Treasury_CurrencyTaken(CurrencyCode currency, ISettlementToken token);
    /// @notice The token settles into another treasury.
    error Treasury_TokenOfAnotherTreasury(ISettlementToken token, address treasury);
    /// @notice Nothing to move.
    error Treasury_ZeroAmount();
    /// @notice Money withdrawn to the treasury would belong to nobody.
    error Treasury_InvalidRecipient(address to);
    /// @notice The token moved another amount than asked.
    error Treasury_AmountMismatch(uint256 expected, uint256 received);
    /// @notice The partner has less available than this takes (ISO 20022: AM04).
    error Treasury_InsufficientAvailable(PartnerId partner, CurrencyCode currency, uint128 available, uint128 required);
    /// @notice The partner has less held than this takes: the module asks for more than it holds.
    error Treasury_InsufficientHeld(PartnerId partner, CurrencyCode currency, uint128 held, uint128 required);
    /// @notice The caller's module status does not allow this.
    error Treasury_ModuleNotAuthorized(address caller, ModuleStatus status);
    /// @notice The module has this status already.
    error Treasury_IllegalModuleStatus(address module, ModuleStatus current, ModuleStatus requested);

    /// @notice Gives a currency its token, for good. Governance only.
    function registerToken(ISettlementToken token) external;

    /// @notice Lets a module hold money, or makes it drain, or takes away all its rights. A module that still holds
    /// money must drain first; one revoked too early can be made to drain again. Governance only, after its delay.
    function setModule(address module, ModuleStatus status) external;

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

    /// @notice Moves available money to held. Active modules only.
    function hold(PartnerId partner, CurrencyCode currency, uint128 amount) external;

    /// @notice Moves held money back to available. Cannot fail for any partner whose money is held. Active and
    /// draining modules only.
    function release(PartnerId partner, CurrencyCode currency, uint128 amount) external;

    /// @notice Moves one partner's held money to what another has available. Cannot fail for any partner whose money is
    /// held, whoever receives it. Active and draining modules only.
    function transferHeld(PartnerId from, PartnerId to, CurrencyCode currency, uint128 amount) external;

    /// @notice A partner's money in one currency, in minor units. Zero where it has none.
    function balanceOf(PartnerId partner, CurrencyCode currency) external view returns (Balance memory);

    /// @notice A currency's settlement token; the zero address where it has none.
    function tokenOf(CurrencyCode currency) external view returns (ISettlementToken);

    /// @notice What a module may do.
    function statusOfModule(address module) external view returns (ModuleStatus);
}
