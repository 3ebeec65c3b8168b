// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {CurrencyCode} from "../../types/CurrencyCode.sol";

/// What an attestor signs (EIP-712, in the token's own domain): the money that stood behind the token at a moment.
struct ReserveAttestation {
    /// money held in the currency, in minor units, without what is still owed for tokens that were redeemed before
    uint128 reserve;
    /// block timestamp at which it was counted: what is redeemed from this second on is paid out of it
    uint48 asOf;
    /// hash of the report it comes from
    bytes32 report;
}

/// @title A currency's settlement token
/// @notice ERC-20 with permit (ERC-2612); one unit is one ISO 4217 minor unit. The currency's settlement bank mints
/// against money it holds, never beyond the latest attestation; holders redeem at any time. What was redeemed since the
/// money was counted leaves it, so that tokens and redemptions together never pass the attested reserve by a mint.
interface ISettlementToken is IERC20 {
    /// @notice Another account attests the money from now on.
    event AttestorChanged(address previous, address current);
    /// @notice Governance offers the token to another treasury, which takes it by accepting; to zero, to nobody.
    event TreasuryOffered(address current, address offered);
    /// @notice A treasury took the token, beside all that had it before.
    event TreasuryChanged(address previous, address current);
    /// @notice The money behind the token was counted; see `ReserveAttestation`.
    event ReserveAttested(uint128 reserve, uint48 asOf, bytes32 report);
    /// @notice The bank owes the holder `amount` off the ledger.
    /// @param destination hash of where to pay it, agreed with the bank
    event Redeemed(address indexed holder, uint256 amount, bytes32 destination);

    /// @notice No attestation yet, or the latest is older than its longest age.
    error SettlementToken_AttestationStale(uint48 asOf, uint48 maxAge);
    /// @notice Minting would take the supply, with what was redeemed since the money was counted, above the attested
    /// reserve.
    error SettlementToken_ReserveExceeded(uint256 supply, uint256 redeemed, uint256 amount, uint128 reserve);
    /// @notice An attestation must be newer than the one it replaces and not from the future.
    error SettlementToken_AttestationOutOfOrder(uint48 asOf, uint48 latest);
    /// @notice The attestor has changed since: the call was made for another.
    error SettlementToken_AttestorMismatch(address given, address current);
    /// @notice A token needs a currency with an ISO 4217 number and as many minor digits as ISO 4217 knows, 4 at most.
    error SettlementToken_InvalidCurrency(CurrencyCode currency, uint8 minorDigits);
    /// @notice The attestation is not signed by the attestor.
    error SettlementToken_InvalidSignature(address attestor);
    /// @notice The attestor must be an account.
    error SettlementToken_InvalidAttestor();
    /// @notice Another treasury took the token since: the call was made for the one before.
    error SettlementToken_TreasuryMismatch(address given, address current);
    /// @notice The token is offered to another treasury, or to none.
    error SettlementToken_TreasuryNotOffered(address caller, address offered);
    /// @notice Tokens reach a treasury by its `deposit`: sent there in another way they would belong to nobody.
    error SettlementToken_DepositInstead(address treasury);

    /// @notice Mints to `to` within a fresh attestation. The settlement bank only.
    function mint(address to, uint256 amount) external;

    /// @notice Records a newer attestation. Anyone may submit; the attestor signs.
    /// @param signature the attestor's, over the attestation (EIP-712; ERC-1271 where the attestor is a contract)
    function attest(ReserveAttestation calldata attestation, bytes calldata signature) external;

    /// @notice Burns the caller's tokens against the bank's debt to pay it off the ledger. Any holder, at any time.
    /// @param destination see `Redeemed`
    function redeem(uint256 amount, bytes32 destination) external;

    /// @notice Replaces the attestor. Governance only (role RISK).
    /// @param current the attestor that this replaces
    function setAttestor(address current, address attestor) external;

    /// @notice Offers the token to a new treasury. It takes effect when that accepts, which no account of anybody else
    /// does: so nobody can be kept from receiving tokens by this. Governance only (role UPGRADER).
    /// @param current the treasury that is the latest now
    /// @param offered the new one; zero takes an offer back
    function offerTreasury(address current, address offered) external;

    /// @notice Makes the caller the token's latest treasury. Only the one that it is offered to, which does so when
    /// the token is registered there.
    function acceptTreasury() external;

    /// @notice ISO 4217 numeric code.
    function currency() external view returns (CurrencyCode);

    /// @notice The account that signs attestations: best not the bank's own.
    function attestor() external view returns (address);

    /// @notice The attestation that minting is bounded by.
    function latestAttestation() external view returns (ReserveAttestation memory);

    /// @notice How much was redeemed since a block timestamp, in that second too. What was redeemed since the money was
    /// counted is paid out of that money, and so nothing can be minted against it.
    function redeemedSince(uint48 asOf) external view returns (uint256);

    /// @notice Longest age at which an attestation still allows minting, in seconds.
    function maxAttestationAge() external view returns (uint48);

    /// @notice The latest treasury. What moves money never asks for it: those before keep what they have.
    function treasury() external view returns (address);

    /// @notice Whom the token is offered to as its next treasury; zero for nobody.
    function offeredTreasury() external view returns (address);

    /// @notice Whether this is the token's treasury, or was: each receives tokens by its own deposits only, for good.
    function isTreasury(address account) external view returns (bool);
}
