// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISovereignMoney} from "../ISovereignMoney.sol";
import {MoneyTransfers} from "./MoneyTransfers.sol";

/// @title MoneyOrders
/// @notice What the issuer does under an order. See ISovereignMoney for what it promises.
abstract contract MoneyOrders is MoneyTransfers {
    /// @inheritdoc ISovereignMoney
    function freeze(address account, bytes32 orderId) external onlyIssuer {
        if (orderId == bytes32(0)) revert ZeroIdentifier();
        Account storage held = _accounts[account];
        if (_isUnder(held, account, orderId)) revert FreezeUnchanged(account, orderId);
        if (held.order == 0) {
            held.order = _tagOf(orderId);
        } else {
            _orders[account][orderId] = true;
            ++held.orders;
        }
        emit AccountFrozenUnder(account, orderId);
    }

    /// @inheritdoc ISovereignMoney
    function unfreeze(address account, bytes32 orderId) external onlyIssuer whenRunning {
        Account storage held = _accounts[account];
        if (!_isUnder(held, account, orderId)) revert FreezeUnchanged(account, orderId);
        if (held.order == _tagOf(orderId)) {
            held.order = 0;
        } else {
            delete _orders[account][orderId];
            --held.orders;
        }
        emit AccountUnfrozenUnder(account, orderId);
    }

    /// @inheritdoc ISovereignMoney
    function freezeAmount(address account, uint256 amount, bytes32 orderId) external onlyIssuer {
        if (amount == 0) revert ZeroAmount();
        if (orderId == bytes32(0)) revert ZeroIdentifier();
        if (_freezes[account][orderId] != 0) revert FreezeUnchanged(account, orderId);
        Account memory held = _accounts[account];
        uint256 available = held.balance - held.frozen;
        if (amount > available) revert MoneyFrozen(account, available, amount);
        _setFreeze(account, orderId, amount, held.frozen + amount);
    }

    /// @inheritdoc ISovereignMoney
    function unfreezeAmount(address account, bytes32 orderId) external onlyIssuer whenRunning {
        uint256 amount = _freezes[account][orderId];
        if (amount == 0) revert FreezeUnchanged(account, orderId);
        _setFreeze(account, orderId, 0, _accounts[account].frozen - amount);
    }

    /// @inheritdoc ISovereignMoney
    function forcedTransfer(address from, address to, uint256 amount, bytes32 orderId, bytes32 freezeOrderId)
        external
        onlyIssuer
        whenRunning
    {
        if (amount == 0) revert ZeroAmount();
        if (orderId == bytes32(0)) revert ZeroIdentifier();
        if (from == to) revert SameAccount(from);
        if (_usedOrders[orderId]) revert OrderUsed(orderId);
        _usedOrders[orderId] = true;
        _release(from, amount, freezeOrderId);
        emit OrderExecuted(orderId, from, to, amount);
        _give(_headWord(), from, to, amount);
        emit ForcedTransfer(from, to, amount);
    }

    /// @inheritdoc ISovereignMoney
    function isFrozen(address account) external view returns (bool frozen) {
        return _isFrozen(_wordOf(account));
    }

    /// @inheritdoc ISovereignMoney
    function isFrozenUnder(address account, bytes32 orderId) external view returns (bool frozen) {
        return _isUnder(_accounts[account], account, orderId);
    }

    /// @inheritdoc ISovereignMoney
    function frozenUnder(address account, bytes32 orderId) external view returns (uint256 amount) {
        return _freezes[account][orderId];
    }

    /// @inheritdoc ISovereignMoney
    function isOrderUsed(bytes32 orderId) external view returns (bool used) {
        return _usedOrders[orderId];
    }

    /// @inheritdoc ISovereignMoney
    function getFrozenTokens(address account) external view returns (uint256 amount) {
        return _accounts[account].frozen;
    }

    /// @dev Takes the amount off the account, and off the freeze as far as that holds it.
    function _release(address from, uint256 amount, bytes32 freezeOrderId) private {
        Account storage held = _accounts[from];
        if (_isFrozen(_wordOf(from))) {
            bool alone = (held.order == 0 ? 0 : 1) + held.orders == 1;
            if (!alone || !_isUnder(held, from, freezeOrderId)) revert AccountFrozen(from);
        }
        uint256 under = _freezes[from][freezeOrderId];
        uint256 released = amount < under ? amount : under;
        uint256 available = held.balance - held.frozen + under;
        if (amount > available) revert MoneyFrozen(from, available, amount);
        // forge-lint: disable-next-line(unsafe-typecast)
        held.balance -= uint64(amount);
        if (released > 0) _setFreeze(from, freezeOrderId, under - released, held.frozen - released);
    }

    /// @dev No amount here is more than a balance, so all fit.
    function _setFreeze(address account, bytes32 orderId, uint256 amount, uint256 frozen) private {
        // forge-lint: disable-next-line(unsafe-typecast)
        _freezes[account][orderId] = uint64(amount);
        // forge-lint: disable-next-line(unsafe-typecast)
        _accounts[account].frozen = uint64(frozen);
        emit FreezeChanged(account, orderId, amount);
        emit Frozen(account, frozen);
    }

    /// @dev The mapping is asked only when more than one order froze the account.
    function _isUnder(Account storage held, address account, bytes32 orderId) private view returns (bool under) {
        return held.order == _tagOf(orderId) || (held.orders > 0 && _orders[account][orderId]);
    }

    /// @dev 72 bits of the id's digest, in the account's own slot; never zero.
    function _tagOf(bytes32 orderId) private pure returns (uint72 tag) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint72(uint256(keccak256(abi.encode(orderId)))) | 1;
    }
}
