// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governed} from "./Governed.sol";
import {IStatusRegistry} from "./IStatusRegistry.sol";

/// @title StatusRegistry
/// @notice Status lists of credentials, as bitmaps or as anchored digests. See IStatusRegistry for what it promises.
contract StatusRegistry is Governed, IStatusRegistry {
    struct List {
        uint8 purpose;
        uint8 mode;
        uint32 length;
        uint64 version;
        uint64 anchoredAt;
    }

    uint8 public constant REVOCATION = 1;
    uint8 public constant SUSPENSION = 2;
    uint8 public constant BINDING = 3;
    uint8 public constant BITMAP = 0;
    uint8 public constant ANCHORED = 1;
    /// @notice The shortest list, in bits: enough to hide one credential among many.
    uint32 public constant MIN_LENGTH = 131_072;
    /// @notice The longest list, in bits.
    uint32 public constant MAX_LENGTH = 1 << 24;
    /// @notice The longest URL of an anchored list, in bytes.
    uint256 public constant MAX_URL_BYTES = 1024;

    mapping(address issuer => mapping(uint256 list => List)) private _lists;
    mapping(address issuer => mapping(uint256 list => mapping(uint256 word => uint256))) private _words;
    mapping(address issuer => mapping(uint256 list => bytes32)) private _digests;
    mapping(address owner => mapping(address issuer => mapping(uint256 list => mapping(address => bool)))) private
        _delegates;

    constructor(address didRegistry_, address governance_) Governed(didRegistry_, governance_) {}

    /// @inheritdoc IStatusRegistry
    function openLists(
        address issuer,
        uint256[] calldata lists,
        uint8[] calldata purposes,
        uint8[] calldata modes,
        uint32[] calldata lengths
    ) external {
        uint256 count = lists.length;
        if (purposes.length != count || modes.length != count || lengths.length != count) revert LengthMismatch();
        address owner = _ownerOf(issuer);
        for (uint256 i = 0; i < count; ++i) {
            _requireWriter(owner, issuer, lists[i]);
            _open(issuer, lists[i], purposes[i], modes[i], lengths[i]);
        }
    }

    /// @inheritdoc IStatusRegistry
    function setListDelegate(address issuer, uint256 list, address delegate, bool allowed) external {
        if (msg.sender != _ownerOf(issuer)) revert NotOwner(issuer, msg.sender);
        _delegates[msg.sender][issuer][list][delegate] = allowed;
        emit ListDelegateChanged(issuer, list, delegate, allowed);
    }

    /// @inheritdoc IStatusRegistry
    function setBits(address issuer, uint256 list, uint32[] calldata words, uint256[] calldata masks) external {
        uint256 count = words.length;
        if (masks.length != count) revert LengthMismatch();
        uint256 end = _requireSettable(_ownerOf(issuer), issuer, list);
        for (uint256 i = 0; i < count; ++i) {
            _set(issuer, list, end, words[i], masks[i]);
        }
    }

    /// @inheritdoc IStatusRegistry
    function setBitsIn(address issuer, uint256[] calldata lists, uint32[] calldata words, uint256[] calldata masks)
        external
    {
        uint256 count = lists.length;
        if (words.length != count || masks.length != count) revert LengthMismatch();
        address owner = _ownerOf(issuer);
        for (uint256 i = 0; i < count; ++i) {
            _set(issuer, lists[i], _requireSettable(owner, issuer, lists[i]), words[i], masks[i]);
        }
    }

    /// @inheritdoc IStatusRegistry
    function clearBits(address issuer, uint256 list, uint32[] calldata words, uint256[] calldata masks)
        external
        whenNotPaused
    {
        uint256 count = words.length;
        if (masks.length != count) revert LengthMismatch();
        uint256 end = _requireClearable(_ownerOf(issuer), issuer, list);
        for (uint256 i = 0; i < count; ++i) {
            _clear(issuer, list, end, words[i], masks[i]);
        }
    }

    /// @inheritdoc IStatusRegistry
    function clearBitsIn(address issuer, uint256[] calldata lists, uint32[] calldata words, uint256[] calldata masks)
        external
        whenNotPaused
    {
        uint256 count = lists.length;
        if (words.length != count || masks.length != count) revert LengthMismatch();
        address owner = _ownerOf(issuer);
        for (uint256 i = 0; i < count; ++i) {
            _clear(issuer, lists[i], _requireClearable(owner, issuer, lists[i]), words[i], masks[i]);
        }
    }

    /// @inheritdoc IStatusRegistry
    function anchor(address issuer, uint256 list, uint64 version, bytes32 digest, uint64 at, string calldata url)
        external
    {
        List memory current = _listIn(issuer, list, ANCHORED);
        _requireWriter(_ownerOf(issuer), issuer, list);
        if (version != current.version + 1) revert UnexpectedVersion(version, current.version + 1);
        uint64 latest = uint64(block.timestamp) + CLOCK_TOLERANCE;
        if (at < current.anchoredAt || at > latest) revert TimeOutOfRange(at, current.anchoredAt, latest);
        if (digest == bytes32(0)) revert InvalidDigest();
        if (bytes(url).length == 0 || bytes(url).length > MAX_URL_BYTES) revert InvalidUrl();
        current.version = version;
        current.anchoredAt = at;
        _lists[issuer][list] = current;
        _digests[issuer][list] = digest;
        emit Anchored(issuer, list, version, digest, at, url);
    }

    /// @inheritdoc IStatusRegistry
    function statusWord(address issuer, uint256 list, uint256 word) external view returns (uint256 bits) {
        if (word >= _wordsOf(_listIn(issuer, list, BITMAP))) revert WordOutOfRange(list, word);
        return _words[issuer][list][word];
    }

    /// @inheritdoc IStatusRegistry
    function isSet(address issuer, uint256 list, uint256 index) external view returns (bool set) {
        if (index >= _listIn(issuer, list, BITMAP).length) revert IndexOutOfRange(list, index);
        return (_words[issuer][list][index / 256] >> (255 - (index % 256))) & 1 == 1;
    }

    /// @inheritdoc IStatusRegistry
    function listOf(address issuer, uint256 list) external view returns (uint8 purpose, uint8 mode, uint32 length) {
        List storage opened = _lists[issuer][list];
        return (opened.purpose, opened.mode, opened.length);
    }

    /// @inheritdoc IStatusRegistry
    function anchorOf(address issuer, uint256 list) external view returns (uint64 version, uint64 at, bytes32 digest) {
        List memory opened = _listIn(issuer, list, ANCHORED);
        return (opened.version, opened.anchoredAt, _digests[issuer][list]);
    }

    /// @inheritdoc IStatusRegistry
    function isWriter(address issuer, uint256 list, address account) external view returns (bool writer) {
        return _isWriter(_ownerOf(issuer), issuer, list, account);
    }

    function _open(address issuer, uint256 list, uint8 purpose, uint8 mode, uint32 length) private {
        if (_lists[issuer][list].length != 0) revert ListExists(issuer, list);
        if (purpose < REVOCATION || purpose > BINDING) revert InvalidPurpose(purpose);
        if (mode > ANCHORED) revert InvalidMode(mode);
        if (length < MIN_LENGTH || length > MAX_LENGTH || length % 256 != 0) revert InvalidLength(length);
        _lists[issuer][list] = List({purpose: purpose, mode: mode, length: length, version: 0, anchoredAt: 0});
        emit ListOpened(issuer, list, purpose, mode, length);
    }

    function _set(address issuer, uint256 list, uint256 end, uint256 word, uint256 mask) private {
        if (word >= end) revert WordOutOfRange(list, word);
        mapping(uint256 => uint256) storage bits = _words[issuer][list];
        uint256 oldWord = bits[word];
        uint256 newWord = oldWord | mask;
        if (newWord == oldWord) return;
        bits[word] = newWord;
        emit StatusChanged(issuer, list, word, newWord);
    }

    function _clear(address issuer, uint256 list, uint256 end, uint256 word, uint256 mask) private {
        if (word >= end) revert WordOutOfRange(list, word);
        mapping(uint256 => uint256) storage bits = _words[issuer][list];
        uint256 oldWord = bits[word];
        uint256 newWord = oldWord & ~mask;
        if (newWord == oldWord) return;
        bits[word] = newWord;
        emit StatusChanged(issuer, list, word, newWord);
    }

    function _requireSettable(address owner, address issuer, uint256 list) private view returns (uint256 end) {
        end = _wordsOf(_listIn(issuer, list, BITMAP));
        _requireWriter(owner, issuer, list);
    }

    function _requireClearable(address owner, address issuer, uint256 list) private view returns (uint256 end) {
        List memory opened = _listIn(issuer, list, BITMAP);
        if (opened.purpose != SUSPENSION) revert NotClearable(issuer, list);
        _requireWriter(owner, issuer, list);
        return _wordsOf(opened);
    }

    function _requireWriter(address owner, address issuer, uint256 list) private view {
        if (!_isWriter(owner, issuer, list, msg.sender)) revert NotWriter(issuer, list, msg.sender);
    }

    function _isWriter(address owner, address issuer, uint256 list, address account) private view returns (bool) {
        if (owner == address(0)) return false;
        return account == owner || _delegates[owner][issuer][list][account];
    }

    function _listIn(address issuer, uint256 list, uint8 mode) private view returns (List memory opened) {
        opened = _lists[issuer][list];
        if (opened.length == 0) revert UnknownList(issuer, list);
        if (opened.mode != mode) revert WrongMode(issuer, list);
    }

    function _wordsOf(List memory opened) private pure returns (uint256 count) {
        return opened.length / 256;
    }
}
