// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IEthereumDIDRegistry
/// @notice What Chancery's contracts ask of the registry of DIDs (ERC-1056): who owns an identity now, and whom its
///         owner let speak for it.
interface IEthereumDIDRegistry {
    /// @notice The account that speaks for `identity` now: the identity's own address until it names another.
    /// @dev    Identity zero belongs to nobody and can be claimed by anyone (a signature that recovers to address
    ///         zero counts as its owner's). Callers refuse identity zero before they ask.
    function identityOwner(address identity) external view returns (address owner);

    /// @notice Whether `delegate` speaks for `identity` in this way now ("veriKey", "sigAuth", padded with zeros).
    /// @dev    A delegate stays when the owner changes, until it expires or the new owner revokes it.
    function validDelegate(address identity, bytes32 delegateType, address delegate) external view returns (bool valid);
}
