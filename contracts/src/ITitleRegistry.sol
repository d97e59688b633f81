// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRegistered} from "./IRegistered.sol";

/// @title ITitleRegistry
/// @notice Titles (to land, and to other things that are registered one by one) as ERC-721 tokens. See IRegistered for
///         registers, registrars, entries and custody.
///
///         A title moves by the register. If the register was opened with wallet transfers it also moves from wallet to
///         wallet, by its owner or whom the owner approved, as long as nothing is frozen or encumbered and a known
///         person of the register's level stands behind the receiving wallet in the register's domain.
///
///         A *freeze* stands under the id of an order (a caveat, a court's order). While any freeze stands the title
///         does not move, is not replaced and does not end, except by `forcedTransfer`, whose order serves once. The
///         freezes stay when it has moved. Ranks and amounts of encumbrances are the register's; here is how many there
///         are.
///
///         The views and events of ERC-7943 are there. Its `setFrozenTokens` and `forcedTransfer` know no orders, so
///         they are not, and its interface id is not claimed.
interface ITitleRegistry is IRegistered {
    /// @notice A new title.
    struct NewTitle {
        uint128 entryId;
        address holder;
        uint32 encumbrances;
        bytes32 commitment;
    }

    /// @notice A title as it stands; one that has ended has no holder.
    struct Standing {
        uint128 entryId;
        address holder;
        uint32 freezes;
        uint32 encumbrances;
        bytes32 commitment;
    }

    /// @notice ERC-7943: whether the title is frozen changed.
    event Frozen(address indexed account, uint256 indexed tokenId, bool indexed frozenStatus);
    /// @notice ERC-7943: the title moved under an order.
    event ForcedTransfer(address indexed from, address indexed to, uint256 indexed tokenId);
    /// @notice A freeze was put on the title, or lifted.
    event FreezeChanged(uint256 indexed tokenId, bytes32 indexed orderId, bool inForce);
    /// @notice So many encumbrances stand on the title now.
    event Encumbered(uint256 indexed tokenId, uint32 encumbrances);
    /// @notice These titles ended, and those began in their place.
    event Replaced(uint128 indexed register, uint256[] predecessors, uint256[] successors);

    /// @notice The title moves by the register alone: the register has no wallet transfers, or it is in custody.
    error ByRegisterOnly(uint256 tokenId);
    /// @notice The title is frozen.
    error TitleFrozen(uint256 tokenId);
    /// @notice Encumbrances stand on the title; the register asks for the consent they need.
    error TitleEncumbered(uint256 tokenId);
    /// @notice Nobody of the register's level is known to stand behind the wallet.
    error WalletNotBound(address wallet);
    /// @notice The freeze under this order stands already, or does not stand.
    error FreezeUnchanged(uint256 tokenId, bytes32 orderId);
    /// @notice Nothing is replaced by nothing.
    error NothingToReplace();

    /// @notice Opens a register. Whether wallets may transfer, and to whom, is fixed for ever. Emits RegisterOpened.
    /// @dev    Whoever then is its registrar, while not paused. Errors, in order: Paused, ZeroIdentifier,
    ///         RegisterExists, NotRegistrar, RegistrarNotAccredited, InvalidUri.
    /// @param domain Of the bindings that count; without meaning when `walletTransfers` is false.
    /// @param level  The lowest that a receiving wallet needs.
    function openRegister(
        address issuer,
        bytes32 registerId,
        bytes32 typeId,
        string calldata baseUri,
        bool walletTransfers,
        bytes32 domain,
        uint8 level
    ) external;

    /// @notice Makes the tokens of entries. Emits Transfer for each, and Encumbered where it is.
    /// @dev    The registrar, while not paused. All or nothing. Errors, in order: Paused, UnknownRegister,
    ///         NotRegistrar, RegistrarNotAccredited; then for each ZeroIdentifier, EntryExists, ERC721InvalidReceiver.
    function mintMany(uint128 register, NewTitle[] calldata titles) external;

    /// @notice The public extracts have changed. Emits Amended for each.
    /// @dev    The registrar. Errors, in order: LengthMismatch, UnknownRegister, NotRegistrar, RegistrarNotAccredited,
    ///         ZeroIdentifier, UnknownEntry.
    function amend(uint256[] calldata tokenIds, bytes32[] calldata commitments) external;

    /// @notice Records how many encumbrances stand on the title. Emits Encumbered and Amended.
    /// @dev    The registrar. Errors as for amend.
    function encumber(uint256 tokenId, uint32 encumbrances, bytes32 commitment) external;

    /// @notice Transfers a title that the register has transferred. Emits Transfer and Amended.
    /// @dev    The registrar, while not paused. Errors, in order: Paused, UnknownRegister, NotRegistrar,
    ///         RegistrarNotAccredited, UnknownEntry, NotHolder, TitleFrozen, ZeroIdentifier, ERC721InvalidReceiver.
    /// @param from Who holds it, so that a transfer between wallets that came in between is not undone.
    function transferByRegister(uint256 tokenId, address from, address to, bytes32 commitment) external;

    /// @notice Freezes the title under an order. Emits FreezeChanged, and Frozen when it is the first.
    /// @dev    The registrar. Errors, in order: UnknownRegister, NotRegistrar, RegistrarNotAccredited, UnknownEntry,
    ///         ZeroIdentifier, FreezeUnchanged.
    function freeze(uint256 tokenId, bytes32 orderId) external;

    /// @notice Lifts the freeze under an order. Emits FreezeChanged, and Frozen when it was the last.
    /// @dev    The registrar, while not paused. Errors, in order: Paused, then as for freeze.
    function unfreeze(uint256 tokenId, bytes32 orderId) external;

    /// @notice Transfers a title under an order, frozen or not. Emits OrderExecuted, Transfer, ForcedTransfer, Amended.
    /// @dev    The registrar, while not paused. Errors, in order: Paused, UnknownRegister, NotRegistrar,
    ///         RegistrarNotAccredited, UnknownEntry, NotHolder, ZeroIdentifier, OrderUsed, ERC721InvalidReceiver.
    function forcedTransfer(uint256 tokenId, address from, address to, bytes32 orderId, bytes32 commitment) external;

    /// @notice Split and merge: ends titles and makes those that take their place. Emits what both do, and Replaced.
    /// @dev    The registrar, while not paused. All or nothing. Errors, in order: Paused, UnknownRegister,
    ///         NotRegistrar, RegistrarNotAccredited, LengthMismatch, NothingToReplace, for each predecessor
    ///         UnknownEntry (also one of another register), NotHolder, TitleFrozen; then as for mintMany.
    /// @param holders Who holds the predecessors.
    function replace(
        uint128 register,
        uint256[] calldata predecessors,
        address[] calldata holders,
        NewTitle[] calldata successors
    ) external;

    /// @notice Ends a title for good. Emits Transfer to the zero address.
    /// @dev    The registrar, while not paused. Errors, in order: Paused, UnknownRegister, NotRegistrar,
    ///         RegistrarNotAccredited, UnknownEntry, NotHolder, TitleFrozen.
    function close(uint256 tokenId, address from) external;

    /// @notice A title as it stands. Errors: UnknownEntry.
    function standingOf(uint256 tokenId) external view returns (Standing memory standing);

    /// @notice Titles of a register in the order of their making, from a position on, as many as there are up to
    ///         `count`.
    function standingsIn(uint128 register, uint256 from, uint256 count)
        external
        view
        returns (Standing[] memory standings);

    /// @notice Whether a freeze stands under this order.
    function isFrozenUnder(uint256 tokenId, bytes32 orderId) external view returns (bool inForce);

    /// @notice ERC-7943: whether the account may send at all. What a register demands is asked by canTransfer.
    function canSend(address account) external view returns (bool allowed);

    /// @notice ERC-7943: whether the account may receive at all. What a register demands is asked by canTransfer.
    function canReceive(address account) external view returns (bool allowed);

    /// @notice ERC-7943: whether `from` could transfer the title to `to` now, from wallet to wallet.
    function canTransfer(address from, address to, uint256 tokenId) external view returns (bool allowed);

    /// @notice ERC-7943: whether the title is frozen and belongs to `account`.
    function getFrozenTokens(address account, uint256 tokenId) external view returns (bool frozenStatus);
}
