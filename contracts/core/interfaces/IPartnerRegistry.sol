// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CurrencyCode} from "../../types/CurrencyCode.sol";
import {KeyPurpose} from "../../types/KeyPurpose.sol";
import {PartnerId} from "../../types/PartnerId.sol";
import {PartnerRole} from "../../types/PartnerRole.sol";

/// `None` is a partner that was never registered.
///
/// | status    | new batches, as any party | settle as target | deposit | withdraw | exit           | be credited |
/// |-----------|---------------------------|------------------|---------|----------|----------------|-------------|
/// | Active    | yes                       | yes              | yes     | yes      | no             | yes         |
/// | Suspended | no                        | yes              | yes     | no       | once it opens  | yes         |
/// | Frozen    | no                        | no               | yes     | no       | the same, till | yes         |
/// |           |                           |                  |         |          | it is upheld   |             |
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
    /// goes up when governance replaces the admin: keys that were granted before no longer count
    uint32 keyEpoch;
}

/// What has been done about a partner's status.
struct Standing {
    /// goes up with every change of the status; who answers a change names the epoch it made
    uint32 statusEpoch;
    /// block timestamp since which the partner has not been active, but for spells shorter than `RESTRICTION_LIMIT`
    uint48 restrictedSince;
    /// block timestamp of the latest reactivation
    uint48 reactivatedAt;
    /// block timestamp at which governance last replaced the admin
    uint48 adminReplacedAt;
    /// whether the supervisor has upheld the freeze that the partner is under
    bool upheld;
}

/// Where a partner's money may go while the partner is not active.
struct ExitAccount {
    /// the zero address where there is none
    address current;
    /// takes the place of `current` at `from`; the zero address where nothing is to change
    address next;
    /// block timestamp
    uint48 from;
}

struct OperatorKey {
    KeyPurpose purposes;
    /// last block timestamp at which it may act
    uint48 validUntil;
    /// the partner's key epoch when it was granted
    uint32 epoch;
}

/// Where a partner's relay is reached, and the public keys that its messages are signed with and encrypted to.
struct RelayEndpoint {
    string url;
    /// Ed25519 (RFC 8032), for HTTP message signatures (RFC 9421)
    bytes32 signingKey;
    /// X25519 (RFC 7748), for JWE
    bytes32 encryptionKey;
}

/// @title Who may do what
/// @notice Partners, their status, roles and keys. Governance registers partners; a guardian suspends and freezes at
/// once; a supervisor, whom the guardian cannot stop, undoes that or upholds it; each partner's admin sets its own
/// keys.
///
/// A call of governance whose sense depends on what is on the ledger names what it was made for: an epoch, or the value
/// that it replaces. One that was scheduled before something else happened then reverts.
interface IPartnerRegistry {
    /// @notice A partner was registered, as active.
    event PartnerRegistered(
        PartnerId indexed partner,
        address admin,
        bytes2 country,
        CurrencyCode homeCurrency,
        PartnerRole roles
    );
    /// @notice Governance replaced a partner's admin, or the admin handed over to another.
    event AdminChanged(PartnerId indexed partner, address previous, address current);
    /// @notice A partner's admin offers its place.
    event AdminOffered(PartnerId indexed partner, address next);
    /// @notice No key that the partner granted until now counts any longer.
    event KeysEnded(PartnerId indexed partner, uint32 keyEpoch);
    /// @notice From then on this is the partner's exit account.
    event ExitAccountSet(PartnerId indexed partner, address account, uint48 from);
    /// @notice Governance replaced the admin before this account became the exit account: it will not.
    event ExitAccountDropped(PartnerId indexed partner, address account);
    /// @notice The supervisor upheld a freeze: the partner has no exit for as long as it lasts.
    /// @param order hash of the order that it was made for
    event FreezeUpheld(PartnerId indexed partner, bytes32 order);
    /// @notice Governance replaced a partner's roles.
    event RolesChanged(PartnerId indexed partner, PartnerRole previous, PartnerRole current);
    /// @notice A partner was suspended, frozen or reactivated.
    event StatusChanged(PartnerId indexed partner, PartnerStatus previous, PartnerStatus current);
    /// @notice A partner granted a key these purposes, in place of any it had.
    event KeyAuthorized(PartnerId indexed partner, address indexed key, KeyPurpose purposes, uint48 validUntil);
    /// @notice Keys can be granted another purpose from now on.
    event PurposeAdded(KeyPurpose purpose, string name);
    /// @notice Partners can have another role from now on.
    event RoleAdded(PartnerRole role, string name);
    /// @notice A partner took all purposes from a key.
    event KeyRevoked(PartnerId indexed partner, address indexed key);
    /// @notice A partner's relay is reached elsewhere, or has other keys.
    event EndpointChanged(PartnerId indexed partner, RelayEndpoint endpoint);

    /// @notice The partner was never registered.
    error PartnerRegistry_UnknownPartner(PartnerId partner);
    /// @notice The id is taken, or is zero.
    error PartnerRegistry_IdNotFree(PartnerId partner);
    /// @notice A field is missing, or has a value that it cannot have.
    /// @param given the value, packed as its type is
    error PartnerRegistry_InvalidField(PartnerId partner, string field, bytes given);
    /// @notice A purpose that is to be added must be a single one that does not exist yet.
    error PartnerRegistry_InvalidPurpose(KeyPurpose given, KeyPurpose existing);
    /// @notice A role that is to be added must be a single one that does not exist yet.
    error PartnerRegistry_InvalidRole(PartnerRole given, PartnerRole existing);
    /// @notice The caller is not the partner's admin.
    error PartnerRegistry_NotAdmin(PartnerId partner, address caller, address admin);
    /// @notice The partner's status does not lead to the requested one.
    error PartnerRegistry_IllegalStatus(PartnerId partner, PartnerStatus current, PartnerStatus requested);
    /// @notice The status has changed since: the call was made for another epoch.
    error PartnerRegistry_StatusEpochMismatch(PartnerId partner, uint32 given, uint32 current);
    /// @notice The admin was replaced since: the call was made for another epoch.
    error PartnerRegistry_KeyEpochMismatch(PartnerId partner, uint32 given, uint32 current);
    /// @notice The roles have changed since: the call was made for others.
    error PartnerRegistry_RolesMismatch(PartnerId partner, PartnerRole given, PartnerRole current);
    /// @notice Governance replaced the admin: until this block timestamp the partner stays as it is.
    error PartnerRegistry_AdminNotice(PartnerId partner, uint48 until);
    /// @notice The place of the partner's admin was not offered to the caller.
    error PartnerRegistry_AdminNotOffered(PartnerId partner, address caller, address offered);
    /// @notice The caller is not the partner's exit account.
    error PartnerRegistry_NotExitAccount(PartnerId partner, address caller, address exitAccount);
    /// @notice The partner has no exit: it is active and withdraws, or its freeze is upheld.
    error PartnerRegistry_NoExit(PartnerId partner, PartnerStatus status, bool upheld);
    /// @notice The partner's status forbids this.
    error PartnerRegistry_PartnerNotActive(PartnerId partner, PartnerStatus status);
    /// @notice The partner lacks a role that this needs.
    error PartnerRegistry_RoleMissing(PartnerId partner, PartnerRole granted, PartnerRole needed);
    /// @notice The key may not do this for the partner: not granted, or past its validity.
    error PartnerRegistry_KeyNotAuthorized(PartnerId partner, address key, KeyPurpose needed);
    /// @notice The key's purposes are empty, or one of them does not exist; or its validity is already over.
    error PartnerRegistry_InvalidKey(PartnerId partner, address key, KeyPurpose purposes, uint48 validUntil);
    /// @notice Registers a partner as active. Governance only (role REGISTRAR).
    /// @param partner an id that is not taken
    /// @param admin see `Partner.admin`
    /// @param country ISO 3166-1 alpha-2, upper case
    /// @param homeCurrency ISO 4217 numeric code
    /// @param roles at least one, all of which exist
    function registerPartner(
        PartnerId partner,
        address admin,
        bytes2 country,
        CurrencyCode homeCurrency,
        PartnerRole roles
    ) external;

    /// @notice Replaces a partner's admin where the old one is lost or in the wrong hands. All keys end, and so does a
    /// change of the exit account that is not yet in force. An active partner is suspended: it can exit at once, and be
    /// reactivated after `ADMIN_NOTICE`. Governance only (role REGISTRAR).
    /// @param keyEpoch the partner's, see `Partner.keyEpoch`
    function setAdmin(PartnerId partner, uint32 keyEpoch, address admin) external;

    /// @notice Offers the place of the admin to another account, in place of any it was offered to before. Keys stay.
    /// The partner's admin only, while the partner is active.
    function offerAdmin(PartnerId partner, address next) external;

    /// @notice Takes the place of the partner's admin. Whom it was offered to only, while the partner is active.
    function acceptAdmin(PartnerId partner) external;

    /// @notice Sets where the partner's money may go while it is not active, after `EXIT_DELAY`; until then what was
    /// there before counts. The partner's admin only, whatever its status.
    /// @param account another than the admin's, best one that is used for nothing else: it calls the treasury's `exit`
    function setExitAccount(PartnerId partner, address account) external;

    /// @notice Replaces a partner's roles. Open batches are not touched. Governance only (role REGISTRAR).
    /// @param current the roles that these replace
    function setRoles(PartnerId partner, PartnerRole current, PartnerRole roles) external;

    /// @notice Lets keys be granted another purpose. No key has it until its partner's admin grants it. Governance
    /// only (role UPGRADER).
    /// @param purpose a single bit
    /// @param name for people
    function addPurpose(KeyPurpose purpose, string calldata name) external;

    /// @notice Lets partners have another role. Governance only (role UPGRADER).
    /// @param role a single bit
    /// @param name for people
    function addRole(PartnerRole role, string calldata name) external;

    /// @notice Active → Suspended. Guardian only.
    function suspend(PartnerId partner) external;

    /// @notice Active or Suspended → Frozen. Guardian only.
    function freeze(PartnerId partner) external;

    /// @notice Suspended or Frozen → Active. Governance only (role SUPERVISOR).
    /// @param statusEpoch the one that the suspension or freeze made, see `standingOf`
    function reactivate(PartnerId partner, uint32 statusEpoch) external;

    /// @notice Upholds a freeze, so that the partner has no exit until it is reactivated. Governance only (role
    /// SUPERVISOR).
    /// @param statusEpoch the one that the freeze made, see `standingOf`
    /// @param order hash of the order, a court's for instance, that it is made for
    function upholdFreeze(PartnerId partner, uint32 statusEpoch, bytes32 order) external;

    /// @notice Grants a key its purposes, in place of what it had. The partner's admin only, whatever its status, so
    /// that keys can be rotated while a partner is suspended or frozen. The new key and the old may overlap.
    /// @param key an externally owned account, or a contract that answers ERC-1271
    /// @param validUntil last block timestamp at which it may act
    function authorizeKey(PartnerId partner, address key, KeyPurpose purposes, uint48 validUntil) external;

    /// @notice Takes all purposes from a key, at once. Batches it opened stay open. The partner's admin only.
    function revokeKey(PartnerId partner, address key) external;

    /// @notice Sets where the partner's relay is reached. The partner's admin only.
    function setEndpoint(PartnerId partner, RelayEndpoint calldata endpoint) external;

    /// @notice Reverts unless the partner and the other are active and have the role, and the key the purpose for the
    /// partner.
    /// @param other whom the partner deals with in the same role; itself where there is nobody
    function checkAuthority(
        PartnerId partner,
        PartnerRole role,
        address key,
        KeyPurpose purpose,
        PartnerId other
    ) external view;

    /// @notice Reverts if the partner is frozen, or unless the key has the purpose for it: for what was begun before,
    /// which a suspended partner still ends.
    function checkCommitted(PartnerId partner, address key, KeyPurpose purpose) external view;

    /// @notice Reverts unless the partner was registered.
    function checkKnown(PartnerId partner) external view;

    /// @notice Reverts unless the key has the purpose for the partner and is within its validity.
    function checkKey(PartnerId partner, address key, KeyPurpose purpose) external view;

    /// @notice Reverts unless the partner is active and has the role.
    function checkRole(PartnerId partner, PartnerRole role) external view;

    /// @notice All purposes that a key can be granted.
    function knownPurposes() external view returns (KeyPurpose);

    /// @notice All roles that a partner can have.
    function knownRoles() external view returns (PartnerRole);

    /// @notice Reverts unless the partner is active.
    function checkActive(PartnerId partner) external view;

    /// @notice Reverts unless the account is the partner's exit account, and the partner neither active nor under a
    /// freeze that was upheld.
    /// @return since see `Standing.restrictedSince`
    /// @return opensAt block timestamp from which the partner may exit whatever else happens
    function checkExit(PartnerId partner, address account) external view returns (uint48 since, uint48 opensAt);

    /// @notice Everything about a partner but its keys. Zero where unknown.
    function partnerOf(PartnerId partner) external view returns (Partner memory);

    /// @notice What has been done about a partner's status. Zero where nothing was.
    function standingOf(PartnerId partner) external view returns (Standing memory);

    /// @notice Where the partner's money may go while it is not active, now and later.
    function exitAccountOf(PartnerId partner) external view returns (ExitAccount memory);

    /// @notice Whom the place of a partner's admin is offered to; the zero address where it is not.
    function offeredAdminOf(PartnerId partner) external view returns (address);

    /// @notice What a key was granted, valid or not.
    function keyOf(PartnerId partner, address key) external view returns (OperatorKey memory);

    /// @notice Where a partner's relay is reached. Empty where it has set none.
    function endpointOf(PartnerId partner) external view returns (RelayEndpoint memory);
}
