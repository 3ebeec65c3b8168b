// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CorridorTerms} from "../../../contracts/core/interfaces/ICorridorBook.sol";
import {OperatorKey, PartnerStatus} from "../../../contracts/core/interfaces/IPartnerRegistry.sol";
import {Balance, ModuleStatus} from "../../../contracts/core/interfaces/ITreasury.sol";
import {BatchHeader, BatchStatus, Transfer} from "../../../contracts/remittance/Batch.sol";
import {Quote} from "../../../contracts/types/Quote.sol";
import {BatchId} from "../../../contracts/remittance/BatchId.sol";
import {CorridorId, toCorridorId} from "../../../contracts/types/CorridorId.sol";
import {CurrencyCode} from "../../../contracts/types/CurrencyCode.sol";
import {FUND, KeyPurpose} from "../../../contracts/types/KeyPurpose.sol";
import {NO_PARTNER, PartnerId} from "../../../contracts/types/PartnerId.sol";
import {QuoteId} from "../../../contracts/types/QuoteId.sol";
import {LedgerFixture} from "../support/LedgerFixture.sol";
import {ReplayedBooks} from "../support/ReplayedBooks.sol";
import {vm} from "../support/Vm.sol";

/// A batch that was opened.
struct Entry {
    BatchHeader header;
    /// what its transfers are made from
    uint256 seed;
    /// whether the transfers' target amounts are dealt out against the rate, so that rejecting some would rob the
    /// provider
    bool crooked;
    /// as last seen on the ledger
    BatchStatus status;
}

/// What the ledger should look like after the history so far, kept by other means than the ledger's own: every
/// balance, status, key, limit and the clock.
abstract contract Model is LedgerFixture, ReplayedBooks {
    /// @notice An action came out otherwise than the model says; zero is success.
    error Surprise(string action, bytes4 expected, bytes4 actual);

    uint128 internal constant DEPOSITED = 2e7;
    uint128 internal constant KEPT = 1e8;
    uint128 internal constant RESERVE = 1e10;

    /// How often an action came out in a certain way: an error's selector, or zero for success.
    mapping(bytes32 action => mapping(bytes4 outcome => uint256)) public outcomes;
    mapping(BatchStatus from => mapping(BatchStatus to => uint256)) public transitions;
    mapping(BatchId batchId => uint256) public timesOpened;
    mapping(CurrencyCode => uint256) public reserveAtLastMint;
    mapping(CurrencyCode => uint256) public supply;
    mapping(QuoteId quoteId => bool) public cancelled;
    /// By batches and by what the second module sends.
    mapping(CorridorId => mapping(uint48 day => uint256)) public drawnOnDay;
    /// The corridor's limit for a day when it was last drawn on, and that day.
    mapping(CorridorId => uint128) public limitWhenDrawn;
    mapping(CorridorId => uint48) public dayWhenDrawn;
    /// How many quotes, or days of corridors, both modules drew on.
    mapping(bytes32 kind => uint256) public sharedDraws;
    /// Ledger time never showed less than it did before, at any step.
    bool public timeRanBack;
    uint256 public steps;

    uint48 internal wallTime;
    uint48 internal lostTime;
    uint48 internal beatAt;
    uint48 internal latestTime;
    bool internal paused;
    ModuleStatus internal moduleStatus;
    /// Whether a module that nobody wants is announced, and when a module last gained rights.
    bool internal threatened;
    uint48 internal activatedAt;
    mapping(PartnerId => uint48) internal restrictedSince;
    mapping(PartnerId => uint48) internal reactivatedAt;
    mapping(PartnerId => PartnerStatus) internal statuses;
    mapping(PartnerId => mapping(address => OperatorKey)) internal keys;
    mapping(PartnerId => uint256) internal generations;
    /// Each partner's newest operator key: deriving an address takes longer than all else in a step.
    mapping(PartnerId => address) internal operators;
    mapping(CorridorId => CorridorTerms) internal terms;
    /// By whichever module.
    mapping(QuoteId quoteId => uint256) public drawn;
    mapping(PartnerId => mapping(CurrencyCode => Balance)) internal balances;
    mapping(BatchId batchId => Entry) internal entries;
    BatchId[] internal history;
    BatchId[] internal openIds;
    Quote[] internal quotes;
    mapping(bytes32 what => mapping(address module => bool)) private _drawers;

    /// What the treasury tells is posted to the replayed books.
    modifier replays() {
        vm.recordLogs();
        _;
        _post(address(treasury), true);
    }

    /// Every action runs at the wall-clock time of the model, and ledger time is looked at after it.
    modifier step() {
        ++steps;
        vm.warp(wallTime);
        vm.recordLogs();
        _;
        uint48 time = registry.time();
        if (time < latestTime) timeRanBack = true;
        latestTime = time;
    }

    constructor() {
        vm.recordLogs();
        _deploy();
        activatedAt = uint48(START);
        for (uint256 p = 0; p < everyone.length; ++p) {
            vm.prank(_admin(everyone[p]));
            partners.setExitAccount(everyone[p], _exitAccount(everyone[p]));
        }
        // Until the exit accounts are in force nothing happens, and ledger time stands still.
        wallTime = uint48(START) + partners.EXIT_DELAY();
        vm.warp(wallTime);
        lostTime = wallTime - uint48(START) - GRACE;
        beatAt = wallTime;
        latestTime = registry.beat();
        _fundEveryone(RESERVE, DEPOSITED, KEPT);
        _post(address(treasury), true);
        moduleStatus = ModuleStatus.Active;
        for (uint256 p = 0; p < everyone.length; ++p) {
            PartnerId partner = everyone[p];
            statuses[partner] = PartnerStatus.Active;
            operators[partner] = vm.addr(_operatorKey(partner, 0));
            keys[partner][operators[partner]] = OperatorKey(OPERATOR, FOREVER, 0);
            keys[partner][_treasurer(partner)] = OperatorKey(FUND, FOREVER, 0);
            for (uint256 c = 0; c < currencies.length; ++c) {
                balances[partner][currencies[c]].available = DEPOSITED;
                supply[currencies[c]] += DEPOSITED + KEPT;
                reserveAtLastMint[currencies[c]] = RESERVE;
            }
        }
        CorridorTerms memory standing = CorridorTerms(true, FEE_BPS, MAX_PER_BATCH, MAX_PER_DAY);
        for (uint256 i = 0; i < exchangeCorridors.length; ++i) terms[exchangeCorridors[i]] = standing;
        for (uint256 i = 0; i < sameCurrencyCorridors.length; ++i) terms[sameCurrencyCorridors[i]] = standing;
    }

    function network() external view returns (PartnerId[] memory, CurrencyCode[] memory) {
        return (everyone, currencies);
    }

    function corridorIds() external view returns (CorridorId[] memory ids) {
        ids = new CorridorId[](exchangeCorridors.length + sameCurrencyCorridors.length);
        for (uint256 i = 0; i < ids.length; ++i) ids[i] = _corridor(i);
    }

    function batchIds() external view returns (BatchId[] memory) {
        return history;
    }

    function openBatchIds() external view returns (BatchId[] memory) {
        return openIds;
    }

    function allQuotes() external view returns (Quote[] memory) {
        return quotes;
    }

    function entryOf(BatchId batchId) external view returns (Entry memory) {
        return entries[batchId];
    }

    function expectedBalance(PartnerId partner, CurrencyCode currency) external view returns (Balance memory) {
        return balances[partner][currency];
    }

    function now_() external view returns (uint48) {
        return wallTime;
    }

    /// What the batches that are open by this history hold of a partner's money.
    function heldByOpenBatches(PartnerId partner, CurrencyCode currency) external view returns (uint256 held) {
        for (uint256 i = 0; i < openIds.length; ++i) {
            BatchHeader storage header = entries[openIds[i]].header;
            if (header.source == partner && header.sourceCurrency == currency) held += header.sourceTotal + header.fee;
            if (header.quote.provider == partner && header.targetCurrency == currency) held += header.targetTotal;
        }
    }

    /// Ledger time is wall-clock time less all that was lost, with what the next beat would lose.
    function expectedTime() public view returns (uint48) {
        uint48 gap = wallTime - beatAt;
        return wallTime - lostTime - (gap > GRACE ? gap - GRACE : 0);
    }

    function _pass(uint256 duration) internal {
        wallTime += uint48(duration);
        vm.warp(wallTime);
    }

    /// What the ledger keeps of a status that changed.
    function _noteStatus(PartnerId partner, PartnerStatus next) internal {
        PartnerStatus previous = statuses[partner];
        statuses[partner] = next;
        if (next == PartnerStatus.Active) reactivatedAt[partner] = wallTime;
        bool goesOn = wallTime < uint256(reactivatedAt[partner]) + 5 days;
        if (previous == PartnerStatus.Active && !goesOn) restrictedSince[partner] = wallTime;
    }

    function _isExitOpen(PartnerId partner) internal view returns (bool) {
        uint256 since = restrictedSince[partner];
        return threatened || since < activatedAt || wallTime >= since + 5 days;
    }

    /// Holds nothing until the partner has to leave.
    function _exitAccount(PartnerId partner) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("exit", partner)))));
    }

    function _beaten() internal {
        uint48 gap = wallTime - beatAt;
        if (gap < BEAT_INTERVAL) return;
        if (gap > GRACE) lostTime += gap - GRACE;
        beatAt = wallTime;
    }

    /// Takes note of how an action ended, and fails the history if the model says otherwise.
    function _record(bytes32 action, bytes4 expected, bytes4 actual) internal {
        if (actual != expected) revert Surprise(text(action), expected, actual);
        ++outcomes[action][actual];
        _post(address(treasury), actual == 0);
    }

    function _observe(BatchId batchId) internal {
        BatchStatus current = registry.statusOf(batchId);
        BatchStatus previous = entries[batchId].status;
        if (current == previous) return;
        ++transitions[previous][current];
        entries[batchId].status = current;
        if (previous == BatchStatus.Open) _removeOpen(batchId);
        if (current == BatchStatus.Open) openIds.push(batchId);
    }

    function _drewOnCorridor(address module, CorridorId corridor, uint256 amount) internal {
        _share("corridor", keccak256(abi.encode(corridor, wallTime / 1 days)), module);
        drawnOnDay[corridor][wallTime / 1 days] += amount;
        dayWhenDrawn[corridor] = wallTime / 1 days;
        limitWhenDrawn[corridor] = terms[corridor].maxPerDay;
    }

    function _drewOnQuote(address module, QuoteId quoteId, uint256 amount) internal {
        _share("quote", QuoteId.unwrap(quoteId), module);
        drawn[quoteId] += amount;
    }

    function _mayAct(PartnerId partner, address key, KeyPurpose purpose) internal view returns (bool) {
        OperatorKey storage granted = keys[partner][key];
        return granted.purposes.includes(purpose) && wallTime <= granted.validUntil;
    }

    function _corridorOf(BatchHeader memory header) internal pure returns (CorridorId) {
        return toCorridorId(header.source, header.sourceCurrency, header.target, header.targetCurrency);
    }

    function _corridor(uint256 index) internal view returns (CorridorId) {
        uint256 exchanges = exchangeCorridors.length;
        return index < exchanges ? exchangeCorridors[index] : sameCurrencyCorridors[index - exchanges];
    }

    function _randomPartner(uint256 seed) internal view returns (PartnerId) {
        return everyone[draw(seed, "partner") % everyone.length];
    }

    function _randomCurrency(uint256 seed) internal view returns (CurrencyCode) {
        return currencies[draw(seed, "currency") % currencies.length];
    }

    /// The same seed never means the same thing twice: fuzzers repeat theirs.
    function _fresh(uint256 seed) internal view returns (uint256) {
        return uint256(keccak256(abi.encode(seed, steps)));
    }

    /// One in `odds`.
    function _chance(uint256 seed, bytes32 what, uint256 odds) internal pure returns (bool) {
        return draw(seed, what) % odds == 0;
    }

    function _transfersOf(Entry memory entry) internal pure returns (Transfer[] memory) {
        Quote memory quote = entry.header.quote;
        bool exchanges = quote.provider != NO_PARTNER;
        return
            _transfers(
                entry.seed,
                entry.header.count,
                exchanges ? quote.rateNumerator : 1,
                exchanges ? quote.rateDenominator : 1,
                entry.crooked
            );
    }

    function _transfers(
        uint256 seed,
        uint256 count,
        uint256 rateNumerator,
        uint256 rateDenominator,
        bool crooked
    ) internal pure returns (Transfer[] memory transfers) {
        transfers = new Transfer[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 own = uint256(keccak256(abi.encode(seed, i)));
            uint128 amount = uint128(1 + (own % (own % 5 == 0 ? 1e2 : 1e6)));
            transfers[i] = Transfer(bytes16(uint128(own >> 128)), amount, 0, bytes32(own));
        }
        for (uint256 i = 0; i < count; ++i) {
            uint128 source = transfers[crooked ? (i + 1) % count : i].sourceAmount;
            transfers[i].targetAmount = uint128((source * rateNumerator) / rateDenominator);
        }
    }

    function _share(bytes32 kind, bytes32 what, address module) private {
        if (_drawers[what][module]) return;
        _drawers[what][module] = true;
        if (_drawers[what][address(registry)] && _drawers[what][address(second)]) ++sharedDraws[kind];
    }

    function _removeOpen(BatchId batchId) private {
        for (uint256 i = 0; i < openIds.length; ++i) {
            if (BatchId.unwrap(openIds[i]) != BatchId.unwrap(batchId)) continue;
            openIds[i] = openIds[openIds.length - 1];
            openIds.pop();
            return;
        }
    }
}
