// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IWalletVerifier} from "./IWalletVerifier.sol";

/// @title IWalletRegistry
/// @notice Binds wallets to people's pseudonyms. An issuer that is accredited for `KycAttestation` signs a binding
///         (EIP-712: good for this chain, this contract and this wallet only); the citizen hands it in, or somebody who
///         pays for them. The link from pseudonym to person stays with the issuer.
///
///         A binding is *live* until it expires, while the bit at its place is not set. Its place is an index of a
///         *binding list* of the issuer: a bitmap in StatusRegistry with purpose 3, which no credential uses. Setting
///         the bit kills the binding for ever, also one that was signed and not handed in yet. Each place serves one
///         binding, so it is the signature's nonce too.
///
///         A wallet has one pseudonym in a domain, and a pseudonym one live wallet in a domain unless Governance allows
///         more there. Any accredited issuer may bind: the same pseudonym is the same person, whoever asked for it.
///
///         Two kinds of signature are taken, told apart by their length:
///         65 bytes, r ‖ s ‖ v: secp256k1 over the EIP-712 digest, by the issuer's owner in the registry of DIDs or by
///         a delegate of its ("veriKey" or "sigAuth");
///         96 bytes, thumbprint ‖ r ‖ s: ES256 (P-256 over the SHA-256 of the EIP-712 digest) by the key with this
///         RFC 7638 thumbprint that the root admitted for the issuer.
///         s must lie in the lower half of the order for both.
///
///         When an issuer's accreditation ends, or its key is withdrawn or distrusted, it can bind no more. Bindings it
///         made before stay live: looking at the issuer at every transfer would cost each of them three more reads.
///         Where they must not stay, the root unbinds them (the events name them all), and so can the issuer's owner.
///
///         A pause stops binding and admitting, never unbinding, withdrawing or setting bits.
interface IWalletRegistry is IWalletVerifier {
    /// @notice What the issuer signs. Times are seconds. Never stored, so its order is that of a reader.
    // solhint-disable-next-line gas-struct-packing
    struct Binding {
        address issuer;
        address wallet;
        bytes32 domain;
        bytes32 pseudonym;
        uint8 level;
        bytes2 jurisdiction;
        uint32 expiry;
        uint16 list;
        uint24 index;
        address replaces;
        uint64 deadline;
    }

    /// @notice A wallet's binding as the contract keeps it.
    // solhint-disable-next-line gas-struct-packing
    struct Recorded {
        address issuer;
        bytes32 pseudonym;
        uint8 level;
        bytes2 jurisdiction;
        uint32 expiry;
        uint16 list;
        uint24 index;
    }

    /// @notice The wallet was bound. What it was bound to before in this domain ended with an Unbound.
    event Bound(
        address indexed wallet,
        bytes32 indexed domain,
        bytes32 indexed pseudonym,
        address issuer,
        uint16 list,
        uint24 index,
        uint8 level,
        bytes2 jurisdiction,
        uint32 expiry
    );

    /// @notice The wallet's binding in this domain is gone; `by` sent the transaction.
    event Unbound(address indexed wallet, bytes32 indexed domain, bytes32 indexed pseudonym, address by);

    /// @notice The root admitted the P-256 key (x, y) for signatures of `issuer`.
    event IssuerKeyAdmitted(address indexed issuer, bytes32 indexed thumbprint, bytes32 x, bytes32 y);

    /// @notice The root withdrew the key.
    event IssuerKeyWithdrawn(address indexed issuer, bytes32 indexed thumbprint);

    /// @notice A pseudonym may have up to `most` wallets in this domain from now on.
    event WalletsMostSet(bytes32 indexed domain, uint8 most);

    /// @notice The issuer or the wallet is the zero address.
    error ZeroAddress();
    /// @notice The domain or the pseudonym is zero.
    error ZeroIdentifier();
    /// @notice The level is zero.
    error InvalidLevel();
    /// @notice The jurisdiction is not two capital letters.
    error InvalidJurisdiction(bytes2 jurisdiction);
    /// @notice The binding would have expired already.
    error AlreadyExpired(uint32 expiry);
    /// @notice The signature had to be handed in before this time.
    error DeadlinePassed(uint64 deadline);
    /// @notice The issuer is not accredited for KycAttestation now.
    error IssuerNotAccredited(address issuer);
    /// @notice The signature is not the issuer's over this binding, or its s is in the upper half.
    error InvalidSignature();
    /// @notice The root has not admitted this key for the issuer, or withdrew it.
    error UnknownKey(address issuer, bytes32 thumbprint);
    /// @notice TrustRegistry knows the key as not to be trusted.
    error DistrustedKey(address issuer, bytes32 thumbprint);
    /// @notice The key is admitted already.
    error KeyExists(address issuer, bytes32 thumbprint);
    /// @notice The coordinates are not those of a point of P-256.
    error InvalidKey();
    /// @notice The list is not one of this issuer's bitmaps with purpose 3.
    error NotABindingList(address issuer, uint16 list);
    /// @notice The index lies beyond the end of the list.
    error IndexOutOfRange(uint16 list, uint24 index);
    /// @notice A binding was made with this place before.
    error IndexUsed(address issuer, uint16 list, uint24 index);
    /// @notice The issuer revoked this binding before it was handed in.
    error BindingRevoked(address issuer, uint16 list, uint24 index);
    /// @notice The wallet has a live binding to another pseudonym in this domain.
    error WalletTaken(address wallet, bytes32 domain);
    /// @notice The pseudonym has as many live wallets in this domain as it may.
    error TooManyWallets(bytes32 pseudonym, bytes32 domain, uint8 most);
    /// @notice A pseudonym has from one to MAX_WALLETS wallets.
    error MostOutOfRange(uint8 most);

    /// @notice Binds a wallet. What it had before in this domain ends; so does the wallet that it replaces. Dead
    ///         bindings of the pseudonym make room when it is needed.
    /// @dev    Anyone, while not paused. Errors, in order: Paused, ZeroAddress, ZeroIdentifier, InvalidLevel,
    ///         InvalidJurisdiction, AlreadyExpired, DeadlinePassed, IssuerNotAccredited, UnknownKey, DistrustedKey,
    ///         InvalidSignature, NotABindingList, IndexOutOfRange, IndexUsed, BindingRevoked, WalletTaken,
    ///         TooManyWallets.
    /// @param binding   `replaces` is a wallet of the same pseudonym that ends at once, or zero; one that is not the
    ///                  pseudonym's (any more) is passed over. The deadline is the last second in which it can be
    ///                  handed in.
    /// @param signature See above.
    function bind(Binding calldata binding, bytes calldata signature) external;

    /// @notice Ends bindings of these wallets in a domain. A wallet that is not bound is passed over. The places stay
    ///         used: a wallet comes back with a new signature only.
    /// @dev    The wallet itself, the owner of the binding's issuer, or ROOT, for each of them. Never paused. Errors:
    ///         AccessManagedUnauthorized.
    function unbind(bytes32 domain, address[] calldata wallets) external;

    /// @notice Admits a P-256 key for signatures of an issuer. It may have several.
    /// @dev    ROOT, while not paused. Errors, in order: AccessManagedUnauthorized, Paused, ZeroAddress, InvalidKey,
    ///         KeyExists.
    function admitIssuerKey(address issuer, bytes32 x, bytes32 y) external;

    /// @notice Withdraws a key: nothing can be bound with it any more, also not what it signed before. It may be
    ///         admitted again.
    /// @dev    ROOT. Never paused. Errors, in order: AccessManagedUnauthorized, UnknownKey.
    function withdrawIssuerKey(address issuer, bytes32 x, bytes32 y) external;

    /// @notice Sets how many live wallets a pseudonym may have in a domain. Those that are bound stay when it is
    ///         lowered; none of them can be renewed while there are too many.
    /// @dev    ROOT. Never paused. Errors, in order: AccessManagedUnauthorized, ZeroIdentifier, MostOutOfRange.
    function setWalletsMost(bytes32 domain, uint8 most) external;

    /// @notice How many live wallets a pseudonym may have in this domain.
    function walletsMostOf(bytes32 domain) external view returns (uint8 most);

    /// @notice The wallet's binding in this domain as recorded, live or not. Issuer zero: there is none.
    function bindingOf(address wallet, bytes32 domain) external view returns (Recorded memory recorded);

    /// @notice The wallets recorded for a pseudonym in this domain, live or not; at most MAX_WALLETS.
    function walletsOf(bytes32 pseudonym, bytes32 domain) external view returns (address[] memory wallets);

    /// @notice Whether a binding was ever made with this place.
    function isIndexUsed(address issuer, uint16 list, uint24 index) external view returns (bool used);

    /// @notice Whether the key with this RFC 7638 thumbprint is admitted for the issuer. Whether it is distrusted,
    ///         TrustRegistry knows.
    function isIssuerKey(address issuer, bytes32 thumbprint) external view returns (bool admitted);

    /// @notice The 32 bytes that an issuer signs for this binding (EIP-712).
    function digestOf(Binding calldata binding) external view returns (bytes32 digest);

    /// @notice The functions that belong to the root; see ITrustRegistry.rootFunctions.
    function rootFunctions() external pure returns (bytes4[] memory selectors);
}
