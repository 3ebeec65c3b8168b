// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {CorridorId} from "../types/CorridorId.sol";
import {CurrencyCode, MAX_CURRENCY} from "../types/CurrencyCode.sol";
import {PartnerId} from "../types/PartnerId.sol";
import {ForModules} from "./ForModules.sol";
import {CorridorTerms, ICorridorBook} from "./interfaces/ICorridorBook.sol";
import {IPartnerRegistry} from "./interfaces/IPartnerRegistry.sol";
import {ITreasury} from "./interfaces/ITreasury.sol";

/// @title CorridorBook
/// @notice See {ICorridorBook}.
contract CorridorBook is ICorridorBook, ForModules, AccessManaged {
    /// One slot, so that a draw reads and writes its corridor once.
    struct Corridor {
        bool open;
        uint16 feeBps;
        uint64 maxPerBatch;
        uint64 maxPerDay;
        uint32 day;
        uint64 drawn;
    }

    /// @notice The highest network fee a corridor may have: 10 %.
    uint16 public constant MAX_FEE_BPS = 1_000;

    /// @notice Where partners are kept.
    IPartnerRegistry public immutable registry;

    mapping(CorridorId => Corridor) private _corridors;
    mapping(CorridorId => uint32) private _epochs;

    /// @param authority the AccessManager that governs the ledger
    /// @param registry_ where partners are kept
    /// @param treasury_ whose modules may draw
    constructor(
        address authority,
        IPartnerRegistry registry_,
        ITreasury treasury_
    ) AccessManaged(authority) ForModules(treasury_) {
        registry = registry_;
    }

    /// @inheritdoc ICorridorBook
    function draw(CorridorId id, uint128 sourceTotal) external onlyActiveModule returns (uint128 fee) {
        Corridor storage corridor = _corridors[id];
        if (!corridor.open) revert CorridorBook_Closed(id);
        if (sourceTotal > corridor.maxPerBatch) {
            revert CorridorBook_BatchLimitExceeded(id, sourceTotal, corridor.maxPerBatch);
        }
        uint32 today = uint32(block.timestamp / 1 days);
        uint64 drawn = corridor.day == today ? corridor.drawn : 0;
        // As a sum, since the limit may have been lowered below what is drawn already.
        if (uint256(drawn) + sourceTotal > corridor.maxPerDay) {
            revert CorridorBook_DayLimitExceeded(id, drawn, sourceTotal, corridor.maxPerDay);
        }
        if (corridor.day != today) corridor.day = today;
        corridor.drawn = drawn + uint64(sourceTotal);
        // Inside uint128: the total is bounded by a uint64, and the fee is at most a tenth of it.
        fee = uint128(Math.ceilDiv(uint256(sourceTotal) * corridor.feeBps, 10_000));
    }

    /// @inheritdoc ICorridorBook
    function setCorridor(CorridorId id, uint32 epoch, CorridorTerms calldata terms) external restricted {
        (PartnerId source, CurrencyCode sourceCurrency, PartnerId target, CurrencyCode targetCurrency) = id.unpack();
        if (source == target) {
            revert CorridorBook_Invalid(id, "target", PartnerId.unwrap(target), PartnerId.unwrap(source));
        }
        _requireCurrency(id, "sourceCurrency", sourceCurrency);
        _requireCurrency(id, "targetCurrency", targetCurrency);
        if (terms.feeBps > MAX_FEE_BPS) revert CorridorBook_Invalid(id, "feeBps", terms.feeBps, MAX_FEE_BPS);
        if (terms.maxPerBatch > terms.maxPerDay) {
            revert CorridorBook_Invalid(id, "maxPerBatch", terms.maxPerBatch, terms.maxPerDay);
        }
        registry.checkKnown(source);
        registry.checkKnown(target);
        uint32 current = _epochs[id];
        if (epoch != current) revert CorridorBook_EpochMismatch(id, epoch, current);

        Corridor storage corridor = _corridors[id];
        corridor.open = terms.open;
        corridor.feeBps = terms.feeBps;
        corridor.maxPerBatch = terms.maxPerBatch;
        corridor.maxPerDay = terms.maxPerDay;
        _epochs[id] = current + 1;
        emit CorridorChanged(id, terms);
    }

    /// @inheritdoc ICorridorBook
    function closeCorridor(CorridorId id) external restricted {
        Corridor storage corridor = _corridors[id];
        if (!corridor.open) revert CorridorBook_Closed(id);
        corridor.open = false;
        ++_epochs[id];
        emit CorridorChanged(id, termsOf(id));
    }

    /// @inheritdoc ICorridorBook
    function epochOf(CorridorId id) external view returns (uint32) {
        return _epochs[id];
    }

    /// @inheritdoc ICorridorBook
    function drawnOn(CorridorId id, uint32 day) external view returns (uint64) {
        Corridor storage corridor = _corridors[id];
        if (day < corridor.day) revert CorridorBook_DayNotKept(id, day, corridor.day);
        return corridor.day == day ? corridor.drawn : 0;
    }

    /// @inheritdoc ICorridorBook
    function termsOf(CorridorId id) public view returns (CorridorTerms memory) {
        Corridor storage corridor = _corridors[id];
        return CorridorTerms(corridor.open, corridor.feeBps, corridor.maxPerBatch, corridor.maxPerDay);
    }

    function _requireCurrency(CorridorId id, string memory field, CurrencyCode currency) private pure {
        if (currency.isValid()) return;
        revert CorridorBook_Invalid(id, field, CurrencyCode.unwrap(currency), CurrencyCode.unwrap(MAX_CURRENCY));
    }
}
