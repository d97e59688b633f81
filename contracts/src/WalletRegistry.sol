// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {Governed} from "./Governed.sol";
import {IStatusRegistry} from "./IStatusRegistry.sol";
import {ITrustRegistry} from "./ITrustRegistry.sol";
import {IWalletRegistry} from "./IWalletRegistry.sol";
import {IWalletVerifier} from "./IWalletVerifier.sol";

/// @title WalletRegistry
/// @notice Which wallet stands for which person's pseudonym, by whose word. See IWalletRegistry for what it promises.
contract WalletRegistry is Governed, EIP712, IWalletRegistry {
    /// @dev One slot: a token's question reads this and the status bit. (The rule takes bytes2 for a slot of its own.)
    // solhint-disable-next-line gas-struct-packing
    struct Held {
        address issuer;
        uint32 expiry;
        uint24 index;
        uint16 list;
        bytes2 jurisdiction;
        uint8 level;
    }

    struct Key {
        bytes32 x;
        bytes32 y;
    }

    /// @notice What an issuer must be accredited for.
    bytes32 public constant KYC = keccak256("KycAttestation");
    /// @notice The most wallets that a pseudonym can be allowed in a domain.
    uint8 public constant MAX_WALLETS = 32;

    // solhint-disable-next-line gas-small-strings
    bytes32 private constant BINDING_TYPE = keccak256(
        "Binding(address issuer,address wallet,bytes32 domain,bytes32 pseudonym,uint8 level,bytes2 jurisdiction,"
        "uint32 expiry,uint16 list,uint24 index,address replaces,uint64 deadline)"
    );
    uint8 private constant BINDING_PURPOSE = 3;
    uint8 private constant BITMAP = 0;
    uint256 private constant SECP256K1_LENGTH = 65;
    uint256 private constant P256_LENGTH = 96;

    /// @notice Who may issue what.
    ITrustRegistry public immutable trustRegistry;
    /// @notice Where the bits of bindings are.
    IStatusRegistry public immutable statusRegistry;

    mapping(bytes32 domain => mapping(address wallet => Held)) private _held;
    mapping(bytes32 domain => mapping(address wallet => bytes32)) private _pseudonyms;
    mapping(bytes32 domain => mapping(bytes32 pseudonym => address[])) private _wallets;
    mapping(address issuer => mapping(uint16 list => mapping(uint256 word => uint256))) private _used;
    mapping(address issuer => mapping(bytes32 thumbprint => Key)) private _keys;
    mapping(bytes32 domain => uint8) private _most;

    constructor(address didRegistry_, address governance_, address trustRegistry_, address statusRegistry_)
        Governed(didRegistry_, governance_)
        EIP712("WalletRegistry", "1")
    {
        if (trustRegistry_.code.length == 0) revert NotAContract(trustRegistry_);
        if (statusRegistry_.code.length == 0) revert NotAContract(statusRegistry_);
        trustRegistry = ITrustRegistry(trustRegistry_);
        statusRegistry = IStatusRegistry(statusRegistry_);
    }

    /// @inheritdoc IWalletRegistry
    function bind(Binding calldata binding, bytes calldata signature) external whenNotPaused {
        _requireSound(binding);
        if (!trustRegistry.isAccredited(binding.issuer, KYC, uint64(block.timestamp))) {
            revert IssuerNotAccredited(binding.issuer);
        }
        if (!_isSigned(binding.issuer, digestOf(binding), signature)) revert InvalidSignature();
        _takePlace(binding.issuer, binding.list, binding.index);
        _makeRoom(binding);
        _record(binding);
    }

    /// @inheritdoc IWalletRegistry
    function unbind(bytes32 domain, address[] calldata wallets) external {
        bool isRoot = false;
        for (uint256 i = 0; i < wallets.length; ++i) {
            address wallet = wallets[i];
            address issuer = _held[domain][wallet].issuer;
            if (issuer == address(0)) continue;
            if (!isRoot && msg.sender != wallet && msg.sender != _ownerOf(issuer)) {
                // Once: with an execution delay this consumes what the root scheduled.
                _checkCanCall(msg.sender, msg.data);
                isRoot = true;
            }
            _drop(domain, wallet);
        }
    }

    /// @inheritdoc IWalletRegistry
    function admitIssuerKey(address issuer, bytes32 x, bytes32 y) external restricted whenNotPaused {
        if (issuer == address(0)) revert ZeroAddress();
        if (!P256.isValidPublicKey(x, y)) revert InvalidKey();
        bytes32 thumbprint = _thumbprintOf(x, y);
        if (isIssuerKey(issuer, thumbprint)) revert KeyExists(issuer, thumbprint);
        _keys[issuer][thumbprint] = Key({x: x, y: y});
        emit IssuerKeyAdmitted(issuer, thumbprint, x, y);
    }

    /// @inheritdoc IWalletRegistry
    function withdrawIssuerKey(address issuer, bytes32 x, bytes32 y) external restricted {
        bytes32 thumbprint = _thumbprintOf(x, y);
        if (!isIssuerKey(issuer, thumbprint)) revert UnknownKey(issuer, thumbprint);
        delete _keys[issuer][thumbprint];
        emit IssuerKeyWithdrawn(issuer, thumbprint);
    }

    /// @inheritdoc IWalletRegistry
    function setWalletsMost(bytes32 domain, uint8 most) external restricted {
        if (domain == bytes32(0)) revert ZeroIdentifier();
        if (most == 0 || most > MAX_WALLETS) revert MostOutOfRange(most);
        _most[domain] = most;
        emit WalletsMostSet(domain, most);
    }

    /// @inheritdoc IWalletVerifier
    function isValid(address wallet, bytes32 domain) external view returns (bool valid) {
        return _isLive(_held[domain][wallet]);
    }

    /// @inheritdoc IWalletVerifier
    function standingOf(address wallet, bytes32 domain)
        external
        view
        returns (bool valid, uint8 level, bytes2 jurisdiction, uint64 expiry)
    {
        Held memory held = _held[domain][wallet];
        if (!_isLive(held)) return (false, 0, 0, 0);
        return (true, held.level, held.jurisdiction, held.expiry);
    }

    /// @inheritdoc IWalletVerifier
    /// @dev Unrelated between domains, as the authority that evaluates pseudonyms promises.
    function pseudonymOf(address wallet, bytes32 domain) external view returns (bytes32 pseudonym) {
        return _isLive(_held[domain][wallet]) ? _pseudonyms[domain][wallet] : bytes32(0);
    }

    /// @inheritdoc IWalletRegistry
    function bindingOf(address wallet, bytes32 domain) external view returns (Recorded memory recorded) {
        Held memory held = _held[domain][wallet];
        return Recorded({
            issuer: held.issuer,
            pseudonym: _pseudonyms[domain][wallet],
            level: held.level,
            jurisdiction: held.jurisdiction,
            expiry: held.expiry,
            list: held.list,
            index: held.index
        });
    }

    /// @inheritdoc IWalletRegistry
    function walletsOf(bytes32 pseudonym, bytes32 domain) external view returns (address[] memory wallets) {
        return _wallets[domain][pseudonym];
    }

    /// @inheritdoc IWalletRegistry
    function isIndexUsed(address issuer, uint16 list, uint24 index) external view returns (bool used) {
        return (_used[issuer][list][index / 256] >> (index % 256)) & 1 == 1;
    }

    /// @inheritdoc IWalletRegistry
    function rootFunctions() external pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](4);
        selectors[0] = this.admitIssuerKey.selector;
        selectors[1] = this.withdrawIssuerKey.selector;
        selectors[2] = this.setWalletsMost.selector;
        selectors[3] = this.unbind.selector;
    }

    /// @inheritdoc IWalletRegistry
    function isIssuerKey(address issuer, bytes32 thumbprint) public view returns (bool admitted) {
        // No point of P-256 has both coordinates zero.
        Key storage key = _keys[issuer][thumbprint];
        return key.x != bytes32(0) || key.y != bytes32(0);
    }

    /// @inheritdoc IWalletRegistry
    function digestOf(Binding calldata binding) public view returns (bytes32 digest) {
        // Static fields only, so the encoding of the struct is that of its fields one after another.
        return _hashTypedDataV4(keccak256(abi.encode(BINDING_TYPE, binding)));
    }

    /// @inheritdoc IWalletRegistry
    function walletsMostOf(bytes32 domain) public view returns (uint8 most) {
        most = _most[domain];
        return most == 0 ? 1 : most;
    }

    function _takePlace(address issuer, uint16 list, uint24 index) private {
        (uint8 purpose, uint8 mode, uint32 length) = statusRegistry.listOf(issuer, list);
        if (purpose != BINDING_PURPOSE || mode != BITMAP) revert NotABindingList(issuer, list);
        if (index >= length) revert IndexOutOfRange(list, index);
        uint256 word = _used[issuer][list][index / 256];
        uint256 bit = uint256(1) << (index % 256);
        if (word & bit != 0) revert IndexUsed(issuer, list, index);
        if (statusRegistry.isSet(issuer, list, index)) revert BindingRevoked(issuer, list, index);
        _used[issuer][list][index / 256] = word | bit;
    }

    /// @dev Takes away what stands in the binding's way and may be taken away.
    function _makeRoom(Binding calldata binding) private {
        (bytes32 domain, bytes32 pseudonym, address wallet) = (binding.domain, binding.pseudonym, binding.wallet);
        bytes32 before = _pseudonyms[domain][wallet];
        if (before != bytes32(0)) {
            if (before != pseudonym && _isLive(_held[domain][wallet])) revert WalletTaken(wallet, domain);
            _drop(domain, wallet);
        }
        if (_pseudonyms[domain][binding.replaces] == pseudonym) _drop(domain, binding.replaces);
        address[] storage wallets = _wallets[domain][pseudonym];
        uint8 most = walletsMostOf(domain);
        if (wallets.length < most) return;
        // Backwards, because what is dropped is filled from the end.
        for (uint256 i = wallets.length; i > 0; --i) {
            if (!_isLive(_held[domain][wallets[i - 1]])) _drop(domain, wallets[i - 1]);
        }
        if (wallets.length >= most) revert TooManyWallets(pseudonym, domain, most);
    }

    function _record(Binding calldata binding) private {
        _held[binding.domain][binding.wallet] = Held({
            issuer: binding.issuer,
            expiry: binding.expiry,
            index: binding.index,
            list: binding.list,
            jurisdiction: binding.jurisdiction,
            level: binding.level
        });
        _pseudonyms[binding.domain][binding.wallet] = binding.pseudonym;
        _wallets[binding.domain][binding.pseudonym].push(binding.wallet);
        emit Bound(
            binding.wallet,
            binding.domain,
            binding.pseudonym,
            binding.issuer,
            binding.list,
            binding.index,
            binding.level,
            binding.jurisdiction,
            binding.expiry
        );
    }

    /// @dev A bound wallet only.
    function _drop(bytes32 domain, address wallet) private {
        bytes32 pseudonym = _pseudonyms[domain][wallet];
        address[] storage wallets = _wallets[domain][pseudonym];
        uint256 last = wallets.length - 1;
        uint256 place = 0;
        while (wallets[place] != wallet) ++place;
        if (place != last) wallets[place] = wallets[last];
        wallets.pop();
        delete _pseudonyms[domain][wallet];
        delete _held[domain][wallet];
        emit Unbound(wallet, domain, pseudonym, msg.sender);
    }

    /// @dev A list that StatusRegistry does not know reverts there; binding made sure that it does.
    function _isLive(Held memory held) private view returns (bool live) {
        return block.timestamp < held.expiry && !statusRegistry.isSet(held.issuer, held.list, held.index);
    }

    function _requireSound(Binding calldata binding) private view {
        if (binding.issuer == address(0) || binding.wallet == address(0)) revert ZeroAddress();
        if (binding.domain == bytes32(0) || binding.pseudonym == bytes32(0)) revert ZeroIdentifier();
        if (binding.level == 0) revert InvalidLevel();
        if (!_isCapital(binding.jurisdiction[0]) || !_isCapital(binding.jurisdiction[1])) {
            revert InvalidJurisdiction(binding.jurisdiction);
        }
        if (binding.expiry <= block.timestamp) revert AlreadyExpired(binding.expiry);
        if (binding.deadline < block.timestamp) revert DeadlinePassed(binding.deadline);
    }

    function _isSigned(address issuer, bytes32 digest, bytes calldata signature) private view returns (bool signed) {
        if (signature.length == P256_LENGTH) return _isSignedByKey(issuer, digest, signature);
        if (signature.length != SECP256K1_LENGTH) return false;
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure != ECDSA.RecoverError.NoError) return false;
        return signer == _ownerOf(issuer) || didRegistry.validDelegate(issuer, "veriKey", signer)
            || didRegistry.validDelegate(issuer, "sigAuth", signer);
    }

    function _isSignedByKey(address issuer, bytes32 digest, bytes calldata signature)
        private
        view
        returns (bool signed)
    {
        (bytes32 thumbprint, bytes32 r, bytes32 s) = abi.decode(signature, (bytes32, bytes32, bytes32));
        if (!isIssuerKey(issuer, thumbprint)) revert UnknownKey(issuer, thumbprint);
        if (trustRegistry.keyDistrustedSince(issuer, thumbprint) != 0) revert DistrustedKey(issuer, thumbprint);
        Key storage key = _keys[issuer][thumbprint];
        return P256.verify(sha256(abi.encodePacked(digest)), r, s, key.x, key.y);
    }

    function _isCapital(bytes1 letter) private pure returns (bool capital) {
        return letter >= "A" && letter <= "Z";
    }

    /// @dev RFC 7638: SHA-256 of the key as a JWK with its required members in order.
    function _thumbprintOf(bytes32 x, bytes32 y) private pure returns (bytes32 thumbprint) {
        return sha256(
            abi.encodePacked(
                "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"",
                Base64.encodeURL(abi.encodePacked(x)),
                "\",\"y\":\"",
                Base64.encodeURL(abi.encodePacked(y)),
                "\"}"
            )
        );
    }
}
