// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Governed} from "./Governed.sol";
import {IRegistered} from "./IRegistered.sol";
import {ITrustRegistry} from "./ITrustRegistry.sol";
import {IWalletVerifier} from "./IWalletVerifier.sol";

/// @title Registered
/// @notice Registers, their registrars and their entries. See IRegistered for what it promises.
abstract contract Registered is Governed, Multicall, IRegistered {
    /// @notice The longest base URI, in bytes.
    uint256 public constant MAX_URI_BYTES = 512;

    /// @notice The registry that says which issuer is accredited for which type.
    ITrustRegistry public immutable trustRegistry;
    /// @notice Says whether a known person stands behind a wallet.
    IWalletVerifier public immutable walletVerifier;

    mapping(uint128 register => Register) private _registers;
    mapping(uint128 register => uint128[]) private _entries;
    mapping(uint128 register => mapping(bytes32 orderId => bool)) private _usedOrders;

    constructor(address didRegistry_, address governance_, address trustRegistry_, address walletVerifier_)
        Governed(didRegistry_, governance_)
    {
        if (trustRegistry_.code.length == 0) revert NotAContract(trustRegistry_);
        if (walletVerifier_.code.length == 0) revert NotAContract(walletVerifier_);
        trustRegistry = ITrustRegistry(trustRegistry_);
        walletVerifier = IWalletVerifier(walletVerifier_);
    }

    /// @inheritdoc IRegistered
    function setBaseUri(uint128 register, string calldata baseUri) external {
        _requireRegistrar(register);
        _requireUri(baseUri);
        _registers[register].baseUri = baseUri;
        emit BaseUriChanged(register, baseUri);
    }

    /// @inheritdoc IRegistered
    function registerOf(uint128 register) external view returns (Register memory opened) {
        return _register(register);
    }

    /// @inheritdoc IRegistered
    function isOrderUsed(uint128 register, bytes32 orderId) external view returns (bool used) {
        return _usedOrders[register][orderId];
    }

    /// @inheritdoc IRegistered
    function entriesOf(uint128 register) external view returns (uint256 count) {
        return _entries[register].length;
    }

    /// @inheritdoc IRegistered
    function tokenIdOf(address issuer, bytes32 registerId, uint128 entryId) external pure returns (uint256 tokenId) {
        return _tokenId(registerKeyOf(issuer, registerId), entryId);
    }

    /// @inheritdoc IRegistered
    function registerKeyOf(address issuer, bytes32 registerId) public pure returns (uint128 register) {
        return uint128(bytes16(keccak256(abi.encode(issuer, registerId))));
    }

    /// @dev The caller must be what makes a registrar, before there is a register.
    function _open(Register memory opened) internal whenNotPaused {
        if (opened.registerId == bytes32(0) || opened.typeId == bytes32(0)) revert ZeroIdentifier();
        uint128 register = registerKeyOf(opened.issuer, opened.registerId);
        if (_registers[register].issuer != address(0)) revert RegisterExists(register);
        _requireAuthority(register, opened.issuer, opened.typeId);
        _requireUri(opened.baseUri);
        _registers[register] = opened;
        emit RegisterOpened(register, opened.issuer, opened.registerId, opened.typeId, opened.baseUri);
    }

    /// @dev Gives the entry its place; the token itself is the caller's to make.
    function _enter(uint128 register, uint128 entryId, bytes32 commitment) internal returns (uint256 tokenId) {
        if (entryId == 0 || commitment == bytes32(0)) revert ZeroIdentifier();
        _entries[register].push(entryId);
        return _tokenId(register, entryId);
    }

    function _useOrder(uint256 tokenId, bytes32 orderId) internal {
        uint128 register = _registerKey(tokenId);
        if (orderId == bytes32(0)) revert ZeroIdentifier();
        if (_usedOrders[register][orderId]) revert OrderUsed(register, orderId);
        _usedOrders[register][orderId] = true;
        emit OrderExecuted(register, orderId, tokenId);
    }

    function _requireRegistrar(uint128 register) internal view {
        Register storage opened = _register(register);
        _requireAuthority(register, opened.issuer, opened.typeId);
    }

    function _requireRegistrarOf(uint256 tokenId) internal view {
        _requireRegistrar(_registerKey(tokenId));
    }

    /// @dev Once for tokens of one register that stand side by side.
    function _requireRegistrarOfAll(uint256[] calldata tokenIds) internal view {
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            bool again = i > 0 && _registerKey(tokenIds[i]) == _registerKey(tokenIds[i - 1]);
            if (!again) _requireRegistrarOf(tokenIds[i]);
        }
    }

    function _register(uint128 register) internal view returns (Register storage opened) {
        opened = _registers[register];
        if (opened.issuer == address(0)) revert UnknownRegister(register);
    }

    /// @dev The entries at these positions, as many as there are.
    function _entriesIn(uint128 register, uint256 from, uint256 count)
        internal
        view
        returns (uint128[] memory entries)
    {
        uint128[] storage all = _entries[register];
        uint256 start = Math.min(from, all.length);
        entries = new uint128[](Math.min(count, all.length - start));
        for (uint256 i = 0; i < entries.length; ++i) {
            entries[i] = all[start + i];
        }
    }

    function _isBound(address wallet, bytes32 domain, uint8 level) internal view returns (bool bound) {
        (bool valid, uint8 known,,) = walletVerifier.standingOf(wallet, domain);
        return valid && known >= level;
    }

    function _uriOf(uint256 tokenId) internal view returns (string memory text) {
        return string.concat(_registers[_registerKey(tokenId)].baseUri, Strings.toString(tokenId));
    }

    function _registerKey(uint256 tokenId) internal pure returns (uint128 register) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint128(tokenId >> 128);
    }

    function _tokenId(uint128 register, uint128 entryId) internal pure returns (uint256 tokenId) {
        return uint256(register) << 128 | entryId;
    }

    function _requireAuthority(uint128 register, address issuer, bytes32 typeId) private view {
        if (issuer == address(0) || msg.sender != _ownerOf(issuer)) revert NotRegistrar(register, msg.sender);
        if (!trustRegistry.isAccredited(issuer, typeId, uint64(block.timestamp))) {
            revert RegistrarNotAccredited(issuer, typeId);
        }
    }

    function _requireUri(string memory baseUri) private pure {
        uint256 length = bytes(baseUri).length;
        if (length == 0 || length > MAX_URI_BYTES) revert InvalidUri();
    }
}
