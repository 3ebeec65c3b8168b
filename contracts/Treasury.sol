// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IPartnerRegistry} from "./interfaces/IPartnerRegistry.sol";
import {ISettlementToken} from "./interfaces/ISettlementToken.sol";
import {Balance, ITreasury, ModuleAnnouncement, ModuleStatus} from "./interfaces/ITreasury.sol";
import {CurrencyCode} from "./types/CurrencyCode.sol";
import {HoldingId, toHoldingId} from "./types/HoldingId.sol";
import {FUND} from "./types/KeyPurpose.sol";
import {PartnerId} from "./types/PartnerId.sol";

/// @title Treasury
/// @notice See {ITreasury}.
/// @dev Sums of one currency stay inside uint128, since a settlement token's supply does: its reserve is a uint128.
contract Treasury is ITreasury, AccessManaged {
    using SafeERC20 for ISettlementToken;

    /// One slot. It stays used once it was, so that its storage is paid for once and not with every hold.
    struct Holding {
        uint128 amount;
        bool used;
    }

    /// @notice How long a module is announced before it can be activated.
    uint48 public constant MODULE_NOTICE = 7 days;
    /// @notice How long it can be activated after that: an announcement that everyone has forgotten is no notice.
    uint48 public constant ACTIVATION_WINDOW = 7 days;

    /// @notice Where partners' keys and statuses are kept.
    IPartnerRegistry public immutable registry;

    mapping(PartnerId => mapping(CurrencyCode => uint128)) private _available;
    mapping(HoldingId => Holding) private _holdings;
    mapping(CurrencyCode => ISettlementToken) private _tokens;
    mapping(address module => ModuleStatus) private _modules;
    address[] private _everModules;
    mapping(address module => ModuleAnnouncement) private _announcements;

    /// @inheritdoc ITreasury
    uint32 public announcedModules;
    /// @inheritdoc ITreasury
    uint48 public moduleActivatedAt;
    bool private _hasToken;

    modifier onlyActiveModule() {
        ModuleStatus status = _modules[msg.sender];
        if (status != ModuleStatus.Active) revert Treasury_ModuleNotAuthorized(msg.sender, status);
        _;
    }

    modifier onlyModule() {
        ModuleStatus status = _modules[msg.sender];
        if (status == ModuleStatus.None) revert Treasury_ModuleNotAuthorized(msg.sender, status);
        _;
    }

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
        if (token.treasury() != address(this)) revert Treasury_TokenOfAnotherTreasury(token, token.treasury());
        _tokens[currency] = token;
        _hasToken = true;
        emit TokenRegistered(currency, token);
    }

    /// @inheritdoc ITreasury
    function announceModule(address module, ModuleStatus status) external restricted {
        _requireContract(module);
        ModuleStatus current = _modules[module];
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
        ModuleStatus current = _modules[module];
        _endAnnouncement(module);
        moduleActivatedAt = uint48(block.timestamp);
        _modules[module] = status;
        if (!_wasModule(module)) _everModules.push(module);
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
        if (current != _modules[module]) revert Treasury_ModuleStatusMismatch(module, current, _modules[module]);
        if (current == status || _gains(current, status)) {
            revert Treasury_IllegalModuleStatus(module, current, status);
        }
        _modules[module] = status;
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
        _takeAvailable(partner, currency, amount);
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
        amount = _available[partner][currency];
        if (amount == 0) revert Treasury_ZeroAmount();
        // Effect
        _takeAvailable(partner, currency, amount);
        emit Withdrawn(partner, currency, msg.sender, amount);
        // Interaction
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc ITreasury
    function hold(PartnerId partner, CurrencyCode currency, uint128 amount) external onlyActiveModule {
        _takeAvailable(partner, currency, amount);
        HoldingId id = toHoldingId(msg.sender, partner, currency);
        _holdings[id] = Holding(_holdings[id].amount + amount, true);
        emit Held(id, amount);
    }

    /// @inheritdoc ITreasury
    function release(PartnerId partner, CurrencyCode currency, uint128 amount) external onlyModule {
        HoldingId id = _takeHeld(partner, currency, amount);
        _available[partner][currency] += amount;
        emit Released(id, amount);
    }

    /// @inheritdoc ITreasury
    function transferHeld(PartnerId from, PartnerId to, CurrencyCode currency, uint128 amount) external onlyModule {
        HoldingId id = _takeHeld(from, currency, amount);
        _available[to][currency] += amount;
        emit Moved(id, to, amount);
    }

    /// @inheritdoc ITreasury
    function balanceOf(PartnerId partner, CurrencyCode currency) external view returns (Balance memory balance) {
        balance.available = _available[partner][currency];
        for (uint256 i = 0; i < _everModules.length; ++i) balance.held += heldBy(_everModules[i], partner, currency);
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
        return _modules[module];
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
        _available[partner][currency] += amount;
        emit Deposited(partner, currency, msg.sender, amount);
        // Interaction
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert Treasury_AmountMismatch(amount, received);
    }

    /// @inheritdoc ITreasury
    function heldBy(address module, PartnerId partner, CurrencyCode currency) public view returns (uint128) {
        return _holdings[toHoldingId(module, partner, currency)].amount;
    }

    function _endAnnouncement(address module) private {
        delete _announcements[module];
        --announcedModules;
    }

    function _takeAvailable(PartnerId partner, CurrencyCode currency, uint128 amount) private {
        uint128 available = _available[partner][currency];
        if (available < amount) revert Treasury_InsufficientAvailable(partner, currency, available, amount);
        _available[partner][currency] = available - amount;
    }

    /// @dev Of what the caller holds: no module reaches what another holds.
    function _takeHeld(PartnerId partner, CurrencyCode currency, uint128 amount) private returns (HoldingId id) {
        id = toHoldingId(msg.sender, partner, currency);
        uint128 held = _holdings[id].amount;
        if (held < amount) revert Treasury_InsufficientHeld(msg.sender, partner, currency, held, amount);
        _holdings[id].amount = held - amount;
    }

    function _wasModule(address module) private view returns (bool) {
        for (uint256 i = 0; i < _everModules.length; ++i) if (_everModules[i] == module) return true;
        return false;
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
