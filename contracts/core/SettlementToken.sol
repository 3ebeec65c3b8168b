// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ISettlementToken, ReserveAttestation} from "./interfaces/ISettlementToken.sol";
import {Signatures} from "./Signatures.sol";
import {CurrencyCode} from "../types/CurrencyCode.sol";

/// @title SettlementToken
/// @notice See {ISettlementToken}.
contract SettlementToken is ISettlementToken, ERC20, ERC20Permit, AccessManaged {
    using Checkpoints for Checkpoints.Trace208;

    /// @dev Of any currency in ISO 4217.
    uint8 private constant MOST_MINOR_DIGITS = 4;
    bytes32 private constant ATTESTATION_TYPEHASH = keccak256(
        "ReserveAttestation(uint128 reserve,uint48 asOf,bytes32 report)"
    );

    /// @inheritdoc ISettlementToken
    CurrencyCode public immutable currency;
    /// @inheritdoc ISettlementToken
    uint48 public immutable maxAttestationAge;
    uint8 private immutable _decimals;

    /// @inheritdoc ISettlementToken
    address public treasury;
    /// @inheritdoc ISettlementToken
    address public offeredTreasury;
    /// @inheritdoc ISettlementToken
    mapping(address account => bool) public isTreasury;
    /// @inheritdoc ISettlementToken
    address public attestor;
    ReserveAttestation private _attestation;
    /// Everything redeemed so far, by block timestamp: an attestation may arrive long after its count.
    Checkpoints.Trace208 private _redeemed;

    /// @param authority the AccessManager that governs the ledger
    /// @param treasury_ the first, see `treasury`
    /// @param currency_ ISO 4217 numeric code
    /// @param code ISO 4217 alphabetic code
    /// @param minorDigits decimals of the currency in ISO 4217
    /// @param maxAttestationAge_ see `maxAttestationAge`, in seconds
    /// @param attestor_ see `attestor`
    constructor(
        address authority,
        address treasury_,
        CurrencyCode currency_,
        string memory code,
        uint8 minorDigits,
        uint48 maxAttestationAge_,
        address attestor_
    )
        ERC20(string.concat("Feiqian ", code), string.concat("fq", code))
        ERC20Permit(string.concat("Feiqian ", code))
        AccessManaged(authority)
    {
        if (!currency_.isValid() || minorDigits > MOST_MINOR_DIGITS) {
            revert SettlementToken_InvalidCurrency(currency_, minorDigits);
        }
        currency = currency_;
        maxAttestationAge = maxAttestationAge_;
        _decimals = minorDigits;
        _setTreasury(treasury_);
        _setAttestor(attestor_);
    }

    /// @inheritdoc ISettlementToken
    function mint(address to, uint256 amount) external restricted {
        ReserveAttestation storage latest = _attestation;
        if (block.timestamp > uint256(latest.asOf) + maxAttestationAge) {
            revert SettlementToken_AttestationStale(latest.asOf, maxAttestationAge);
        }
        uint256 supply = totalSupply();
        uint256 redeemed = redeemedSince(latest.asOf);
        uint256 taken = supply + redeemed;
        // Compared with what is left, since taken + amount could leave the type.
        if (taken > latest.reserve || amount > latest.reserve - taken) {
            revert SettlementToken_ReserveExceeded(supply, redeemed, amount, latest.reserve);
        }
        _mint(to, amount);
    }

    /// @inheritdoc ISettlementToken
    function attest(ReserveAttestation calldata attestation, bytes calldata signature) external {
        uint48 latest = _attestation.asOf;
        if (attestation.asOf <= latest || attestation.asOf > block.timestamp) {
            revert SettlementToken_AttestationOutOfOrder(attestation.asOf, latest);
        }
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(ATTESTATION_TYPEHASH, attestation)));
        if (!Signatures.isBy(attestor, digest, signature)) {
            revert SettlementToken_InvalidSignature(attestor);
        }
        _attestation = attestation;
        emit ReserveAttested(attestation.reserve, attestation.asOf, attestation.report);
    }

    /// @inheritdoc ISettlementToken
    function redeem(uint256 amount, bytes32 destination) external {
        _burn(msg.sender, amount);
        _redeemed.push(uint48(block.timestamp), SafeCast.toUint208(_redeemed.latest() + amount));
        emit Redeemed(msg.sender, amount, destination);
    }

    /// @inheritdoc ISettlementToken
    function setAttestor(address current, address attestor_) external restricted {
        if (current != attestor) revert SettlementToken_AttestorMismatch(current, attestor);
        _setAttestor(attestor_);
    }

    /// @inheritdoc ISettlementToken
    function offerTreasury(address current, address offered) external restricted {
        if (current != treasury) revert SettlementToken_TreasuryMismatch(current, treasury);
        offeredTreasury = offered;
        emit TreasuryOffered(current, offered);
    }

    /// @inheritdoc ISettlementToken
    function acceptTreasury() external {
        if (msg.sender != offeredTreasury) revert SettlementToken_TreasuryNotOffered(msg.sender, offeredTreasury);
        delete offeredTreasury;
        _setTreasury(msg.sender);
    }

    /// @inheritdoc ISettlementToken
    function latestAttestation() external view returns (ReserveAttestation memory) {
        return _attestation;
    }

    /// @inheritdoc ISettlementToken
    function redeemedSince(uint48 asOf) public view returns (uint256) {
        uint208 before = asOf == 0 ? 0 : _redeemed.upperLookupRecent(asOf - 1);
        return _redeemed.latest() - before;
    }

    /// @notice ISO 4217 minor digits of the currency.
    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (msg.sender != to && isTreasury[to]) revert SettlementToken_DepositInstead(to);
        super._update(from, to, amount);
    }

    function _setTreasury(address treasury_) private {
        emit TreasuryChanged(treasury, treasury_);
        treasury = treasury_;
        isTreasury[treasury_] = true;
    }

    function _setAttestor(address attestor_) private {
        if (attestor_ == address(0)) revert SettlementToken_InvalidAttestor();
        emit AttestorChanged(attestor, attestor_);
        attestor = attestor_;
    }
}
