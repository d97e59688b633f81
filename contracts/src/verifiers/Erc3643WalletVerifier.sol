// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IWalletVerifier} from "../IWalletVerifier.sol";
import {IIdentityRegistry} from "./IIdentityRegistry.sol";

/// @title Erc3643WalletVerifier
/// @notice Answers tokens from one ERC-3643 identity registry, for one domain. The registry knows no levels: whoever is
///         verified there stands at the level this adapter was made for. It has no expiry either; verification ends
///         when a claim does, and is asked for at every question.
///
///         An identity contract is one address for everything its owner does: pseudonyms from here link domains.
contract Erc3643WalletVerifier is IWalletVerifier {
    /// @notice The registry that is asked.
    IIdentityRegistry public immutable identityRegistry;
    /// @notice The only domain that is answered for.
    bytes32 public immutable domain;
    /// @notice The level at which verified wallets stand.
    uint8 public immutable level;

    mapping(uint16 numeric => bytes2 alpha2) private _countries;

    /// @notice There is no contract at this address.
    error NotAContract(address account);
    /// @notice Arrays that belong together differ in length.
    error LengthMismatch();
    /// @notice The domain or the level is zero.
    error ZeroIdentifier();

    /// @param numeric ISO 3166-1 numeric codes, as the registry has them.
    /// @param alpha2  The same countries as ISO 3166-1 alpha-2. Others are answered as jurisdiction zero.
    constructor(
        address identityRegistry_,
        bytes32 domain_,
        uint8 level_,
        uint16[] memory numeric,
        bytes2[] memory alpha2
    ) {
        if (identityRegistry_.code.length == 0) revert NotAContract(identityRegistry_);
        if (domain_ == bytes32(0) || level_ == 0) revert ZeroIdentifier();
        if (numeric.length != alpha2.length) revert LengthMismatch();
        identityRegistry = IIdentityRegistry(identityRegistry_);
        domain = domain_;
        level = level_;
        for (uint256 i = 0; i < numeric.length; ++i) {
            _countries[numeric[i]] = alpha2[i];
        }
    }

    /// @inheritdoc IWalletVerifier
    function isValid(address wallet, bytes32 domain_) external view returns (bool valid) {
        return _isValid(wallet, domain_);
    }

    /// @inheritdoc IWalletVerifier
    function standingOf(address wallet, bytes32 domain_)
        external
        view
        returns (bool valid, uint8 level_, bytes2 jurisdiction, uint64 expiry)
    {
        if (!_isValid(wallet, domain_)) return (false, 0, 0, 0);
        return (true, level, _countries[identityRegistry.investorCountry(wallet)], type(uint64).max);
    }

    /// @inheritdoc IWalletVerifier
    /// @dev The address of the identity contract: the same in every domain.
    function pseudonymOf(address wallet, bytes32 domain_) external view returns (bytes32 pseudonym) {
        if (!_isValid(wallet, domain_)) return bytes32(0);
        return bytes32(uint256(uint160(identityRegistry.identity(wallet))));
    }

    function _isValid(address wallet, bytes32 domain_) private view returns (bool valid) {
        return domain_ == domain && identityRegistry.isVerified(wallet);
    }
}
