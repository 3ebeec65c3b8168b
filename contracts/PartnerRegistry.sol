// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {
    CorridorTerms,
    IPartnerRegistry,
    OperatorKey,
    Partner,
    PartnerStatus,
    RelayEndpoint
} from "./interfaces/IPartnerRegistry.sol";
import {CorridorId} from "./types/CorridorId.sol";
import {CurrencyCode, NO_CURRENCY} from "./types/CurrencyCode.sol";
import {ACCEPT, KeyPurpose, QUOTE, SEND} from "./types/KeyPurpose.sol";
import {NO_PARTNER, PartnerId} from "./types/PartnerId.sol";
import {LIQUIDITY_PROVIDER, PartnerRole, WALLET} from "./types/PartnerRole.sol";

/// @title PartnerRegistry
/// @notice See {IPartnerRegistry}.
contract PartnerRegistry is IPartnerRegistry, AccessManaged {
    /// @notice The highest network fee a corridor may have: 10 %.
    uint16 public constant MAX_FEE_BPS = 1_000;

    mapping(PartnerId => Partner) private _partners;
    mapping(PartnerId => mapping(address key => OperatorKey)) private _keys;
    mapping(PartnerId => RelayEndpoint) private _endpoints;
    mapping(CorridorId => CorridorTerms) private _corridors;

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
        if (admin == address(0)) revert PartnerRegistry_InvalidField(partner, "admin");
        if (!_isUpperCase(country)) revert PartnerRegistry_InvalidField(partner, "country");
        if (homeCurrency == NO_CURRENCY) revert PartnerRegistry_InvalidField(partner, "homeCurrency");
        if (!roles.isValid()) revert PartnerRegistry_InvalidField(partner, "roles");

        _partners[partner] = Partner(admin, country, homeCurrency, roles, PartnerStatus.Active);
        emit PartnerRegistered(partner, admin, country, homeCurrency, roles);
    }

    /// @inheritdoc IPartnerRegistry
    function setAdmin(PartnerId partner, address admin) external restricted {
        if (admin == address(0)) revert PartnerRegistry_InvalidField(partner, "admin");
        Partner storage p = _known(partner);
        emit AdminChanged(partner, p.admin, admin);
        p.admin = admin;
    }

    /// @inheritdoc IPartnerRegistry
    function setRoles(PartnerId partner, PartnerRole roles) external restricted {
        if (!roles.isValid()) revert PartnerRegistry_InvalidField(partner, "roles");
        Partner storage p = _known(partner);
        emit RolesChanged(partner, p.roles, roles);
        p.roles = roles;
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
    function reactivate(PartnerId partner) external restricted {
        PartnerStatus current = _known(partner).status;
        if (current == PartnerStatus.Active) {
            revert PartnerRegistry_IllegalStatus(partner, current, PartnerStatus.Active);
        }
        _setStatus(partner, PartnerStatus.Active);
    }

    /// @inheritdoc IPartnerRegistry
    function authorizeKey(
        PartnerId partner,
        address key,
        KeyPurpose purposes,
        uint48 validUntil
    ) external onlyAdmin(partner) {
        if (key == address(0) || purposes.isEmpty() || !purposes.isKnown() || validUntil < block.timestamp) {
            revert PartnerRegistry_InvalidKey(partner, key, purposes, validUntil);
        }
        _keys[partner][key] = OperatorKey(purposes, validUntil);
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
    function setCorridor(CorridorId corridor, CorridorTerms calldata terms) external restricted {
        (PartnerId source, CurrencyCode sourceCurrency, PartnerId target, CurrencyCode targetCurrency) = corridor
            .unpack();
        if (source == target) revert PartnerRegistry_InvalidCorridor(corridor, "target");
        if (sourceCurrency == NO_CURRENCY) revert PartnerRegistry_InvalidCorridor(corridor, "sourceCurrency");
        if (targetCurrency == NO_CURRENCY) revert PartnerRegistry_InvalidCorridor(corridor, "targetCurrency");
        if (terms.feeBps > MAX_FEE_BPS) revert PartnerRegistry_InvalidCorridor(corridor, "feeBps");
        if (terms.maxPerBatch > terms.maxPerDay) revert PartnerRegistry_InvalidCorridor(corridor, "maxPerBatch");
        _known(source);
        _known(target);

        _corridors[corridor] = terms;
        emit CorridorChanged(corridor, terms);
    }

    /// @inheritdoc IPartnerRegistry
    function closeCorridor(CorridorId corridor) external restricted {
        CorridorTerms storage terms = _corridors[corridor];
        if (!terms.open) revert PartnerRegistry_CorridorClosed(corridor);
        terms.open = false;
        emit CorridorChanged(corridor, terms);
    }

    /// @inheritdoc IPartnerRegistry
    function checkOpen(
        CorridorId corridor,
        PartnerId provider,
        address sendKey,
        address quoteKey
    ) external view returns (CorridorTerms memory terms) {
        terms = _corridors[corridor];
        if (!terms.open) revert PartnerRegistry_CorridorClosed(corridor);
        (PartnerId source, , PartnerId target, ) = corridor.unpack();
        _checkParticipant(source, WALLET);
        _checkParticipant(target, WALLET);
        checkKey(source, sendKey, SEND);
        if (provider == NO_PARTNER) return terms;
        _checkParticipant(provider, LIQUIDITY_PROVIDER);
        checkKey(provider, quoteKey, QUOTE);
    }

    /// @inheritdoc IPartnerRegistry
    function checkSettle(PartnerId target, address acceptKey) external view {
        PartnerStatus status = _known(target).status;
        if (status == PartnerStatus.Frozen) revert PartnerRegistry_PartnerNotActive(target, status);
        checkKey(target, acceptKey, ACCEPT);
    }

    /// @inheritdoc IPartnerRegistry
    function partnerOf(PartnerId partner) external view returns (Partner memory) {
        return _partners[partner];
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
    function corridorOf(CorridorId corridor) external view returns (CorridorTerms memory) {
        return _corridors[corridor];
    }

    /// @inheritdoc IPartnerRegistry
    function checkKey(PartnerId partner, address key, KeyPurpose purpose) public view {
        OperatorKey storage granted = _keys[partner][key];
        if (!granted.purposes.includes(purpose) || block.timestamp > granted.validUntil) {
            revert PartnerRegistry_KeyNotAuthorized(partner, key, purpose);
        }
    }

    /// @inheritdoc IPartnerRegistry
    function checkActive(PartnerId partner) public view {
        PartnerStatus status = _known(partner).status;
        if (status != PartnerStatus.Active) revert PartnerRegistry_PartnerNotActive(partner, status);
    }

    function _setStatus(PartnerId partner, PartnerStatus status) private {
        Partner storage p = _partners[partner];
        emit StatusChanged(partner, p.status, status);
        p.status = status;
    }

    function _checkParticipant(PartnerId partner, PartnerRole needed) private view {
        checkActive(partner);
        PartnerRole granted = _partners[partner].roles;
        if (!granted.includes(needed)) revert PartnerRegistry_RoleMissing(partner, granted, needed);
    }

    function _known(PartnerId partner) private view returns (Partner storage p) {
        p = _partners[partner];
        if (p.status == PartnerStatus.None) revert PartnerRegistry_UnknownPartner(partner);
    }

    function _isUpperCase(bytes2 country) private pure returns (bool) {
        return country[0] >= "A" && country[0] <= "Z" && country[1] >= "A" && country[1] <= "Z";
    }
}
