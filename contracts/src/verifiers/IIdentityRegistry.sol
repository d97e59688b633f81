// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IIdentityRegistry
/// @notice What Erc3643WalletVerifier asks of an ERC-3643 identity registry.
interface IIdentityRegistry {
    /// @notice Whether the wallet's identity holds every claim that the token's issuer demands now.
    function isVerified(address wallet) external view returns (bool verified);

    /// @notice The wallet's identity contract (ONCHAINID); zero if it has none.
    function identity(address wallet) external view returns (address onchainId);

    /// @notice The country of the wallet's owner, ISO 3166-1 numeric.
    function investorCountry(address wallet) external view returns (uint16 country);
}
