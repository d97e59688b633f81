// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IAssetRegistry} from "./IAssetRegistry.sol";
import {IGovernance} from "./IGovernance.sol";
import {Registered} from "./Registered.sol";

/// @title AssetRegistry
/// @notice Assets with a quantity as ERC-1155 tokens. See IAssetRegistry for what it promises.
contract AssetRegistry is ERC1155, Registered, IAssetRegistry {
    struct Share {
        uint128 frozen;
        bool listed;
    }

    /// @notice The most decimals of a class.
    uint8 public constant MAX_DECIMALS = 18;

    mapping(uint256 tokenId => Standing) private _classes;
    mapping(uint256 tokenId => address[]) private _holders;
    mapping(uint256 tokenId => mapping(address holder => Share)) private _shares;
    mapping(uint256 tokenId => mapping(address holder => mapping(bytes32 orderId => uint128))) private _freezes;

    constructor(address didRegistry_, address governance_, address trustRegistry_, address walletVerifier_)
        ERC1155("")
        Registered(didRegistry_, governance_, trustRegistry_, walletVerifier_)
    {}

    /// @inheritdoc IAssetRegistry
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

    /// @inheritdoc IAssetRegistry
    function openClass(uint128 register, Standing calldata opened) external whenNotPaused {
        _requireRegistrar(register);
        uint256 tokenId = _enter(register, opened.entryId, opened.commitment);
        if (_classes[tokenId].cap != 0) revert EntryExists(tokenId);
        if (opened.decimals > MAX_DECIMALS) revert InvalidDecimals(opened.decimals);
        if (opened.cap == 0) revert CapOutOfRange(tokenId, 0);
        _classes[tokenId] = opened;
        _classes[tokenId].supply = 0;
        emit CapChanged(tokenId, opened.cap);
        emit Amended(tokenId, opened.commitment);
    }

    /// @inheritdoc IAssetRegistry
    function amend(uint256 tokenId, uint128 cap, bytes32 commitment) external {
        Standing storage class = _requireClass(tokenId);
        if (commitment == bytes32(0)) revert ZeroIdentifier();
        if (cap == 0 || cap < class.supply) revert CapOutOfRange(tokenId, cap);
        if (cap > class.cap && _isPaused()) revert Paused();
        if (cap != class.cap) {
            class.cap = cap;
            emit CapChanged(tokenId, cap);
        }
        class.commitment = commitment;
        emit Amended(tokenId, commitment);
    }

    /// @inheritdoc IAssetRegistry
    function issueMany(uint256 tokenId, address[] calldata holders, uint128[] calldata amounts) external whenNotPaused {
        if (amounts.length != holders.length) revert LengthMismatch();
        Standing storage class = _requireClass(tokenId);
        uint256 supply = class.supply;
        for (uint256 i = 0; i < holders.length; ++i) {
            if (amounts[i] == 0) revert ZeroAmount();
            supply += amounts[i];
            if (supply > class.cap) revert CapExceeded(tokenId, supply);
            if (holders[i] == address(0)) revert ERC1155InvalidReceiver(address(0));
            _move(tokenId, address(0), holders[i], amounts[i]);
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        class.supply = uint128(supply);
    }

    /// @inheritdoc IAssetRegistry
    function retire(uint256 tokenId, address from, uint128 amount) external whenNotPaused {
        Standing storage class = _requireClass(tokenId);
        if (amount == 0) revert ZeroAmount();
        _requireFree(tokenId, from, amount);
        class.supply -= amount;
        _move(tokenId, from, address(0), amount);
    }

    /// @inheritdoc IAssetRegistry
    function transferByRegister(uint256 tokenId, address from, address to, uint128 amount) external whenNotPaused {
        _requireClass(tokenId);
        if (amount == 0) revert ZeroAmount();
        if (to == address(0)) revert ERC1155InvalidReceiver(address(0));
        _requireFree(tokenId, from, amount);
        _move(tokenId, from, to, amount);
    }

    /// @inheritdoc IAssetRegistry
    function freeze(uint256 tokenId, address holder, uint128 amount, bytes32 orderId) external {
        _requireClass(tokenId);
        if (amount == 0) revert ZeroAmount();
        if (orderId == bytes32(0)) revert ZeroIdentifier();
        if (_freezes[tokenId][holder][orderId] != 0) revert FreezeUnchanged(tokenId, orderId);
        _requireFree(tokenId, holder, amount);
        _setFreeze(tokenId, holder, orderId, amount, _shares[tokenId][holder].frozen + amount);
    }

    /// @inheritdoc IAssetRegistry
    function unfreeze(uint256 tokenId, address holder, bytes32 orderId) external whenNotPaused {
        _requireClass(tokenId);
        uint128 amount = _freezes[tokenId][holder][orderId];
        if (amount == 0) revert FreezeUnchanged(tokenId, orderId);
        _setFreeze(tokenId, holder, orderId, 0, _shares[tokenId][holder].frozen - amount);
    }

    /// @inheritdoc IAssetRegistry
    function forcedTransfer(
        uint256 tokenId,
        address from,
        address to,
        uint128 amount,
        bytes32 orderId,
        bytes32 freezeOrderId
    ) external whenNotPaused {
        _requireClass(tokenId);
        if (amount == 0) revert ZeroAmount();
        _useOrder(tokenId, orderId);
        if (to == address(0)) revert ERC1155InvalidReceiver(address(0));
        _release(tokenId, from, amount, freezeOrderId);
        _move(tokenId, from, to, amount);
        emit ForcedTransfer(from, to, tokenId, amount);
    }

    /// @inheritdoc IAssetRegistry
    function standingOf(uint256 tokenId) external view returns (Standing memory standing) {
        standing = _classes[tokenId];
        if (standing.cap == 0) revert UnknownEntry(tokenId);
    }

    /// @inheritdoc IAssetRegistry
    function standingsIn(uint128 register, uint256 from, uint256 count)
        external
        view
        returns (Standing[] memory standings)
    {
        uint128[] memory entries = _entriesIn(register, from, count);
        standings = new Standing[](entries.length);
        for (uint256 i = 0; i < entries.length; ++i) {
            standings[i] = _classes[_tokenId(register, entries[i])];
        }
    }

    /// @inheritdoc IAssetRegistry
    function holdersOf(uint256 tokenId) external view returns (uint256 count) {
        return _holders[tokenId].length;
    }

    /// @inheritdoc IAssetRegistry
    function holdingsIn(uint256 tokenId, uint256 from, uint256 count)
        external
        view
        returns (Holding[] memory holdings)
    {
        address[] storage all = _holders[tokenId];
        uint256 start = Math.min(from, all.length);
        holdings = new Holding[](Math.min(count, all.length - start));
        for (uint256 i = 0; i < holdings.length; ++i) {
            address holder = all[start + i];
            uint256 amount = balanceOf(holder, tokenId);
            // forge-lint: disable-next-line(unsafe-typecast)
            holdings[i] = Holding(holder, uint128(amount), _shares[tokenId][holder].frozen);
        }
    }

    /// @inheritdoc IAssetRegistry
    function frozenUnder(uint256 tokenId, address holder, bytes32 orderId) external view returns (uint128 amount) {
        return _freezes[tokenId][holder][orderId];
    }

    /// @inheritdoc IAssetRegistry
    function canTransfer(address from, address to, uint256 tokenId, uint256 amount) external view returns (bool may) {
        Standing storage class = _classes[tokenId];
        if (class.cap == 0 || from == address(0) || to == address(0) || _isPaused()) return false;
        if (!_isByWallets(tokenId, class, from)) return false;
        return amount <= _free(tokenId, from) && _isBound(to, class.domain, class.level);
    }

    /// @inheritdoc IAssetRegistry
    function getFrozenTokens(address account, uint256 tokenId) external view returns (uint256 amount) {
        return _shares[tokenId][account].frozen;
    }

    /// @inheritdoc IAssetRegistry
    function canSend(address account) external pure returns (bool allowed) {
        return account != address(0);
    }

    /// @inheritdoc IAssetRegistry
    function canReceive(address account) external pure returns (bool allowed) {
        return account != address(0);
    }

    /// @notice Where the metadata of the token are. Errors: UnknownEntry.
    function uri(uint256 tokenId) public view override returns (string memory text) {
        if (_classes[tokenId].cap == 0) revert UnknownEntry(tokenId);
        return _uriOf(tokenId);
    }

    /// @dev The way of every transfer between wallets; what the registrar does goes round it. A batch may name a class
    ///      more than once, so what is frozen is looked at when all of it has moved.
    function _update(address from, address to, uint256[] memory tokenIds, uint256[] memory amounts) internal override {
        if (_isPaused()) revert Paused();
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            Standing storage class = _classes[tokenIds[i]];
            if (class.cap == 0) revert UnknownEntry(tokenIds[i]);
            if (!_isByWallets(tokenIds[i], class, from)) revert ByRegisterOnly(tokenIds[i]);
            if (!_isBound(to, class.domain, class.level)) revert WalletNotBound(to);
        }
        super._update(from, to, tokenIds, amounts);
        for (uint256 i = 0; i < tokenIds.length; ++i) {
            uint256 left = balanceOf(from, tokenIds[i]);
            if (left < _shares[tokenIds[i]][from].frozen) revert UnitsFrozen(tokenIds[i], from, left);
            if (amounts[i] > 0) _list(tokenIds[i], to);
        }
    }

    /// @dev For the registrar. Receivers are not asked: a contract that cannot send on is the registrar's to move.
    function _move(uint256 tokenId, address from, address to, uint256 amount) private {
        uint256[] memory tokenIds = new uint256[](1);
        uint256[] memory amounts = new uint256[](1);
        (tokenIds[0], amounts[0]) = (tokenId, amount);
        if (to != address(0)) _list(tokenId, to);
        super._update(from, to, tokenIds, amounts);
    }

    function _list(uint256 tokenId, address holder) private {
        Share storage share = _shares[tokenId][holder];
        if (share.listed) return;
        share.listed = true;
        _holders[tokenId].push(holder);
    }

    function _release(uint256 tokenId, address from, uint128 amount, bytes32 freezeOrderId) private {
        uint128 held = _freezes[tokenId][from][freezeOrderId];
        uint128 released = amount < held ? amount : held;
        uint256 free = _free(tokenId, from);
        if (amount - released > free) revert UnitsFrozen(tokenId, from, free + held);
        if (released == 0) return;
        _setFreeze(tokenId, from, freezeOrderId, held - released, _shares[tokenId][from].frozen - released);
    }

    function _setFreeze(uint256 tokenId, address holder, bytes32 orderId, uint128 amount, uint128 frozen) private {
        _freezes[tokenId][holder][orderId] = amount;
        _shares[tokenId][holder].frozen = frozen;
        emit FreezeChanged(tokenId, holder, orderId, amount);
        emit Frozen(holder, tokenId, frozen);
    }

    function _requireClass(uint256 tokenId) private view returns (Standing storage class) {
        _requireRegistrarOf(tokenId);
        class = _classes[tokenId];
        if (class.cap == 0) revert UnknownEntry(tokenId);
    }

    function _requireFree(uint256 tokenId, address holder, uint128 amount) private view {
        uint256 free = _free(tokenId, holder);
        if (amount > free) revert UnitsFrozen(tokenId, holder, free);
    }

    /// @dev What is frozen is never more than the balance.
    function _free(uint256 tokenId, address holder) private view returns (uint256 amount) {
        return balanceOf(holder, tokenId) - _shares[tokenId][holder].frozen;
    }

    function _isByWallets(uint256 tokenId, Standing storage class, address from) private view returns (bool allowed) {
        return class.walletTransfers && from != _register(_registerKey(tokenId)).issuer;
    }

    function _isPaused() private view returns (bool paused) {
        return IGovernance(authority()).isPaused(address(this));
    }
}
