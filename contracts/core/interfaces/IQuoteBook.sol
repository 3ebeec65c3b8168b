// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization} from "../../types/Authorization.sol";
import {CurrencyCode} from "../../types/CurrencyCode.sol";
import {PartnerId} from "../../types/PartnerId.sol";
import {Quote} from "../../types/Quote.sol";
import {QuoteId} from "../../types/QuoteId.sol";
import {IForModules} from "./IForModules.sol";

/// What a module sells at a quote.
struct Sale {
    /// who buys
    PartnerId taker;
    CurrencyCode sourceCurrency;
    CurrencyCode targetCurrency;
    /// source minor units
    uint128 sourceAmount;
    /// target minor units
    uint128 targetAmount;
    /// how long the provider's money is held for it at most, in seconds of ledger time
    uint48 hold;
}

/// @title What firm quotes have left
/// @notice A liquidity provider signs a quote once (EIP-712, domain `Feiqian`, version `1`, this contract). Whichever
/// module sells at it draws here, so that the provider never sells more than its capacity in all.
interface IQuoteBook is IForModules {
    /// @notice A provider withdrew a quote. What was drawn on it before stays sold.
    event QuoteCancelled(QuoteId indexed quoteId, PartnerId indexed provider);

    /// @notice The quote is for other currencies or another source partner, has no rate, or has no provider.
    /// @param field the one that does not fit
    /// @param given its value in the quote
    /// @param expected the sale's; zero where the quote only may not be zero
    error QuoteBook_Mismatch(string field, uint256 given, uint256 expected);
    /// @notice The provider would give more than its rate: the target amount is above the floor of the source amount
    /// at the rate.
    error QuoteBook_RateExceeded(uint128 sourceAmount, uint128 targetAmount);
    /// @notice The quote is no longer valid.
    error QuoteBook_Expired(uint256 now_, uint48 validUntil);
    /// @notice The provider's money would be held for longer than the quote allows.
    error QuoteBook_HoldTooLong(uint48 hold, uint32 maxHold);
    /// @notice The target amount would take the quote above its capacity. A cancelled quote has none left.
    error QuoteBook_UsedUp(QuoteId quoteId, uint128 drawn, uint128 targetAmount, uint128 capacity);
    /// @notice The signature is not the key's.
    error QuoteBook_InvalidSignature(PartnerId provider, address key, bytes32 digest);

    /// @notice Draws on a quote: reverts unless it is the provider's, fits the sale and has enough left. Nothing that
    /// is drawn is given back. Active modules only.
    /// @param by the provider's signature over `quote` (EIP-712 `Quote`)
    /// @return quoteId see `quoteIdOf`
    function draw(
        Quote calldata quote,
        Sale calldata sale,
        Authorization calldata by
    ) external returns (QuoteId quoteId);

    /// @notice Withdraws a quote. The provider's QUOTE keys only, as callers.
    function cancelQuote(Quote calldata quote) external;

    /// @notice Id of a quote: its EIP-712 digest, which its provider signs.
    function quoteIdOf(Quote calldata quote) external view returns (QuoteId);

    /// @notice How much of a quote is used, in target minor units, by all modules together; the highest value of its
    /// type once it is cancelled.
    function drawnOf(QuoteId quoteId) external view returns (uint128);
}
