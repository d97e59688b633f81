// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IRegistered
/// @notice What the token contracts of registers share. One contract serves every register of its kind in the nation.
///
///         A register is (issuer, register id). Its *registrar* is whoever owns the issuer in the registry of DIDs, for
///         as long as TrustRegistry accredits that issuer for the register's credential type: authority comes from
///         trust, and ends with it. Nobody else makes, changes or forcibly moves a token, no role and no administrator.
///
///         A register's key is the first half of keccak256(abi.encode(issuer, register id)); no two registers have one.
///         A token's id is that key (upper 128 bits) and the UUID of its entry (lower 128 bits), so it is known before
///         the token is, tells its entry, and cannot be that of another. A UUID is never used twice, not even after its
///         token has ended. Nothing here is personal data: an entry is a digest of its public extract.
///
///         Whoever is accredited for some type can open registers for it. So a token says nothing by itself: who relies
///         on one asks which issuer and which type its register has.
///
///         *Custody*: the token of a holder without a wallet belongs to the issuer's address, and only the registrar
///         moves it.
///
///         Ids of orders (a court's, a caveat's) are chosen by the registrar; the reference itself stays with it.
///
///         A pause (Governance) stops opening, making, moving and lifting. It never stops freezing, suspending,
///         revoking, amending or encumbering. Every function can be put into one transaction with others (multicall).
interface IRegistered {
    /// @notice A register as it was opened.
    struct Register {
        address issuer;
        bool walletTransfers;
        uint8 level;
        bytes32 registerId;
        bytes32 typeId;
        bytes32 domain;
        string baseUri;
    }

    /// @notice A register was opened.
    event RegisterOpened(
        uint128 indexed register, address indexed issuer, bytes32 indexed registerId, bytes32 typeId, string baseUri
    );
    /// @notice The metadata of the register's tokens are now found below `baseUri`.
    event BaseUriChanged(uint128 indexed register, string baseUri);
    /// @notice The registrar executed an order; the id serves no second time in this register.
    event OrderExecuted(uint128 indexed register, bytes32 indexed orderId, uint256 indexed tokenId);
    /// @notice The commitment to the entry's public extract changed.
    event Amended(uint256 indexed tokenId, bytes32 commitment);

    /// @notice An id, a type or a commitment is zero.
    error ZeroIdentifier();
    /// @notice The register has been opened already, or its key is taken.
    error RegisterExists(uint128 register);
    /// @notice The register has not been opened.
    error UnknownRegister(uint128 register);
    /// @notice The caller is not the owner of the register's issuer.
    error NotRegistrar(uint128 register, address caller);
    /// @notice The register's issuer holds no accreditation in force for the register's credential type.
    error RegistrarNotAccredited(address issuer, bytes32 typeId);
    /// @notice The entry has, or once had, a token.
    error EntryExists(uint256 tokenId);
    /// @notice There is no such entry, or it has ended.
    error UnknownEntry(uint256 tokenId);
    /// @notice The token does not belong to `holder`: it has moved in between.
    error NotHolder(uint256 tokenId, address holder);
    /// @notice The order has been executed in this register.
    error OrderUsed(uint128 register, bytes32 orderId);
    /// @notice Arrays that belong together differ in length.
    error LengthMismatch();
    /// @notice The base URI is empty or longer than MAX_URI_BYTES.
    error InvalidUri();

    /// @notice Where the tokens' metadata are found: a token's URI is this and its id, in decimal.
    /// @dev    The registrar. Errors, in order: UnknownRegister, NotRegistrar, RegistrarNotAccredited, InvalidUri.
    function setBaseUri(uint128 register, string calldata baseUri) external;

    /// @notice A register. Errors: UnknownRegister.
    function registerOf(uint128 register) external view returns (Register memory opened);

    /// @notice Whether the order was executed in this register.
    function isOrderUsed(uint128 register, bytes32 orderId) external view returns (bool used);

    /// @notice How many entries of the register ever had a token.
    function entriesOf(uint128 register) external view returns (uint256 count);

    /// @notice The key of a register, opened or not.
    function registerKeyOf(address issuer, bytes32 registerId) external pure returns (uint128 register);

    /// @notice The id of an entry's token, made or not.
    function tokenIdOf(address issuer, bytes32 registerId, uint128 entryId) external pure returns (uint256 tokenId);
}
