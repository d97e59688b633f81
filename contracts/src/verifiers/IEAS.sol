// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice An attestation of the Ethereum Attestation Service, field by field as its interface publishes it.
struct Attestation {
    bytes32 uid;
    bytes32 schema;
    uint64 time;
    uint64 expirationTime;
    uint64 revocationTime;
    bytes32 refUID;
    address recipient;
    address attester;
    bool revocable;
    bytes data;
}

/// @title IEAS
/// @notice What EasWalletVerifier asks of the Ethereum Attestation Service.
interface IEAS {
    /// @notice The attestation, all zero if there is none. Only its revocation time ever changes.
    function getAttestation(bytes32 uid) external view returns (Attestation memory attestation);
}
