// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IPartnerRegistry} from "./interfaces/IPartnerRegistry.sol";
import {ISettlementToken} from "./interfaces/ISettlementToken.sol";
import {Balance, ITreasury, ModuleAnnouncement, ModuleStatus} from "./interfaces/ITreasury.sol";
import {CurrencyCode} from "../types/CurrencyCode.sol";
import {HoldingId, toHoldingId} from "../types/HoldingId.sol";
import {FUND} from "../types/KeyPurpose.sol";
import {Hold} from "../types/Hold.sol";
import {PartnerId} from "../types/PartnerId.sol";
import {Release} from "../types/Release.sol";

/// @title Treasury
/// @notice See {ITreasury}.
/// @dev Sums of one currency stay inside uint128, since a settlement token's supply does: its reserve is a uint128.
contract Treasury is ITreasury, AccessManaged {
    using SafeERC20 for ISettlementToken;

    /// One slot.
    struct Module {
        ModuleStatus status;
        /// 1 for the first that was ever activated, and so on; zero before
        uint8 number;
    }

    /// @notice How long a module is announced before it can be activated.
    uint48 public constant MODULE_NOTICE = 7 days;
    /// @notice How long it can be activated after that: an announcement that everyone has forgotten is no notice.
    uint48 public constant ACTIVATION_WINDOW = 7 days;

    uint256 private constant AVAILABLE = 0;

    /// @notice Where partners' keys and statuses are kept.
    IPartnerRegistry public immutable registry;

    /// What a partner has available at 0, and what each module holds of it at the module's number. Two share a slot:
    /// the first module, which moves most, takes from what is available and adds to what it holds in one write.
    mapping(PartnerId => mapping(CurrencyCode => uint128[256])) private _money;
    mapping(CurrencyCode => ISettlementToken) private _tokens;
    mapping(address module => Module) private _modules;
    address[] private _everModules;
    mapping(address module => ModuleAnnouncement) private _announcements;

    /// @inheritdoc ITreasury
    uint32 public announcedModules;
    /// @inheritdoc ITreasury
    uint48 public moduleActivatedAt;
    bool private _hasToken;

    /// @param authority the AccessManager that governs the ledger
    /// @param registry_ where partners' keys and statuses are kept
    constructor(address authority, IPartnerRegistry registry_) AccessManaged(authority) {
        registry = registry_;
    }

    /// @inheritdoc ITreasury
    function registerToken(ISettlementToken token) external restricted {
        _requireContract(address(token));
        CurrencyCode currency = token.currency();
        if (!currency.isValid()) revert Treasury_InvalidCurrency(token, currency);
        if (address(_tokens[currency]) != address(0)) revert Treasury_CurrencyTaken(currency, _tokens[currency]);
        _tokens[currency] = token;
        _hasToken = true;
        emit TokenRegistered(currency, token);
        if (token.treasury() != address(this)) token.acceptTreasury();
    }

    /// @inheritdoc ITreasury
    function announceModule(address module, ModuleStatus status) external restricted {
        _requireContract(module);
        ModuleStatus current = _modules[module].status;
        if (!_gains(current, status)) revert Treasury_IllegalModuleStatus(module, current, status);
        ModuleAnnouncement memory before = _announcements[module];
        if (before.status == ModuleStatus.None) ++announcedModules;
        else if (block.timestamp <= before.until) revert Treasury_ModuleAlreadyAnnounced(module, before.status);
        uint48 from = uint48(block.timestamp) + (_hasToken ? MODULE_NOTICE : 0);
        _announcements[module] = ModuleAnnouncement(status, from, from + ACTIVATION_WINDOW);
        emit ModuleAnnounced(module, status, from, from + ACTIVATION_WINDOW);
    }

    /// @inheritdoc ITreasury
    function activateModule(address module, ModuleStatus status) external restricted {
        ModuleAnnouncement memory announced = _announcements[module];
        if (announced.status == ModuleStatus.None || announced.status != status) {
            revert Treasury_ModuleNotAnnounced(module, announced.status, status);
        }
        if (block.timestamp < announced.from || block.timestamp > announced.until) {
            revert Treasury_ModuleNoticeNotOver(module, block.timestamp, announced.from, announced.until);
        }
        // It still gains by it: since the announcement the module can only have lost rights.
        ModuleStatus current = _modules[module].status;
        _endAnnouncement(module);
        moduleActivatedAt = uint48(block.timestamp);
        _modules[module] = Module(status, _numberOf(module));
        emit ModuleChanged(module, current, status);
    }

    /// @inheritdoc ITreasury
    function cancelModule(address module) external restricted {
        ModuleStatus announced = _announcements[module].status;
        if (announced == ModuleStatus.None) {
            revert Treasury_ModuleNotAnnounced(module, announced, announced);
        }
        _endAnnouncement(module);
        emit ModuleAnnouncementCancelled(module, announced);
    }

    /// @inheritdoc ITreasury
    function restrictModule(address module, ModuleStatus current, ModuleStatus status) external restricted {
        ModuleStatus found = _modules[module].status;
        if (current != found) revert Treasury_ModuleStatusMismatch(module, current, found);
        if (current == status || _gains(current, status)) {
            revert Treasury_IllegalModuleStatus(module, current, status);
        }
        _modules[module].status = status;
        emit ModuleChanged(module, current, status);
    }

    /// @inheritdoc ITreasury
    function depositWithPermit(
        PartnerId partner,
        CurrencyCode currency,
        uint128 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        IERC20Permit token = IERC20Permit(address(_tokenOf(currency)));
        // Anyone may have used the permit first. The deposit then finds the approval, or says that it lacks.
        // solhint-disable-next-line no-empty-blocks
        try token.permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        deposit(partner, currency, amount);
    }

    /// @inheritdoc ITreasury
    function withdraw(PartnerId partner, CurrencyCode currency, uint128 amount, address to) external {
        // Check
        registry.checkKey(partner, msg.sender, FUND);
        registry.checkActive(partner);
        if (amount == 0) revert Treasury_ZeroAmount();
        if (to == address(this)) revert Treasury_InvalidRecipient(to);
        ISettlementToken token = _tokenOf(currency);
        // Effect
        _take(partner, currency, amount);
        emit Withdrawn(partner, currency, to, amount);
        // Interaction
        token.safeTransfer(to, amount);
    }

    /// @inheritdoc ITreasury
    function exit(PartnerId partner, CurrencyCode currency) external returns (uint128 amount) {
        // Check
        (uint48 since, uint48 opensAt) = registry.checkExit(partner, msg.sender);
        bool open = announcedModules > 0 || since < moduleActivatedAt || block.timestamp >= opensAt;
        if (!open) revert Treasury_ExitNotOpen(partner, since, opensAt);
        ISettlementToken token = _tokenOf(currency);
        amount = _money[partner][currency][AVAILABLE];
        if (amount == 0) revert Treasury_ZeroAmount();
        // Effect
        _take(partner, currency, amount);
        emit Withdrawn(partner, currency, msg.sender, amount);
        // Interaction
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc ITreasury
    function hold(Hold[] calldata holds) external {
        Module memory module = _modules[msg.sender];
        if (module.status != ModuleStatus.Active) revert Treasury_ModuleNotAuthorized(msg.sender, module.status);
        for (uint256 i = 0; i < holds.length; ++i) {
            (PartnerId partner, CurrencyCode currency, uint128 amount) = holds[i].unpack();
            uint128[256] storage money = _take(partner, currency, amount);
            money[module.number] += amount;
            emit Held(toHoldingId(msg.sender, partner, currency), amount);
        }
    }

    /// @inheritdoc ITreasury
    function release(Release[] calldata releases) external {
        Module memory module = _modules[msg.sender];
        if (module.status == ModuleStatus.None) revert Treasury_ModuleNotAuthorized(msg.sender, module.status);
        for (uint256 i = 0; i < releases.length; ++i) {
            (PartnerId from, PartnerId to, CurrencyCode currency, uint128 amount) = releases[i].unpack();
            // What the module itself holds: none reaches what another does.
            uint128[256] storage money = _money[from][currency];
            uint128 held = money[module.number];
            if (held < amount) revert Treasury_InsufficientHeld(msg.sender, from, currency, held, amount);
            money[module.number] = held - amount;
            HoldingId id = toHoldingId(msg.sender, from, currency);
            if (from == to) {
                money[AVAILABLE] += amount;
                emit Released(id, amount);
            } else {
                _money[to][currency][AVAILABLE] += amount;
                emit Moved(id, to, amount);
            }
        }
    }

    /// @inheritdoc ITreasury
    function balanceOf(PartnerId partner, CurrencyCode currency) external view returns (Balance memory balance) {
        uint128[256] storage money = _money[partner][currency];
        balance.available = money[AVAILABLE];
        for (uint256 number = 1; number <= _everModules.length; ++number) balance.held += money[number];
    }

    /// @inheritdoc ITreasury
    function heldBy(address module, PartnerId partner, CurrencyCode currency) external view returns (uint128) {
        uint8 number = _modules[module].number;
        return number == 0 ? 0 : _money[partner][currency][number];
    }

    /// @inheritdoc ITreasury
    function modules() external view returns (address[] memory) {
        return _everModules;
    }

    /// @inheritdoc ITreasury
    function tokenOf(CurrencyCode currency) external view returns (ISettlementToken) {
        return _tokens[currency];
    }

    /// @inheritdoc ITreasury
    function statusOfModule(address module) external view returns (ModuleStatus) {
        return _modules[module].status;
    }

    /// @inheritdoc ITreasury
    function announcementOf(address module) external view returns (ModuleAnnouncement memory) {
        return _announcements[module];
    }

    /// @inheritdoc ITreasury
    function deposit(PartnerId partner, CurrencyCode currency, uint128 amount) public {
        // Check
        registry.checkKey(partner, msg.sender, FUND);
        if (amount == 0) revert Treasury_ZeroAmount();
        ISettlementToken token = _tokenOf(currency);
        // Effect
        _money[partner][currency][AVAILABLE] += amount;
        emit Deposited(partner, currency, msg.sender, amount);
        // Interaction
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert Treasury_AmountMismatch(amount, received);
    }

    function _endAnnouncement(address module) private {
        delete _announcements[module];
        --announcedModules;
    }

    /// @dev From what the partner has available.
    function _take(
        PartnerId partner,
        CurrencyCode currency,
        uint128 amount
    ) private returns (uint128[256] storage money) {
        money = _money[partner][currency];
        uint128 available = money[AVAILABLE];
        if (available < amount) revert Treasury_InsufficientAvailable(partner, currency, available, amount);
        money[AVAILABLE] = available - amount;
    }

    /// @dev A module keeps its number for good, and with it what it holds.
    function _numberOf(address module) private returns (uint8 number) {
        number = _modules[module].number;
        if (number != 0) return number;
        if (_everModules.length == type(uint8).max) revert Treasury_TooManyModules();
        _everModules.push(module);
        return uint8(_everModules.length);
    }

    function _requireContract(address account) private view {
        if (account.code.length == 0) revert Treasury_NoContract(account);
    }

    function _tokenOf(CurrencyCode currency) private view returns (ISettlementToken token) {
        token = _tokens[currency];
        if (address(token) == address(0)) revert Treasury_UnknownCurrency(currency);
    }

    /// @dev From None to anything else, and from draining to active.
    function _gains(ModuleStatus from, ModuleStatus to) private pure returns (bool) {
        if (from == ModuleStatus.None) return to != ModuleStatus.None;
        return from == ModuleStatus.Draining && to == ModuleStatus.Active;
    }
}
