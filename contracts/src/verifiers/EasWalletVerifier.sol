// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEthereumDIDRegistry} from "../IEthereumDIDRegistry.sol";
import {ITrustRegistry} from "../ITrustRegistry.sol";
import {IWalletVerifier} from "../IWalletVerifier.sol";
import {Attestation, IEAS} from "./IEAS.sol";

/// @title EasWalletVerifier
/// @notice Answers tokens from attestations of the Ethereum Attestation Service. The schema is
///         `bytes32 domain, bytes32 pseudonym, uint8 level, bytes2 jurisdiction`; the recipient is the wallet; the
///         attester is an identity of the registry of DIDs that owns itself and is accredited for KycAttestation.
///
///         The service has no index from wallet to attestation, so the wallet or the attester presents one here. From
///         then on it is looked up at every question: revoked, expired, or by an attester who is no longer accredited,
///         it counts for nothing.
///
///         An attestation service cannot limit how many wallets a pseudonym has; a token that needs that limit adds up
///         by `pseudonymOf`.
contract EasWalletVerifier is IWalletVerifier {
    /// @dev Read once, at presentation: none of it ever changes. (The rule takes bytes2 for a slot of its own.)
    // solhint-disable-next-line gas-struct-packing
    struct Presented {
        bytes32 uid;
        bytes32 pseudonym;
        address attester;
        uint64 expiry;
        bytes2 jurisdiction;
        uint8 level;
    }

    /// @notice What an attester must be accredited for.
    bytes32 public constant KYC = keccak256("KycAttestation");
    uint256 private constant DATA_LENGTH = 128;

    /// @notice The attestation service.
    IEAS public immutable eas;
    /// @notice The only schema that counts.
    bytes32 public immutable schema;
    /// @notice Who owns an identity.
    IEthereumDIDRegistry public immutable didRegistry;
    /// @notice Who may attest.
    ITrustRegistry public immutable trustRegistry;

    mapping(bytes32 domain => mapping(address wallet => Presented)) private _presented;

    /// @notice This attestation answers for the wallet in this domain from now on.
    event Presentation(address indexed wallet, bytes32 indexed domain, bytes32 indexed uid);

    /// @notice There is no contract at this address.
    error NotAContract(address account);
    /// @notice There is no such attestation, it is revoked, expired or cannot be revoked, or is not of our schema.
    error NotUsable(bytes32 uid);
    /// @notice The attester does not own its identity, or it is not accredited for KycAttestation.
    error AttesterNotAccredited(address attester);
    /// @notice The caller is neither the attestation's recipient nor its attester.
    error NotConcerned(address caller);

    constructor(address eas_, bytes32 schema_, address didRegistry_, address trustRegistry_) {
        if (eas_.code.length == 0) revert NotAContract(eas_);
        if (didRegistry_.code.length == 0) revert NotAContract(didRegistry_);
        if (trustRegistry_.code.length == 0) revert NotAContract(trustRegistry_);
        eas = IEAS(eas_);
        schema = schema_;
        didRegistry = IEthereumDIDRegistry(didRegistry_);
        trustRegistry = ITrustRegistry(trustRegistry_);
    }

    /// @notice Lets an attestation answer for its recipient, in place of the one presented before. A level or pseudonym
    ///         of zero in it is an attestation that is not usable.
    /// @dev    Its recipient or its attester. Errors, in order: NotUsable, NotConcerned, AttesterNotAccredited.
    function present(bytes32 uid) external {
        Attestation memory found = eas.getAttestation(uid);
        bool known = uid != bytes32(0) && found.uid == uid && found.schema == schema && found.revocable;
        if (!known || found.data.length != DATA_LENGTH || !_isCurrent(found)) revert NotUsable(uid);
        (bytes32 domain, bytes32 pseudonym, uint256 level, bytes32 jurisdiction) =
            abi.decode(found.data, (bytes32, bytes32, uint256, bytes32));
        // forge-lint: disable-next-line(unsafe-typecast)
        (uint8 shortLevel, bytes2 shortJurisdiction) = (uint8(level), bytes2(jurisdiction));
        bool proper = level != 0 && level == shortLevel && jurisdiction == shortJurisdiction;
        if (!proper || pseudonym == bytes32(0)) revert NotUsable(uid);
        if (msg.sender != found.recipient && msg.sender != found.attester) revert NotConcerned(msg.sender);
        if (!_isAccredited(found.attester)) revert AttesterNotAccredited(found.attester);
        _presented[domain][found.recipient] = Presented({
            uid: uid,
            pseudonym: pseudonym,
            attester: found.attester,
            expiry: found.expirationTime == 0 ? type(uint64).max : found.expirationTime,
            jurisdiction: shortJurisdiction,
            level: shortLevel
        });
        emit Presentation(found.recipient, domain, uid);
    }

    /// @inheritdoc IWalletVerifier
    function isValid(address wallet, bytes32 domain) external view returns (bool valid) {
        return _isValid(_presented[domain][wallet]);
    }

    /// @inheritdoc IWalletVerifier
    function standingOf(address wallet, bytes32 domain)
        external
        view
        returns (bool valid, uint8 level, bytes2 jurisdiction, uint64 expiry)
    {
        Presented storage presented = _presented[domain][wallet];
        if (!_isValid(presented)) return (false, 0, 0, 0);
        return (true, presented.level, presented.jurisdiction, presented.expiry);
    }

    /// @inheritdoc IWalletVerifier
    /// @dev Unrelated between domains as far as the attesters keep it so.
    function pseudonymOf(address wallet, bytes32 domain) external view returns (bytes32 pseudonym) {
        Presented storage presented = _presented[domain][wallet];
        return _isValid(presented) ? presented.pseudonym : bytes32(0);
    }

    function _isValid(Presented storage presented) private view returns (bool valid) {
        bytes32 uid = presented.uid;
        if (uid == bytes32(0) || !_isCurrent(eas.getAttestation(uid))) return false;
        return _isAccredited(presented.attester);
    }

    function _isAccredited(address attester) private view returns (bool accredited) {
        return didRegistry.identityOwner(attester) == attester
            && trustRegistry.isAccredited(attester, KYC, uint64(block.timestamp));
    }

    function _isCurrent(Attestation memory found) private view returns (bool current) {
        return found.revocationTime == 0 && (found.expirationTime == 0 || block.timestamp < found.expirationTime);
    }
}
