// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IStatusRegistry
/// @notice Status lists of credentials. A list is (issuer, list number), with one purpose and one mode, both fixed for
///         ever when it is opened.
///
///         Purposes: 1 revocation, 2 suspension, 3 binding (a wallet's binding; behaves like revocation).
///         Modes: 0 bitmap (the bits are on chain), 1 anchored (only a digest of the bits is).
///
///         A bit of a revocation or binding list, once set, stays set: no role, no owner and no pause changes that.
///         A bit of a suspension list can be cleared, while the registry is not paused. A pause never stops setting
///         bits or anchoring.
///
///         Who may write to a list: the owner of the issuer in the registry of DIDs, or a delegate which that owner
///         named for that list. Delegates count only while the owner who named them is the owner: with a new owner they
///         are gone (and are there again should the identity return to the one who named them).
///
///         Bit order: index i stands in word i / 256 at bit 255 - i % 256, so the big-endian concatenation of the words
///         is the bitstring of a W3C Bitstring Status List (index 0 is the most significant bit of byte 0).
interface IStatusRegistry {
    /// @notice A list was opened.
    event ListOpened(address indexed issuer, uint256 indexed list, uint8 purpose, uint8 mode, uint32 length);

    /// @notice The owner of `issuer` allowed or dismissed a delegate for one list.
    event ListDelegateChanged(address indexed issuer, uint256 indexed list, address delegate, bool allowed);

    /// @notice One word of a bitmap changed; `newWord` is its whole new value. Unchanged words have no event.
    event StatusChanged(address indexed issuer, uint256 indexed list, uint256 word, uint256 newWord);

    /// @notice A version of an anchored list was published: `digest` is the SHA-256 of its raw bits, `at` the time the
    ///         issuer says it holds for (seconds), `url` where the list can be fetched.
    event Anchored(address indexed issuer, uint256 indexed list, uint64 version, bytes32 digest, uint64 at, string url);

    /// @notice Arrays that belong together differ in length.
    error LengthMismatch();
    /// @notice The list has not been opened.
    error UnknownList(address issuer, uint256 list);
    /// @notice The list has been opened already.
    error ListExists(address issuer, uint256 list);
    /// @notice The purpose is none of 1, 2, 3.
    error InvalidPurpose(uint8 purpose);
    /// @notice The mode is none of 0, 1.
    error InvalidMode(uint8 mode);
    /// @notice The length is below MIN_LENGTH, above MAX_LENGTH or no multiple of 256.
    error InvalidLength(uint32 length);
    /// @notice The operation is for lists of the other mode.
    error WrongMode(address issuer, uint256 list);
    /// @notice Bits of this list are never cleared.
    error NotClearable(address issuer, uint256 list);
    /// @notice The caller is not the owner of the issuer.
    error NotOwner(address issuer, address caller);
    /// @notice The caller is neither the owner of the issuer nor its delegate for this list.
    error NotWriter(address issuer, uint256 list, address caller);
    /// @notice The word lies beyond the end of the list.
    error WordOutOfRange(uint256 list, uint256 word);
    /// @notice The index lies beyond the end of the list.
    error IndexOutOfRange(uint256 list, uint256 index);
    /// @notice The version is not the previous one plus one.
    error UnexpectedVersion(uint64 version, uint64 expected);
    /// @notice The time lies before the previous version's, or too far in the future.
    error TimeOutOfRange(uint64 at, uint64 earliest, uint64 latest);
    /// @notice The digest is zero.
    error InvalidDigest();
    /// @notice The URL is empty or longer than MAX_URL_BYTES.
    error InvalidUrl();

    /// @notice Opens lists, one for each position of the arrays. Emits ListOpened for each.
    /// @dev    The owner of the issuer, or whoever that owner named delegate for every one of these lists beforehand.
    ///         Errors, in order: LengthMismatch; then for each list NotWriter, ListExists, InvalidPurpose, InvalidMode,
    ///         InvalidLength.
    function openLists(
        address issuer,
        uint256[] calldata lists,
        uint8[] calldata purposes,
        uint8[] calldata modes,
        uint32[] calldata lengths
    ) external;

    /// @notice Allows or dismisses a delegate for one list, opened or not. Emits ListDelegateChanged.
    /// @dev    The owner of the issuer only. Errors: NotOwner.
    function setListDelegate(address issuer, uint256 list, address delegate, bool allowed) external;

    /// @notice Sets every bit of `masks[i]` in word `words[i]` of one bitmap. Emits StatusChanged for each word that
    ///         changes; a word that already has the bits is neither an error nor an event.
    /// @dev    Writers of the list. Never paused. Errors, in order: LengthMismatch, UnknownList, WrongMode, NotWriter,
    ///         WordOutOfRange.
    function setBits(address issuer, uint256 list, uint32[] calldata words, uint256[] calldata masks) external;

    /// @notice The same over several lists of one issuer: `masks[i]` in word `words[i]` of list `lists[i]`.
    /// @dev    Writers of every list named. All or nothing. Errors as for setBits.
    function setBitsIn(address issuer, uint256[] calldata lists, uint32[] calldata words, uint256[] calldata masks)
        external;

    /// @notice Clears every bit of `masks[i]` in word `words[i]` of one suspension bitmap. Emits like setBits.
    /// @dev    Writers of the list, while not paused. Errors, in order: Paused, LengthMismatch, UnknownList, WrongMode,
    ///         NotClearable, NotWriter, WordOutOfRange.
    function clearBits(address issuer, uint256 list, uint32[] calldata words, uint256[] calldata masks) external;

    /// @notice The same over several suspension lists of one issuer.
    /// @dev    Writers of every list named, while not paused. All or nothing. Errors as for clearBits.
    function clearBitsIn(address issuer, uint256[] calldata lists, uint32[] calldata words, uint256[] calldata masks)
        external;

    /// @notice Publishes the next version of an anchored list. Emits Anchored. The URL is only in the event.
    /// @dev    Writers of the list. Never paused. Errors, in order: UnknownList, WrongMode, NotWriter,
    ///         UnexpectedVersion, TimeOutOfRange, InvalidDigest, InvalidUrl.
    /// @param version The previous version plus one; the first is 1.
    /// @param digest  SHA-256 of the raw bits, in the order of a Bitstring Status List, not compressed.
    /// @param at      Not before the previous version's, not more than CLOCK_TOLERANCE after the block's time.
    function anchor(address issuer, uint256 list, uint64 version, bytes32 digest, uint64 at, string calldata url)
        external;

    /// @notice One word of a bitmap. Errors, in order: UnknownList, WrongMode, WordOutOfRange.
    function statusWord(address issuer, uint256 list, uint256 word) external view returns (uint256 bits);

    /// @notice One bit of a bitmap. What is not known reverts, it is never "not set".
    ///         Errors, in order: UnknownList, WrongMode, IndexOutOfRange.
    function isSet(address issuer, uint256 list, uint256 index) external view returns (bool set);

    /// @notice What a list is. All zero if it was never opened (an opened list has a length).
    function listOf(address issuer, uint256 list) external view returns (uint8 purpose, uint8 mode, uint32 length);

    /// @notice The newest version of an anchored list; version zero: nothing published yet.
    ///         Errors, in order: UnknownList, WrongMode.
    function anchorOf(address issuer, uint256 list) external view returns (uint64 version, uint64 at, bytes32 digest);

    /// @notice Whether `account` may write to this list now, opened or not.
    function isWriter(address issuer, uint256 list, address account) external view returns (bool writer);
}
