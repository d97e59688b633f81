// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRegistered} from "./IRegistered.sol";

/// @title IAssetRegistry
/// @notice Registered assets with a quantity (a quota of a natural resource, units of a fleet, a municipality's bonds)
///         as ERC-1155 tokens. See IRegistered for registers, registrars, entries and custody.
///
///         An entry is a *class* of units: never more of them than its cap, in the smallest unit of its decimals. Units
///         move by the register. If the class was opened with wallet transfers they also move from wallet to wallet, to
///         a wallet behind which a known person of the class's level stands in the class's domain.
///
///         A *freeze* holds an amount of one holder under the id of an order. Frozen units do not move and are not
///         retired, except by `forcedTransfer`, whose order serves once and which can take what one freeze holds. So
///         what is frozen of a holder is never more than what the holder has.
///
///         The views and events of ERC-7943 are there. Its `setFrozenTokens` and `forcedTransfer` know no orders, so
///         they are not, and its interface id is not claimed.
interface IAssetRegistry is IRegistered {
    /// @notice A class of units as it stands; amounts in the smallest unit.
    struct Standing {
        uint128 entryId;
        uint128 cap;
        uint128 supply;
        uint8 decimals;
        bool walletTransfers;
        uint8 level;
        bytes32 domain;
        bytes32 commitment;
    }

    /// @notice What somebody holds of a class, and how much of it is frozen.
    struct Holding {
        address holder;
        uint128 amount;
        uint128 frozen;
    }

    /// @notice ERC-7943: so much of the account's units is frozen now.
    event Frozen(address indexed account, uint256 indexed tokenId, uint256 amount);
    /// @notice ERC-7943: units moved under an order.
    event ForcedTransfer(address indexed from, address indexed to, uint256 indexed tokenId, uint256 amount);
    /// @notice Under this order so much of the holder's units is frozen now.
    event FreezeChanged(uint256 indexed tokenId, address indexed holder, bytes32 indexed orderId, uint128 amount);
    /// @notice A class was opened, or its cap changed.
    event CapChanged(uint256 indexed tokenId, uint128 cap);

    /// @notice The decimals are more than MAX_DECIMALS.
    error InvalidDecimals(uint8 decimals);
    /// @notice The cap is zero, or lower than what is issued.
    error CapOutOfRange(uint256 tokenId, uint128 cap);
    /// @notice So much would be more than the cap.
    error CapExceeded(uint256 tokenId, uint256 supply);
    /// @notice The amount is zero.
    error ZeroAmount();
    /// @notice The holder has less than that, or less that is not frozen.
    error UnitsFrozen(uint256 tokenId, address holder, uint256 available);
    /// @notice A freeze under this order stands already, or does not stand.
    error FreezeUnchanged(uint256 tokenId, bytes32 orderId);
    /// @notice Units move by the register alone: the class has no wallet transfers, or they are in custody.
    error ByRegisterOnly(uint256 tokenId);
    /// @notice Nobody of the class's level is known to stand behind the wallet.
    error WalletNotBound(address wallet);

    /// @notice Opens a register. Emits RegisterOpened.
    /// @dev    Whoever then is its registrar, while not paused. Errors, in order: Paused, ZeroIdentifier,
    ///         RegisterExists, NotRegistrar, RegistrarNotAccredited, InvalidUri.
    function openRegister(address issuer, bytes32 registerId, bytes32 typeId, string calldata baseUri) external;

    /// @notice Opens a class. Decimals, and whether wallets may transfer and to whom, are fixed for ever. Emits
    ///         CapChanged and Amended.
    /// @dev    The registrar, while not paused. Errors, in order: Paused, UnknownRegister, NotRegistrar,
    ///         RegistrarNotAccredited, ZeroIdentifier, EntryExists, InvalidDecimals, CapOutOfRange.
    /// @param opened Its supply is not looked at: a class begins empty.
    function openClass(uint128 register, Standing calldata opened) external;

    /// @notice The class's public extract or its cap has changed. Emits Amended, and CapChanged where it did.
    /// @dev    The registrar. Errors, in order: UnknownRegister, NotRegistrar, RegistrarNotAccredited, UnknownEntry,
    ///         ZeroIdentifier, CapOutOfRange; Paused for a higher cap.
    function amend(uint256 tokenId, uint128 cap, bytes32 commitment) external;

    /// @notice Issues units. Emits TransferSingle for each holder.
    /// @dev    The registrar, while not paused. All or nothing. Errors, in order: Paused, LengthMismatch,
    ///         UnknownRegister, NotRegistrar, RegistrarNotAccredited, UnknownEntry; then for each ZeroAmount,
    ///         CapExceeded, ERC1155InvalidReceiver.
    function issueMany(uint256 tokenId, address[] calldata holders, uint128[] calldata amounts) external;

    /// @notice Retires units that are not frozen. Emits TransferSingle.
    /// @dev    The registrar, while not paused. Errors, in order: Paused, UnknownRegister, NotRegistrar,
    ///         RegistrarNotAccredited, UnknownEntry, ZeroAmount, UnitsFrozen.
    function retire(uint256 tokenId, address from, uint128 amount) external;

    /// @notice Transfers units that the register has transferred and that are not frozen. Emits TransferSingle.
    /// @dev    The registrar, while not paused. Errors, in order: Paused, UnknownRegister, NotRegistrar,
    ///         RegistrarNotAccredited, UnknownEntry, ZeroAmount, ERC1155InvalidReceiver, UnitsFrozen.
    function transferByRegister(uint256 tokenId, address from, address to, uint128 amount) external;

    /// @notice Freezes so much of a holder's units under an order. Emits FreezeChanged and Frozen.
    /// @dev    The registrar. Never paused. Errors, in order: UnknownRegister, NotRegistrar, RegistrarNotAccredited,
    ///         UnknownEntry, ZeroAmount, ZeroIdentifier, FreezeUnchanged, UnitsFrozen.
    function freeze(uint256 tokenId, address holder, uint128 amount, bytes32 orderId) external;

    /// @notice Lifts the freeze of a holder under an order. Emits FreezeChanged and Frozen.
    /// @dev    The registrar, while not paused. Errors, in order: Paused, UnknownRegister, NotRegistrar,
    ///         RegistrarNotAccredited, UnknownEntry, FreezeUnchanged.
    function unfreeze(uint256 tokenId, address holder, bytes32 orderId) external;

    /// @notice Transfers units under an order: those that stand frozen under `freezeOrderId` first, whose freeze
    ///         shrinks by as much, then those that are free. Emits OrderExecuted, TransferSingle and ForcedTransfer,
    ///         and FreezeChanged and Frozen where a freeze shrank.
    /// @dev    The registrar, while not paused. Errors, in order: Paused, UnknownRegister, NotRegistrar,
    ///         RegistrarNotAccredited, UnknownEntry, ZeroAmount, ZeroIdentifier, OrderUsed, ERC1155InvalidReceiver,
    ///         UnitsFrozen.
    /// @param freezeOrderId The order of a freeze that this one executes or overrides; zero if there is none.
    function forcedTransfer(
        uint256 tokenId,
        address from,
        address to,
        uint128 amount,
        bytes32 orderId,
        bytes32 freezeOrderId
    ) external;

    /// @notice A class as it stands. Errors: UnknownEntry.
    function standingOf(uint256 tokenId) external view returns (Standing memory standing);

    /// @notice Classes of a register in the order of their opening, from a position on, as many as there are up to
    ///         `count`.
    function standingsIn(uint128 register, uint256 from, uint256 count)
        external
        view
        returns (Standing[] memory standings);

    /// @notice How many addresses ever held units of the class.
    function holdersOf(uint256 tokenId) external view returns (uint256 count);

    /// @notice Holdings of a class in the order in which they began, from a position on, as many as there are up to
    ///         `count`; those that are empty now too.
    function holdingsIn(uint256 tokenId, uint256 from, uint256 count) external view returns (Holding[] memory holdings);

    /// @notice How much of the holder's units stands frozen under this order.
    function frozenUnder(uint256 tokenId, address holder, bytes32 orderId) external view returns (uint128 amount);

    /// @notice ERC-7943: whether the account may send at all. What a class demands is asked by canTransfer.
    function canSend(address account) external view returns (bool allowed);

    /// @notice ERC-7943: whether the account may receive at all. What a class demands is asked by canTransfer.
    function canReceive(address account) external view returns (bool allowed);

    /// @notice ERC-7943: whether `from` could transfer so much to `to` now, from wallet to wallet.
    function canTransfer(address from, address to, uint256 tokenId, uint256 amount) external view returns (bool may);

    /// @notice ERC-7943: how much of the account's units is frozen.
    function getFrozenTokens(address account, uint256 tokenId) external view returns (uint256 amount);
}
