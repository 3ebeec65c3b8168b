// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {
    ExitAccount,
    IPartnerRegistry,
    OperatorKey,
    Partner,
    PartnerStatus,
    RelayEndpoint,
    Standing
} from "./interfaces/IPartnerRegistry.sol";
import {CurrencyCode} from "../types/CurrencyCode.sol";
import {FIRST_PURPOSES, KeyPurpose} from "../types/KeyPurpose.sol";
import {NO_PARTNER, PartnerId} from "../types/PartnerId.sol";
import {FIRST_ROLES, PartnerRole} from "../types/PartnerRole.sol";

/// @title PartnerRegistry
/// @notice See {IPartnerRegistry}.
contract PartnerRegistry is IPartnerRegistry, AccessManaged {
    /// @notice How long a partner can be suspended, or frozen by the guardian alone, before its exit opens.
    uint48 public constant RESTRICTION_LIMIT = 5 days;
    /// @notice How long a partner whose admin governance replaced can exit before it can be reactivated.
    uint48 public constant ADMIN_NOTICE = 3 days;
    /// @notice How long an exit account is known before it counts: longer than any of the above, so that whoever takes
    /// the admin's place cannot have the exit before the partner has used it.
    uint48 public constant EXIT_DELAY = 14 days;

    // What governance has added to the first ones.
    KeyPurpose private _addedPurposes;
    PartnerRole private _addedRoles;
    mapping(PartnerId => Partner) private _partners;
    mapping(PartnerId => Standing) private _standings;
    mapping(PartnerId => ExitAccount) private _exits;
    mapping(PartnerId => address) private _offeredAdmins;
    mapping(PartnerId => mapping(address key => OperatorKey)) private _keys;
    mapping(PartnerId => RelayEndpoint) private _endpoints;

    modifier onlyAdmin(PartnerId partner) {
        address admin = _known(partner).admin;
        if (msg.sender != admin) revert PartnerRegistry_NotAdmin(partner, msg.sender, admin);
        _;
    }

    /// @param authority the AccessManager that governs the ledger
    constructor(address authority) AccessManaged(authority) {}

    /// @inheritdoc IPartnerRegistry
    function registerPartner(
        PartnerId partner,
        address admin,
        bytes2 country,
        CurrencyCode homeCurrency,
        PartnerRole roles
    ) external restricted {
        if (partner == NO_PARTNER || _partners[partner].status != PartnerStatus.None) {
            revert PartnerRegistry_IdNotFree(partner);
        }
        _requireAdmin(partner, admin);
        if (!_isUpperCase(country)) {
            revert PartnerRegistry_InvalidField(partner, "country", abi.encodePacked(country));
        }
        if (!homeCurrency.isValid()) {
            revert PartnerRegistry_InvalidField(partner, "homeCurrency", abi.encodePacked(homeCurrency));
        }
        _requireRoles(partner, roles);

        _partners[partner] = Partner(admin, country, homeCurrency, roles, PartnerStatus.Active, 0);
        emit PartnerRegistered(partner, admin, country, homeCurrency, roles);
    }

    /// @inheritdoc IPartnerRegistry
    function setAdmin(PartnerId partner, uint32 keyEpoch, address admin) external restricted {
        _requireAdmin(partner, admin);
        Partner storage p = _known(partner);
        if (keyEpoch != p.keyEpoch) revert PartnerRegistry_KeyEpochMismatch(partner, keyEpoch, p.keyEpoch);
        if (p.status == PartnerStatus.Active) _setStatus(partner, PartnerStatus.Suspended);
        _standings[partner].adminReplacedAt = uint48(block.timestamp);
        _replaceAdmin(partner, p, admin);
        emit KeysEnded(partner, ++p.keyEpoch);
        ExitAccount storage exit = _settledExit(partner);
        if (exit.next != address(0)) emit ExitAccountDropped(partner, exit.next);
        (exit.next, exit.from) = (address(0), 0);
    }

    /// @inheritdoc IPartnerRegistry
    function offerAdmin(PartnerId partner, address next) external onlyAdmin(partner) {
        checkActive(partner);
        _requireAdmin(partner, next);
        _offeredAdmins[partner] = next;
        emit AdminOffered(partner, next);
    }

    /// @inheritdoc IPartnerRegistry
    function acceptAdmin(PartnerId partner) external {
        checkActive(partner);
        address offered = _offeredAdmins[partner];
        if (msg.sender != offered) revert PartnerRegistry_AdminNotOffered(partner, msg.sender, offered);
        _replaceAdmin(partner, _partners[partner], offered);
    }

    /// @inheritdoc IPartnerRegistry
    function setExitAccount(PartnerId partner, address account) external onlyAdmin(partner) {
        if (account == address(0) || account == msg.sender) {
            revert PartnerRegistry_InvalidField(partner, "exitAccount", abi.encodePacked(account));
        }
        ExitAccount storage exit = _settledExit(partner);
        (exit.next, exit.from) = (account, uint48(block.timestamp) + EXIT_DELAY);
        emit ExitAccountSet(partner, account, exit.from);
    }

    /// @inheritdoc IPartnerRegistry
    function setRoles(PartnerId partner, PartnerRole current, PartnerRole roles) external restricted {
        _requireRoles(partner, roles);
        Partner storage p = _known(partner);
        if (current != p.roles) revert PartnerRegistry_RolesMismatch(partner, current, p.roles);
        emit RolesChanged(partner, p.roles, roles);
        p.roles = roles;
    }

    /// @inheritdoc IPartnerRegistry
    function addPurpose(KeyPurpose purpose, string calldata name) external restricted {
        KeyPurpose known = knownPurposes();
        if (!purpose.isSingle() || known.includes(purpose)) revert PartnerRegistry_InvalidPurpose(purpose, known);
        _addedPurposes = _addedPurposes | purpose;
        emit PurposeAdded(purpose, name);
    }

    /// @inheritdoc IPartnerRegistry
    function addRole(PartnerRole role, string calldata name) external restricted {
        PartnerRole known = knownRoles();
        if (!role.isSingle() || known.includes(role)) revert PartnerRegistry_InvalidRole(role, known);
        _addedRoles = _addedRoles | role;
        emit RoleAdded(role, name);
    }

    /// @inheritdoc IPartnerRegistry
    function suspend(PartnerId partner) external restricted {
        PartnerStatus current = _known(partner).status;
        if (current != PartnerStatus.Active) {
            revert PartnerRegistry_IllegalStatus(partner, current, PartnerStatus.Suspended);
        }
        _setStatus(partner, PartnerStatus.Suspended);
    }

    /// @inheritdoc IPartnerRegistry
    function freeze(PartnerId partner) external restricted {
        PartnerStatus current = _known(partner).status;
        if (current == PartnerStatus.Frozen) {
            revert PartnerRegistry_IllegalStatus(partner, current, PartnerStatus.Frozen);
        }
        _setStatus(partner, PartnerStatus.Frozen);
    }

    /// @inheritdoc IPartnerRegistry
    function reactivate(PartnerId partner, uint32 statusEpoch) external restricted {
        PartnerStatus current = _known(partner).status;
        if (current == PartnerStatus.Active) {
            revert PartnerRegistry_IllegalStatus(partner, current, PartnerStatus.Active);
        }
        Standing storage standing = _standingAt(partner, statusEpoch);
        uint48 noticeUntil = standing.adminReplacedAt + ADMIN_NOTICE;
        if (block.timestamp < noticeUntil) revert PartnerRegistry_AdminNotice(partner, noticeUntil);
        _setStatus(partner, PartnerStatus.Active);
    }

    /// @inheritdoc IPartnerRegistry
    function upholdFreeze(PartnerId partner, uint32 statusEpoch, bytes32 order) external restricted {
        PartnerStatus current = _known(partner).status;
        if (current != PartnerStatus.Frozen) {
            revert PartnerRegistry_IllegalStatus(partner, current, PartnerStatus.Frozen);
        }
        if (order == 0) revert PartnerRegistry_InvalidField(partner, "order", abi.encodePacked(order));
        _standingAt(partner, statusEpoch).upheld = true;
        emit FreezeUpheld(partner, order);
    }

    /// @inheritdoc IPartnerRegistry
    function authorizeKey(
        PartnerId partner,
        address key,
        KeyPurpose purposes,
        uint48 validUntil
    ) external onlyAdmin(partner) {
        bool exist = !purposes.isEmpty() && knownPurposes().includes(purposes);
        if (key == address(0) || !exist || validUntil < block.timestamp) {
            revert PartnerRegistry_InvalidKey(partner, key, purposes, validUntil);
        }
        _keys[partner][key] = OperatorKey(purposes, validUntil, _partners[partner].keyEpoch);
        emit KeyAuthorized(partner, key, purposes, validUntil);
    }

    /// @inheritdoc IPartnerRegistry
    function revokeKey(PartnerId partner, address key) external onlyAdmin(partner) {
        delete _keys[partner][key];
        emit KeyRevoked(partner, key);
    }

    /// @inheritdoc IPartnerRegistry
    function setEndpoint(PartnerId partner, RelayEndpoint calldata endpoint) external onlyAdmin(partner) {
        _endpoints[partner] = endpoint;
        emit EndpointChanged(partner, endpoint);
    }

    /// @inheritdoc IPartnerRegistry
    function checkAuthority(
        PartnerId partner,
        PartnerRole role,
        address key,
        KeyPurpose purpose,
        PartnerId other
    ) external view {
        uint32 epoch = _checkRole(partner, role);
        if (other != partner) _checkRole(other, role);
        _checkKey(partner, epoch, key, purpose);
    }

    /// @inheritdoc IPartnerRegistry
    function checkCommitted(PartnerId partner, address key, KeyPurpose purpose) external view {
        Partner storage p = _known(partner);
        if (p.status == PartnerStatus.Frozen) revert PartnerRegistry_PartnerNotActive(partner, p.status);
        _checkKey(partner, p.keyEpoch, key, purpose);
    }

    /// @inheritdoc IPartnerRegistry
    function checkKnown(PartnerId partner) external view {
        _known(partner);
    }

    /// @inheritdoc IPartnerRegistry
    function checkRole(PartnerId partner, PartnerRole role) external view {
        _checkRole(partner, role);
    }

    /// @inheritdoc IPartnerRegistry
    function partnerOf(PartnerId partner) external view returns (Partner memory) {
        return _partners[partner];
    }

    /// @inheritdoc IPartnerRegistry
    function checkExit(PartnerId partner, address account) external view returns (uint48 since, uint48 opensAt) {
        address exitAccount = exitAccountOf(partner).current;
        // Without an exit account it is the zero address, which nobody calls from.
        if (account != exitAccount) revert PartnerRegistry_NotExitAccount(partner, account, exitAccount);
        PartnerStatus status = _known(partner).status;
        Standing storage standing = _standings[partner];
        if (status == PartnerStatus.Active || standing.upheld) {
            revert PartnerRegistry_NoExit(partner, status, standing.upheld);
        }
        since = standing.restrictedSince;
        opensAt = since + RESTRICTION_LIMIT;
        // Whoever let the admin be replaced must not gain time by it.
        uint48 replacedAt = standing.adminReplacedAt;
        if (replacedAt >= since && replacedAt < opensAt) opensAt = replacedAt;
    }

    /// @inheritdoc IPartnerRegistry
    function standingOf(PartnerId partner) external view returns (Standing memory) {
        return _standings[partner];
    }

    /// @inheritdoc IPartnerRegistry
    function offeredAdminOf(PartnerId partner) external view returns (address) {
        return _offeredAdmins[partner];
    }

    /// @inheritdoc IPartnerRegistry
    function keyOf(PartnerId partner, address key) external view returns (OperatorKey memory) {
        return _keys[partner][key];
    }

    /// @inheritdoc IPartnerRegistry
    function endpointOf(PartnerId partner) external view returns (RelayEndpoint memory) {
        return _endpoints[partner];
    }

    /// @inheritdoc IPartnerRegistry
    function checkKey(PartnerId partner, address key, KeyPurpose purpose) public view {
        _checkKey(partner, _partners[partner].keyEpoch, key, purpose);
    }

    /// @inheritdoc IPartnerRegistry
    function exitAccountOf(PartnerId partner) public view returns (ExitAccount memory exit) {
        exit = _exits[partner];
        if (exit.next != address(0) && block.timestamp >= exit.from) exit = ExitAccount(exit.next, address(0), 0);
    }

    /// @inheritdoc IPartnerRegistry
    function knownPurposes() public view returns (KeyPurpose) {
        return FIRST_PURPOSES | _addedPurposes;
    }

    /// @inheritdoc IPartnerRegistry
    function knownRoles() public view returns (PartnerRole) {
        return FIRST_ROLES | _addedRoles;
    }

    /// @inheritdoc IPartnerRegistry
    function checkActive(PartnerId partner) public view {
        _active(partner);
    }

    function _setStatus(PartnerId partner, PartnerStatus status) private {
        Partner storage p = _partners[partner];
        Standing storage standing = _standings[partner];
        uint48 now_ = uint48(block.timestamp);
        ++standing.statusEpoch;
        standing.upheld = false;
        if (status == PartnerStatus.Active) {
            standing.reactivatedAt = now_;
        } else if (p.status == PartnerStatus.Active && now_ >= standing.reactivatedAt + RESTRICTION_LIMIT) {
            // A partner that was active for less goes on where it was: else the limit never comes.
            standing.restrictedSince = now_;
        }
        emit StatusChanged(partner, p.status, status);
        p.status = status;
    }

    function _replaceAdmin(PartnerId partner, Partner storage p, address admin) private {
        delete _offeredAdmins[partner];
        emit AdminChanged(partner, p.admin, admin);
        p.admin = admin;
    }

    /// @dev With `current` as it is in force now, and `next` only where it is not yet.
    function _settledExit(PartnerId partner) private returns (ExitAccount storage exit) {
        exit = _exits[partner];
        if (exit.next == address(0) || block.timestamp < exit.from) return exit;
        (exit.current, exit.next, exit.from) = (exit.next, address(0), 0);
    }

    function _standingAt(PartnerId partner, uint32 epoch) private view returns (Standing storage standing) {
        standing = _standings[partner];
        uint32 current = standing.statusEpoch;
        if (epoch != current) revert PartnerRegistry_StatusEpochMismatch(partner, epoch, current);
    }

    function _checkRole(PartnerId partner, PartnerRole needed) private view returns (uint32 keyEpoch) {
        Partner storage p = _active(partner);
        if (!p.roles.includes(needed)) revert PartnerRegistry_RoleMissing(partner, p.roles, needed);
        return p.keyEpoch;
    }

    function _checkKey(PartnerId partner, uint32 epoch, address key, KeyPurpose purpose) private view {
        OperatorKey storage granted = _keys[partner][key];
        bool counts = granted.epoch == epoch && block.timestamp <= granted.validUntil;
        if (!counts || !granted.purposes.includes(purpose)) {
            revert PartnerRegistry_KeyNotAuthorized(partner, key, purpose);
        }
    }

    function _active(PartnerId partner) private view returns (Partner storage p) {
        p = _known(partner);
        if (p.status != PartnerStatus.Active) revert PartnerRegistry_PartnerNotActive(partner, p.status);
    }

    function _known(PartnerId partner) private view returns (Partner storage p) {
        p = _partners[partner];
        if (p.status == PartnerStatus.None) revert PartnerRegistry_UnknownPartner(partner);
    }

    function _requireRoles(PartnerId partner, PartnerRole roles) private view {
        if (roles.isEmpty() || !knownRoles().includes(roles)) {
            revert PartnerRegistry_InvalidField(partner, "roles", abi.encodePacked(roles));
        }
    }

    function _requireAdmin(PartnerId partner, address admin) private pure {
        if (admin == address(0)) revert PartnerRegistry_InvalidField(partner, "admin", abi.encodePacked(admin));
    }

    function _isUpperCase(bytes2 country) private pure returns (bool) {
        return country[0] >= "A" && country[0] <= "Z" && country[1] >= "A" && country[1] <= "Z";
    }
}
