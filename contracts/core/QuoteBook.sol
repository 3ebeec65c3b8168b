// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Authorization} from "../types/Authorization.sol";
import {CurrencyCode} from "../types/CurrencyCode.sol";
import {QUOTE} from "../types/KeyPurpose.sol";
import {NO_PARTNER, PartnerId} from "../types/PartnerId.sol";
import {LIQUIDITY_PROVIDER} from "../types/PartnerRole.sol";
import {Quote} from "../types/Quote.sol";
import {QuoteId} from "../types/QuoteId.sol";
import {ForModules} from "./ForModules.sol";
import {IPartnerRegistry} from "./interfaces/IPartnerRegistry.sol";
import {IQuoteBook, Sale} from "./interfaces/IQuoteBook.sol";
import {ITreasury} from "./interfaces/ITreasury.sol";
import {Signatures} from "./Signatures.sol";

/// @title QuoteBook
/// @notice See {IQuoteBook}. A provider may cancel several quotes in one transaction, all or nothing (`multicall`).
contract QuoteBook is IQuoteBook, ForModules, EIP712, Multicall {
    /// @notice Where providers and their keys are kept.
    IPartnerRegistry public immutable registry;

    mapping(QuoteId quoteId => uint128) private _drawn;

    /// @param registry_ where providers and their keys are kept
    /// @param treasury_ whose modules may draw
    constructor(IPartnerRegistry registry_, ITreasury treasury_) EIP712("Feiqian", "1") ForModules(treasury_) {
        registry = registry_;
    }

    /// @inheritdoc IQuoteBook
    function draw(
        Quote calldata quote,
        Sale calldata sale,
        Authorization calldata by
    ) external onlyActiveModule returns (QuoteId quoteId) {
        _requireFits(quote, sale);
        // A price is a matter of the outside world's time, not of ledger time, which stands still in a halt.
        if (block.timestamp > quote.validUntil) revert QuoteBook_Expired(block.timestamp, quote.validUntil);
        if (sale.hold > quote.maxHold) revert QuoteBook_HoldTooLong(sale.hold, quote.maxHold);
        quoteId = quoteIdOf(quote);
        uint128 drawn = _drawn[quoteId];
        if (drawn > quote.capacity || sale.targetAmount > quote.capacity - drawn) {
            revert QuoteBook_UsedUp(quoteId, drawn, sale.targetAmount, quote.capacity);
        }
        registry.checkAuthority(quote.provider, LIQUIDITY_PROVIDER, by.key, QUOTE, quote.provider);
        bytes32 digest = QuoteId.unwrap(quoteId);
        if (!Signatures.isBy(by.key, digest, by.signature)) {
            revert QuoteBook_InvalidSignature(quote.provider, by.key, digest);
        }
        _drawn[quoteId] = drawn + sale.targetAmount;
    }

    /// @inheritdoc IQuoteBook
    function cancelQuote(Quote calldata quote) external {
        registry.checkKey(quote.provider, msg.sender, QUOTE);
        QuoteId quoteId = quoteIdOf(quote);
        _drawn[quoteId] = type(uint128).max;
        emit QuoteCancelled(quoteId, quote.provider);
    }

    /// @inheritdoc IQuoteBook
    function drawnOf(QuoteId quoteId) external view returns (uint128) {
        return _drawn[quoteId];
    }

    /// @inheritdoc IQuoteBook
    function quoteIdOf(Quote calldata quote) public view returns (QuoteId) {
        return QuoteId.wrap(_hashTypedDataV4(quote.hashStruct()));
    }

    function _requireFits(Quote calldata quote, Sale calldata sale) private pure {
        if (quote.provider == NO_PARTNER) revert QuoteBook_Mismatch("provider", 0, 0);
        if (quote.taker != NO_PARTNER && quote.taker != sale.taker) {
            revert QuoteBook_Mismatch("taker", PartnerId.unwrap(quote.taker), PartnerId.unwrap(sale.taker));
        }
        _requireCurrency("sourceCurrency", quote.sourceCurrency, sale.sourceCurrency);
        _requireCurrency("targetCurrency", quote.targetCurrency, sale.targetCurrency);
        if (quote.rateDenominator == 0) revert QuoteBook_Mismatch("rateDenominator", 0, 0);
        if (!quote.buys(sale.sourceAmount, sale.targetAmount)) {
            revert QuoteBook_RateExceeded(sale.sourceAmount, sale.targetAmount);
        }
    }

    function _requireCurrency(string memory field, CurrencyCode given, CurrencyCode expected) private pure {
        if (given == expected) return;
        revert QuoteBook_Mismatch(field, CurrencyCode.unwrap(given), CurrencyCode.unwrap(expected));
    }
}
