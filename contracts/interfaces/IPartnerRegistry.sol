// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CorridorId} from "../types/CorridorId.sol";
import {CurrencyCode} from "../types/CurrencyCode.sol";
import {KeyPurpose} from "../types/KeyPurpose.sol";
import {PartnerId} from "../types/PartnerId.sol";
import {PartnerRole} from "../types/PartnerRole.sol";

/// `None` is a partner that was never registered.
///
/// | status    | new batches, as any party | settle as target | deposit | withdraw | be credited |
/// |-----------|---------------------------|------------------|---------|----------|-------------|
/// | Active    | yes                       | yes              | yes     | yes      | yes         |
/// | Suspended | no                        | yes              | yes     | no       | yes         |
/// | Frozen    | no                        | no               | yes     | no       | yes         |
///
/// A batch that was open before settles or is refunded as if its source partner and its provider were active: what was
/// committed stays committed, and no refund depends on anyone's status.
enum PartnerStatus {
    None,
    Active,
    Suspended,
    Frozen
}

struct Partner {
    /// the account that sets the partner's keys and endpoint: best a multisignature contract
    address admin;
    /// ISO 3166-1 alpha-2
    bytes2 country;
    CurrencyCode homeCurrency;
    PartnerRole roles;
    PartnerStatus status;
}

struct OperatorKey {
    KeyPurpose purposes;
    /// last block timestamp at which it may act
    uint48 validUntil;
}

/// Where a partner's relay is reached, and the public keys that its messages are signed with and encrypted to.
struct RelayEndpoint {
    string url;
    /// Ed25519 (RFC 8032), for HTTP message signatures (RFC 9421)
    bytes32 signingKey;
    /// X25519 (RFC 7748), for JWE
    bytes32 encryptionKey;
}

struct CorridorTerms {
    bool open;
    /// network fee in basis points of the source total, rounded up, on top of it
    uint16 feeBps;
    /// largest source total of one batch, in source minor units
    uint112 maxPerBatch;
    /// largest sum of source totals opened in one UTC day, in source minor units
    uint112 maxPerDay;
}

/// @title Who may do what
/// @notice Partners, their status, roles and keys, and the corridors between them. Governance registers partners and
/// sets corridors; a guardian suspends, freezes and closes at once; each partner's admin sets its own keys.
interface IPartnerRegistry {
    /// @notice A partner was registered, as active.
    event PartnerRegistered(
        PartnerId indexed partner,
        address admin,
        bytes2 country,
        CurrencyCode homeCurrency,
        PartnerRole roles
    );
    /// @notice Governance replaced a partner's admin.
    event AdminChanged(PartnerId indexed partner, address previous, address current);
    /// @notice Governance replaced a partner's roles.
    event RolesChanged(PartnerId indexed partner, PartnerRole previous, PartnerRole current);
    /// @notice A partner was suspended, frozen or reactivated.
    event StatusChanged(PartnerId indexed partner, PartnerStatus previous, PartnerStatus current);
    /// @notice A partner granted a key these purposes, in place of any it had.
    event KeyAuthorized(PartnerId indexed partner, address indexed key, KeyPurpose purposes, uint48 validUntil);
    /// @notice A partner took all purposes from a key.
    event KeyRevoked(PartnerId indexed partner, address indexed key);
    /// @notice A partner's relay is reached elsewhere, or has other keys.
    event EndpointChanged(PartnerId indexed partner, RelayEndpoint endpoint);
    /// @notice A corridor has these terms for batches opened from now on.
    event CorridorChanged(CorridorId indexed corridor, CorridorTerms terms);

    /// @notice The partner was never registered.
    error PartnerRegistry_UnknownPartner(PartnerId partner);
    /// @notice The id is taken, or is zero.
    error PartnerRegistry_IdNotFree(PartnerId partner);
    /// @notice A field of a registration is missing or unknown: its name is given.
    error PartnerRegistry_InvalidField(PartnerId partner, string field);
    /// @notice The caller is not the partner's admin.
    error PartnerRegistry_NotAdmin(PartnerId partner, address caller, address admin);
    /// @notice The partner's status does not lead to the requested one.
    error PartnerRegistry_IllegalStatus(PartnerId partner, PartnerStatus current, PartnerStatus requested);
    /// @notice The partner's status forbids this.
    error PartnerRegistry_PartnerNotActive(PartnerId partner, PartnerStatus status);
    /// @notice The partner lacks a role that this needs.
    error PartnerRegistry_RoleMissing(PartnerId partner, PartnerRole granted, PartnerRole needed);
    /// @notice The key may not do this for the partner: not granted, or past its validity.
    error PartnerRegistry_KeyNotAuthorized(PartnerId partner, address key, KeyPurpose needed);
    /// @notice The key's purposes are empty or unknown, or its validity is already over.
    error PartnerRegistry_InvalidKey(PartnerId partner, address key, KeyPurpose purposes, uint48 validUntil);
    /// @notice The corridor is closed, or was never opened.
    error PartnerRegistry_CorridorClosed(CorridorId corridor);
    /// @notice The corridor cannot have these terms: the name of the field that is wrong is given.
    error PartnerRegistry_InvalidCorridor(CorridorId corridor, string field);

    /// @notice Registers a partner as active. Governance only (role REGISTRAR).
    /// @param partner an id that is not taken
    /// @param admin see `Partner.admin`
    /// @param country ISO 3166-1 alpha-2, upper case
    /// @param homeCurrency ISO 4217 numeric code
    /// @param roles at least one
    function registerPartner(
        PartnerId partner,
        address admin,
        bytes2 country,
        CurrencyCode homeCurrency,
        PartnerRole roles
    ) external;

    /// @notice Replaces a partner's admin. Governance only (role REGISTRAR).
    function setAdmin(PartnerId partner, address admin) external;

    /// @notice Replaces a partner's roles. Open batches are not touched. Governance only (role REGISTRAR).
    function setRoles(PartnerId partner, PartnerRole roles) external;

    /// @notice Active → Suspended. Guardian only.
    function suspend(PartnerId partner) external;

    /// @notice Active or Suspended → Frozen. Guardian only.
    function freeze(PartnerId partner) external;

    /// @notice Suspended or Frozen → Active. Governance only.
    function reactivate(PartnerId partner) external;

    /// @notice Grants a key its purposes, in place of what it had. The partner's admin only, whatever its status, so
    /// that keys can be rotated while a partner is suspended or frozen. The new key and the old may overlap.
    /// @param key an externally owned account, or a contract that answers ERC-1271
    /// @param validUntil last block timestamp at which it may act
    function authorizeKey(PartnerId partner, address key, KeyPurpose purposes, uint48 validUntil) external;

    /// @notice Takes all purposes from a key, at once. Batches it opened stay open. The partner's admin only.
    function revokeKey(PartnerId partner, address key) external;

    /// @notice Sets where the partner's relay is reached. The partner's admin only.
    function setEndpoint(PartnerId partner, RelayEndpoint calldata endpoint) external;

    /// @notice Opens a corridor or changes its terms, for batches opened from now on. Governance only (role RISK).
    function setCorridor(CorridorId corridor, CorridorTerms calldata terms) external;

    /// @notice Closes a corridor to new batches; its other terms stay. Guardian only.
    function closeCorridor(CorridorId corridor) external;

    /// @notice Reverts unless a batch of these participants may be opened by these keys.
    /// @param provider NO_PARTNER where no quote is drawn on; its key is then ignored
    /// @return terms the corridor's terms
    function checkOpen(
        CorridorId corridor,
        PartnerId provider,
        address sendKey,
        address quoteKey
    ) external view returns (CorridorTerms memory terms);

    /// @notice Reverts if the target partner is frozen, or unless the key may accept for it.
    function checkSettle(PartnerId target, address acceptKey) external view;

    /// @notice Reverts unless the key has the purpose for the partner and is within its validity.
    function checkKey(PartnerId partner, address key, KeyPurpose purpose) external view;

    /// @notice Reverts unless the partner is active.
    function checkActive(PartnerId partner) external view;

    /// @notice Everything about a partner but its keys. Zero where unknown.
    function partnerOf(PartnerId partner) external view returns (Partner memory);

    /// @notice What a key was granted, valid or not.
    function keyOf(PartnerId partner, address key) external view returns (OperatorKey memory);

    /// @notice Where a partner's relay is reached. Empty where it has set none.
    function endpointOf(PartnerId partner) external view returns (RelayEndpoint memory);

    /// @notice A corridor's terms. Closed and zero where it was never opened.
    function corridorOf(CorridorId corridor) external view returns (CorridorTerms memory);
}
