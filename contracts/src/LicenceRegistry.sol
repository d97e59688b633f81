// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ILicenceRegistry} from "./ILicenceRegistry.sol";
import {Registered} from "./Registered.sol";

/// @title LicenceRegistry
/// @notice Licences as locked ERC-721 tokens. See ILicenceRegistry for what it promises.
contract LicenceRegistry is ERC721, Registered, ILicenceRegistry {
    struct Licence {
        bytes32 commitment;
        State state;
        uint64 expiry;
        uint64 attestedAt;
    }

    bytes4 private constant ERC5192_ID = 0xb45a3c0e;

    mapping(uint256 tokenId => Licence) private _licences;

    constructor(address didRegistry_, address governance_, address trustRegistry_, address walletVerifier_)
        ERC721("Licences", "LICENCE")
        Registered(didRegistry_, governance_, trustRegistry_, walletVerifier_)
    {}

    /// @inheritdoc ILicenceRegistry
    function openRegister(address issuer, bytes32 registerId, bytes32 typeId, string calldata baseUri) external {
        _open(
            Register({
                issuer: issuer,
                walletTransfers: false,
                level: 0,
                registerId: registerId,
                typeId: typeId,
                domain: bytes32(0),
                baseUri: baseUri
            })
        );
    }

    /// @inheritdoc ILicenceRegistry
    function mintMany(uint128 register, NewLicence[] calldata licences) external whenNotPaused {
        _requireRegistrar(register);
        for (uint256 i = 0; i < licences.length; ++i) {
            _make(register, licences[i]);
        }
    }

    /// @inheritdoc ILicenceRegistry
    function amend(uint256[] calldata tokenIds, bytes32[] calldata commitments) external {
        if (commitments.length != tokenIds.length) revert LengthMismatch();
        _requireRegistrarOfAll(tokenIds);
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            _amend(tokenIds[i], commitments[i]);
        }
    }

    /// @inheritdoc ILicenceRegistry
    function renew(uint256[] calldata tokenIds, uint64[] calldata expiries, bytes32[] calldata commitments)
        external
        whenNotPaused
    {
        uint256 count = tokenIds.length;
        if (expiries.length != count || commitments.length != count) revert LengthMismatch();
        _requireRegistrarOfAll(tokenIds);
        for (uint256 i = 0; i < count; ++i) {
            Licence storage licence = _requireIn(tokenIds[i], State.ACTIVE);
            _grant(tokenIds[i], licence, expiries[i]);
            _amend(tokenIds[i], commitments[i]);
        }
    }

    /// @inheritdoc ILicenceRegistry
    function suspend(uint256[] calldata tokenIds) external {
        _requireRegistrarOfAll(tokenIds);
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            _requireIn(tokenIds[i], State.ACTIVE);
            _setState(tokenIds[i], State.SUSPENDED);
        }
    }

    /// @inheritdoc ILicenceRegistry
    function reinstate(uint256[] calldata tokenIds) external whenNotPaused {
        _requireRegistrarOfAll(tokenIds);
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            _requireIn(tokenIds[i], State.SUSPENDED).attestedAt = uint64(block.timestamp);
            _setState(tokenIds[i], State.ACTIVE);
        }
    }

    /// @inheritdoc ILicenceRegistry
    function revoke(uint256[] calldata tokenIds) external {
        _requireRegistrarOfAll(tokenIds);
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            _requireNotRevoked(tokenIds[i]);
            _setState(tokenIds[i], State.REVOKED);
        }
    }

    /// @inheritdoc ILicenceRegistry
    function replaceWallet(uint256 tokenId, address from, address to, bytes32 reasonId) external whenNotPaused {
        _requireRegistrarOf(tokenId);
        _requireLive(tokenId);
        if (_ownerOf(tokenId) != from) revert NotHolder(tokenId, from);
        _requireNotRevoked(tokenId);
        _useOrder(tokenId, reasonId);
        _transfer(from, to, tokenId);
    }

    /// @inheritdoc ILicenceRegistry
    function isInForce(uint256 tokenId) external view returns (bool inForce) {
        Licence storage licence = _licences[tokenId];
        if (licence.commitment == bytes32(0) || licence.state != State.ACTIVE) return false;
        if (licence.expiry != 0 && block.timestamp >= licence.expiry) return false;
        Register storage opened = _register(_registerKey(tokenId));
        (, uint64 until) = trustRegistry.standingOf(opened.issuer, opened.typeId);
        return licence.attestedAt < until;
    }

    /// @inheritdoc ILicenceRegistry
    function standingOf(uint256 tokenId) external view returns (Standing memory standing) {
        _requireLive(tokenId);
        return _standing(tokenId);
    }

    /// @inheritdoc ILicenceRegistry
    function standingsIn(uint128 register, uint256 from, uint256 count)
        external
        view
        returns (Standing[] memory standings)
    {
        uint128[] memory entries = _entriesIn(register, from, count);
        standings = new Standing[](entries.length);
        for (uint256 i = 0; i < entries.length; ++i) {
            standings[i] = _standing(_tokenId(register, entries[i]));
        }
    }

    /// @inheritdoc ILicenceRegistry
    function locked(uint256 tokenId) external view returns (bool isLocked) {
        _requireOwned(tokenId);
        return true;
    }

    /// @notice Refused: a licence does not change hands. Errors: LicenceLocked.
    function approve(address, uint256) public pure override {
        revert LicenceLocked();
    }

    /// @notice Refused: a licence does not change hands. Errors: LicenceLocked.
    function setApprovalForAll(address, bool) public pure override {
        revert LicenceLocked();
    }

    /// @notice Where the metadata of the token are. Errors: ERC721NonexistentToken.
    function tokenURI(uint256 tokenId) public view override returns (string memory uri) {
        _requireOwned(tokenId);
        return _uriOf(tokenId);
    }

    /// @notice ERC-165: also ERC-5192.
    function supportsInterface(bytes4 interfaceId) public view override returns (bool supported) {
        return interfaceId == ERC5192_ID || super.supportsInterface(interfaceId);
    }

    /// @dev Holders come with an authorisation, the registrar without; only the latter passes.
    function _update(address to, uint256 tokenId, address auth) internal override returns (address previous) {
        if (auth != address(0)) revert LicenceLocked();
        return super._update(to, tokenId, auth);
    }

    function _make(uint128 register, NewLicence calldata given) private {
        uint256 tokenId = _enter(register, given.entryId, given.commitment);
        Licence storage licence = _licences[tokenId];
        if (licence.commitment != bytes32(0)) revert EntryExists(tokenId);
        licence.commitment = given.commitment;
        _grant(tokenId, licence, given.expiry);
        _mint(given.holder, tokenId);
        emit Locked(tokenId);
    }

    function _grant(uint256 tokenId, Licence storage licence, uint64 expiry) private {
        // Without end follows any end, and nothing follows it.
        bool later = expiry == 0 || (expiry > block.timestamp && expiry >= licence.expiry);
        bool known = licence.attestedAt != 0;
        if (!later || (known && licence.expiry == 0 && expiry != 0)) revert ExpiryOutOfRange(tokenId, expiry);
        licence.expiry = expiry;
        licence.attestedAt = uint64(block.timestamp);
        emit Granted(tokenId, expiry);
    }

    function _amend(uint256 tokenId, bytes32 commitment) private {
        if (commitment == bytes32(0)) revert ZeroIdentifier();
        _requireLive(tokenId);
        _licences[tokenId].commitment = commitment;
        emit Amended(tokenId, commitment);
    }

    function _setState(uint256 tokenId, State state) private {
        _licences[tokenId].state = state;
        emit StateChanged(tokenId, state);
    }

    function _requireLive(uint256 tokenId) private view {
        if (_licences[tokenId].commitment == bytes32(0)) revert UnknownEntry(tokenId);
    }

    function _requireIn(uint256 tokenId, State state) private view returns (Licence storage licence) {
        _requireLive(tokenId);
        licence = _licences[tokenId];
        if (licence.state != state) revert WrongState(tokenId, licence.state);
    }

    function _requireNotRevoked(uint256 tokenId) private view {
        _requireLive(tokenId);
        if (_licences[tokenId].state == State.REVOKED) revert WrongState(tokenId, State.REVOKED);
    }

    function _standing(uint256 tokenId) private view returns (Standing memory standing) {
        Licence storage licence = _licences[tokenId];
        return Standing({
            // forge-lint: disable-next-line(unsafe-typecast)
            entryId: uint128(tokenId),
            holder: _ownerOf(tokenId),
            state: licence.state,
            expiry: licence.expiry,
            attestedAt: licence.attestedAt,
            commitment: licence.commitment
        });
    }
}
