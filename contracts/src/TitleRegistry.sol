// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IGovernance} from "./IGovernance.sol";
import {ITitleRegistry} from "./ITitleRegistry.sol";
import {Registered} from "./Registered.sol";

/// @title TitleRegistry
/// @notice Titles as ERC-721 tokens. See ITitleRegistry for what it promises.
contract TitleRegistry is ERC721, Registered, ITitleRegistry {
    struct Title {
        bytes32 commitment;
        uint32 freezes;
        uint32 encumbrances;
    }

    enum Obstacle {
        NONE,
        PAUSED,
        BY_REGISTER_ONLY,
        FROZEN,
        ENCUMBERED,
        NOT_BOUND
    }

    mapping(uint256 tokenId => Title) private _titles;
    mapping(uint256 tokenId => mapping(bytes32 orderId => bool)) private _freezes;

    constructor(address didRegistry_, address governance_, address trustRegistry_, address walletVerifier_)
        ERC721("Titles", "TITLE")
        Registered(didRegistry_, governance_, trustRegistry_, walletVerifier_)
    {}

    /// @inheritdoc ITitleRegistry
    function openRegister(
        address issuer,
        bytes32 registerId,
        bytes32 typeId,
        string calldata baseUri,
        bool walletTransfers,
        bytes32 domain,
        uint8 level
    ) external {
        _open(
            Register({
                issuer: issuer,
                walletTransfers: walletTransfers,
                level: level,
                registerId: registerId,
                typeId: typeId,
                domain: domain,
                baseUri: baseUri
            })
        );
    }

    /// @inheritdoc ITitleRegistry
    function mintMany(uint128 register, NewTitle[] calldata titles) external whenNotPaused {
        _requireRegistrar(register);
        for (uint256 i = 0; i < titles.length; ++i) {
            _make(register, titles[i]);
        }
    }

    /// @inheritdoc ITitleRegistry
    function amend(uint256[] calldata tokenIds, bytes32[] calldata commitments) external {
        if (commitments.length != tokenIds.length) revert LengthMismatch();
        _requireRegistrarOfAll(tokenIds);
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            _amend(tokenIds[i], commitments[i]);
        }
    }

    /// @inheritdoc ITitleRegistry
    function encumber(uint256 tokenId, uint32 encumbrances, bytes32 commitment) external {
        _requireRegistrarOf(tokenId);
        _amend(tokenId, commitment);
        _titles[tokenId].encumbrances = encumbrances;
        emit Encumbered(tokenId, encumbrances);
    }

    /// @inheritdoc ITitleRegistry
    function transferByRegister(uint256 tokenId, address from, address to, bytes32 commitment) external whenNotPaused {
        _requireRegistrarOf(tokenId);
        _requireHeld(tokenId, from);
        _requireNotFrozen(tokenId);
        _amend(tokenId, commitment);
        _transfer(from, to, tokenId);
    }

    /// @inheritdoc ITitleRegistry
    function freeze(uint256 tokenId, bytes32 orderId) external {
        _requireRegistrarOf(tokenId);
        address holder = _requireLive(tokenId);
        if (orderId == bytes32(0)) revert ZeroIdentifier();
        if (_freezes[tokenId][orderId]) revert FreezeUnchanged(tokenId, orderId);
        _freezes[tokenId][orderId] = true;
        emit FreezeChanged(tokenId, orderId, true);
        if (++_titles[tokenId].freezes == 1) emit Frozen(holder, tokenId, true);
    }

    /// @inheritdoc ITitleRegistry
    function unfreeze(uint256 tokenId, bytes32 orderId) external whenNotPaused {
        _requireRegistrarOf(tokenId);
        address holder = _requireLive(tokenId);
        if (orderId == bytes32(0)) revert ZeroIdentifier();
        if (!_freezes[tokenId][orderId]) revert FreezeUnchanged(tokenId, orderId);
        _freezes[tokenId][orderId] = false;
        emit FreezeChanged(tokenId, orderId, false);
        if (--_titles[tokenId].freezes == 0) emit Frozen(holder, tokenId, false);
    }

    /// @inheritdoc ITitleRegistry
    function forcedTransfer(uint256 tokenId, address from, address to, bytes32 orderId, bytes32 commitment)
        external
        whenNotPaused
    {
        _requireRegistrarOf(tokenId);
        _requireHeld(tokenId, from);
        _useOrder(tokenId, orderId);
        _amend(tokenId, commitment);
        _transfer(from, to, tokenId);
        emit ForcedTransfer(from, to, tokenId);
    }

    /// @inheritdoc ITitleRegistry
    function replace(
        uint128 register,
        uint256[] calldata predecessors,
        address[] calldata holders,
        NewTitle[] calldata successors
    ) external whenNotPaused {
        _requireRegistrar(register);
        if (holders.length != predecessors.length) revert LengthMismatch();
        if (predecessors.length == 0 || successors.length == 0) revert NothingToReplace();
        for (uint256 i = 0; i < predecessors.length; ++i) {
            if (_registerKey(predecessors[i]) != register) revert UnknownEntry(predecessors[i]);
            _end(predecessors[i], holders[i]);
        }
        uint256[] memory made = new uint256[](successors.length);
        for (uint256 i = 0; i < successors.length; ++i) {
            made[i] = _make(register, successors[i]);
        }
        emit Replaced(register, predecessors, made);
    }

    /// @inheritdoc ITitleRegistry
    function close(uint256 tokenId, address from) external whenNotPaused {
        _requireRegistrarOf(tokenId);
        _end(tokenId, from);
    }

    /// @inheritdoc ITitleRegistry
    function standingOf(uint256 tokenId) external view returns (Standing memory standing) {
        if (_titles[tokenId].commitment == bytes32(0)) revert UnknownEntry(tokenId);
        return _standing(tokenId);
    }

    /// @inheritdoc ITitleRegistry
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

    /// @inheritdoc ITitleRegistry
    function isFrozenUnder(uint256 tokenId, bytes32 orderId) external view returns (bool inForce) {
        return _freezes[tokenId][orderId];
    }

    /// @inheritdoc ITitleRegistry
    function canTransfer(address from, address to, uint256 tokenId) external view returns (bool allowed) {
        bool held = from != address(0) && from == _ownerOf(tokenId);
        return held && to != address(0) && _obstacle(from, to, tokenId) == Obstacle.NONE;
    }

    /// @inheritdoc ITitleRegistry
    function getFrozenTokens(address account, uint256 tokenId) external view returns (bool frozenStatus) {
        return account != address(0) && account == _ownerOf(tokenId) && _titles[tokenId].freezes > 0;
    }

    /// @inheritdoc ITitleRegistry
    function canSend(address account) external pure returns (bool allowed) {
        return account != address(0);
    }

    /// @inheritdoc ITitleRegistry
    function canReceive(address account) external pure returns (bool allowed) {
        return account != address(0);
    }

    /// @notice Where the metadata of the token are. Errors: ERC721NonexistentToken.
    function tokenURI(uint256 tokenId) public view override returns (string memory uri) {
        _requireOwned(tokenId);
        return _uriOf(tokenId);
    }

    /// @dev Whoever is authorised by the holder passes here and nowhere else; the registrar comes without
    ///         authorisation.
    function _update(address to, uint256 tokenId, address auth) internal override returns (address previous) {
        address from = _ownerOf(tokenId);
        if (auth != address(0) && from != address(0)) _requireTransferable(from, to, tokenId);
        return super._update(to, tokenId, auth);
    }

    function _make(uint128 register, NewTitle calldata title) private returns (uint256 tokenId) {
        tokenId = _enter(register, title.entryId, title.commitment);
        Title storage made = _titles[tokenId];
        if (made.commitment != bytes32(0)) revert EntryExists(tokenId);
        made.commitment = title.commitment;
        _mint(title.holder, tokenId);
        if (title.encumbrances > 0) {
            made.encumbrances = title.encumbrances;
            emit Encumbered(tokenId, title.encumbrances);
        }
    }

    function _end(uint256 tokenId, address from) private {
        _requireHeld(tokenId, from);
        _requireNotFrozen(tokenId);
        _burn(tokenId);
    }

    function _amend(uint256 tokenId, bytes32 commitment) private {
        if (commitment == bytes32(0)) revert ZeroIdentifier();
        _requireLive(tokenId);
        _titles[tokenId].commitment = commitment;
        emit Amended(tokenId, commitment);
    }

    function _requireLive(uint256 tokenId) private view returns (address holder) {
        holder = _ownerOf(tokenId);
        if (holder == address(0)) revert UnknownEntry(tokenId);
    }

    function _requireHeld(uint256 tokenId, address from) private view {
        if (_requireLive(tokenId) != from) revert NotHolder(tokenId, from);
    }

    function _requireNotFrozen(uint256 tokenId) private view {
        if (_titles[tokenId].freezes > 0) revert TitleFrozen(tokenId);
    }

    function _requireTransferable(address from, address to, uint256 tokenId) private view {
        Obstacle obstacle = _obstacle(from, to, tokenId);
        if (obstacle == Obstacle.PAUSED) revert Paused();
        if (obstacle == Obstacle.BY_REGISTER_ONLY) revert ByRegisterOnly(tokenId);
        if (obstacle == Obstacle.FROZEN) revert TitleFrozen(tokenId);
        if (obstacle == Obstacle.ENCUMBERED) revert TitleEncumbered(tokenId);
        if (obstacle == Obstacle.NOT_BOUND) revert WalletNotBound(to);
    }

    /// @dev The first thing that stands between two wallets.
    function _obstacle(address from, address to, uint256 tokenId) private view returns (Obstacle obstacle) {
        if (IGovernance(authority()).isPaused(address(this))) return Obstacle.PAUSED;
        Register storage opened = _register(_registerKey(tokenId));
        if (!opened.walletTransfers || from == opened.issuer) return Obstacle.BY_REGISTER_ONLY;
        Title storage title = _titles[tokenId];
        if (title.freezes > 0) return Obstacle.FROZEN;
        if (title.encumbrances > 0) return Obstacle.ENCUMBERED;
        return _isBound(to, opened.domain, opened.level) ? Obstacle.NONE : Obstacle.NOT_BOUND;
    }

    function _standing(uint256 tokenId) private view returns (Standing memory standing) {
        Title storage title = _titles[tokenId];
        return Standing({
            // forge-lint: disable-next-line(unsafe-typecast)
            entryId: uint128(tokenId),
            holder: _ownerOf(tokenId),
            freezes: title.freezes,
            encumbrances: title.encumbrances,
            commitment: title.commitment
        });
    }
}
