// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRegistered} from "./IRegistered.sol";

/// @title ILicenceRegistry
/// @notice Licences as ERC-721 tokens that are locked for ever (ERC-5192). See IRegistered for registers, registrars,
///         entries and custody.
///
///         A licence is somebody's: it is never sold, given or approved away. The registrar may move it to another
///         wallet of the same person, under the id of a reason that serves once. It is renewed, suspended, reinstated
///         and, for good, revoked; a revoked licence's token stays where it is, as what it is. Neither moves nor pauses
///         stop that.
///
///         Times are seconds; a licence is in force before its expiry, zero meaning that it has none.
interface ILicenceRegistry is IRegistered {
    enum State {
        ACTIVE,
        SUSPENDED,
        REVOKED
    }

    /// @notice A new licence.
    struct NewLicence {
        uint128 entryId;
        address holder;
        uint64 expiry;
        bytes32 commitment;
    }

    /// @notice A licence as it stands. `attestedAt`: when its registrar, accredited then, last gave it force.
    struct Standing {
        uint128 entryId;
        uint64 expiry;
        State state;
        address holder;
        uint64 attestedAt;
        bytes32 commitment;
    }

    /// @notice ERC-5192: the token is locked, for ever.
    event Locked(uint256 tokenId);
    /// @notice The licence was granted or renewed until `expiry`.
    event Granted(uint256 indexed tokenId, uint64 expiry);
    /// @notice The licence was suspended, reinstated or revoked.
    event StateChanged(uint256 indexed tokenId, State state);

    /// @notice A licence does not change hands.
    error LicenceLocked();
    /// @notice The licence is not in the state that this needs.
    error WrongState(uint256 tokenId, State state);
    /// @notice The expiry has passed, or lies before the one it replaces.
    error ExpiryOutOfRange(uint256 tokenId, uint64 expiry);

    /// @notice Opens a register. Emits RegisterOpened.
    /// @dev    Whoever then is its registrar, while not paused. Errors, in order: Paused, ZeroIdentifier,
    ///         RegisterExists, NotRegistrar, RegistrarNotAccredited, InvalidUri.
    function openRegister(address issuer, bytes32 registerId, bytes32 typeId, string calldata baseUri) external;

    /// @notice Makes the tokens of granted licences. Emits Transfer, Locked and Granted for each.
    /// @dev    The registrar, while not paused. All or nothing. Errors, in order: Paused, UnknownRegister,
    ///         NotRegistrar, RegistrarNotAccredited; then for each ZeroIdentifier, EntryExists, ExpiryOutOfRange,
    ///         ERC721InvalidReceiver.
    function mintMany(uint128 register, NewLicence[] calldata licences) external;

    /// @notice The public extracts have changed. Emits Amended for each.
    /// @dev    The registrar. Errors, in order: LengthMismatch, UnknownRegister, NotRegistrar, RegistrarNotAccredited,
    ///         ZeroIdentifier, UnknownEntry.
    function amend(uint256[] calldata tokenIds, bytes32[] calldata commitments) external;

    /// @notice Renews licences that are active. Emits Granted and Amended for each.
    /// @dev    The registrar, while not paused. Errors, in order: Paused, LengthMismatch, UnknownRegister,
    ///         NotRegistrar, RegistrarNotAccredited; then for each UnknownEntry, WrongState, ExpiryOutOfRange,
    ///         ZeroIdentifier.
    function renew(uint256[] calldata tokenIds, uint64[] calldata expiries, bytes32[] calldata commitments) external;

    /// @notice Suspends licences that are active. Emits StateChanged for each.
    /// @dev    The registrar. Never paused. Errors, in order: UnknownRegister, NotRegistrar, RegistrarNotAccredited;
    ///         then for each UnknownEntry, WrongState.
    function suspend(uint256[] calldata tokenIds) external;

    /// @notice Reinstates licences that are suspended. Emits StateChanged for each.
    /// @dev    The registrar, while not paused. Errors, in order: Paused, then as for suspend.
    function reinstate(uint256[] calldata tokenIds) external;

    /// @notice Revokes licences for good, active or suspended. Emits StateChanged for each.
    /// @dev    The registrar. Never paused. Errors as for suspend.
    function revoke(uint256[] calldata tokenIds) external;

    /// @notice Moves a licence to another wallet of the same person. Emits OrderExecuted and Transfer.
    /// @dev    The registrar, while not paused. Errors, in order: Paused, UnknownRegister, NotRegistrar,
    ///         RegistrarNotAccredited, UnknownEntry, NotHolder, WrongState (revoked), ZeroIdentifier, OrderUsed,
    ///         ERC721InvalidReceiver.
    function replaceWallet(uint256 tokenId, address from, address to, bytes32 reasonId) external;

    /// @notice Whether the licence counts now: active, before its expiry, and of a registrar whose accreditation was
    ///         not found to be void at the time it gave the licence force. What is not known is not in force.
    /// @dev    TrustRegistry holds the newest accreditation only. An issuer that is accredited again after it was void
    ///         has to revoke what the void time brought.
    function isInForce(uint256 tokenId) external view returns (bool inForce);

    /// @notice A licence as it stands. Errors: UnknownEntry.
    function standingOf(uint256 tokenId) external view returns (Standing memory standing);

    /// @notice Licences of a register in the order of their making, from a position on, as many as there are up to
    ///         `count`.
    function standingsIn(uint128 register, uint256 from, uint256 count)
        external
        view
        returns (Standing[] memory standings);

    /// @notice ERC-5192: always true. Errors: ERC721NonexistentToken.
    function locked(uint256 tokenId) external view returns (bool isLocked);
}
