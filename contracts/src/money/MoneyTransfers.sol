// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IPolicyEngine} from "../IPolicyEngine.sol";
import {ISovereignMoney} from "../ISovereignMoney.sol";
import {MoneyState} from "./MoneyState.sol";

/// @title MoneyTransfers
/// @notice How money moves. See ISovereignMoney for what it promises.
abstract contract MoneyTransfers is MoneyState, IERC20Errors {
    // Casts here cut parts out of words, or follow a bound.
    // forge-lint: disable-start(unsafe-typecast)

    IPolicyEngine.Reason private constant NOTHING = IPolicyEngine.Reason.NONE;
    // Where things lie in the words of Head and Account, in bits. A test compares them with the structs.
    uint256 private constant PAUSED_UNTIL_AT = 160;
    uint256 private constant CODE_LENGTH_AT = 192;
    uint256 private constant FROZEN_AT = 64;
    uint256 private constant MEMO_AT = 128;
    uint256 private constant ORDERS_AT = 168;

    modifier onlyIssuer() {
        if (msg.sender != _rights.issuer) revert NotIssuer(msg.sender);
        _;
    }

    modifier whenRunning() {
        _requireRunning(_headWord());
        _;
    }

    /// @inheritdoc IERC20
    function transfer(address to, uint256 amount) external returns (bool done) {
        _transfer(msg.sender, to, amount);
        return true;
    }

    /// @inheritdoc IERC20
    function transferFrom(address from, address to, uint256 amount) external returns (bool done) {
        _spend(from, msg.sender, amount);
        _transfer(from, to, amount);
        return true;
    }

    /// @inheritdoc IERC20
    function approve(address spender, uint256 amount) external returns (bool done) {
        _approve(msg.sender, spender, amount);
        return true;
    }

    /// @inheritdoc IERC20
    function totalSupply() external view returns (uint256 supply) {
        return _issue.supply;
    }

    /// @inheritdoc IERC20
    function balanceOf(address account) external view returns (uint256 balance) {
        return _accounts[account].balance;
    }

    /// @inheritdoc IERC20
    function allowance(address owner, address spender) external view returns (uint256 amount) {
        return _allowances[owner][spender];
    }

    /// @inheritdoc ISovereignMoney
    function memoOf(address account) external view returns (uint40 memo) {
        return _accounts[account].memo;
    }

    /// @inheritdoc ISovereignMoney
    function canSend(address account) external view returns (bool allowed) {
        address engine = _head.policyEngine;
        if (!_isUsable(account)) return false;
        return engine == address(0) || IPolicyEngine(engine).canSend(address(this), account) == NOTHING;
    }

    /// @inheritdoc ISovereignMoney
    function canReceive(address account) external view returns (bool allowed) {
        address engine = _head.policyEngine;
        if (!_isUsable(account)) return false;
        return engine == address(0) || IPolicyEngine(engine).canReceive(address(this), account, 0) == NOTHING;
    }

    /// @inheritdoc ISovereignMoney
    function canTransfer(address from, address to, uint256 amount) external view returns (bool allowed) {
        address engine = _head.policyEngine;
        if (!_isUsable(from) || !_isUsable(to)) return false;
        if (amount > _accounts[from].balance - _accounts[from].frozen) return false;
        return engine == address(0) || IPolicyEngine(engine).canTransfer(address(this), from, to, amount) == NOTHING;
    }

    /// @dev The engine is asked last, when all is written but what is to be remembered.
    function _transfer(address from, address to, uint256 amount) internal {
        uint256 head = _headWord();
        _requireRunning(head);
        uint256 giver = _debit(from, amount);
        uint256 taker = _credit(to, amount);
        emit Transfer(from, to, amount);
        if (address(uint160(head)) != address(0)) _judge(head, from, to, amount, giver, taker);
    }

    /// @dev Of a mint or an order: nobody's right to send is asked.
    function _give(uint256 head, address from, address to, uint256 amount) internal {
        uint256 taker = _credit(to, amount);
        emit Transfer(from, to, amount);
        if (address(uint160(head)) != address(0)) _judge(head, address(0), to, amount, 0, taker);
    }

    /// @dev Of a burn.
    function _takeAway(uint256 head, address from, uint256 amount) internal {
        uint256 giver = _debit(from, amount);
        _issue.supply -= uint64(amount);
        emit Transfer(from, address(0), amount);
        if (address(uint160(head)) != address(0)) _judge(head, from, address(0), amount, giver, 0);
    }

    function _spend(address owner, address spender, uint256 amount) internal {
        uint256 allowed = _allowances[owner][spender];
        if (allowed == type(uint256).max) return;
        if (amount > allowed) revert ERC20InsufficientAllowance(spender, allowed, amount);
        unchecked {
            _allowances[owner][spender] = allowed - amount;
        }
    }

    function _approve(address owner, address spender, uint256 amount) internal {
        if (spender == address(0)) revert ERC20InvalidSpender(spender);
        _allowances[owner][spender] = amount;
        emit Approval(owner, spender, amount);
    }

    function _requireRunning(uint256 head) internal view {
        if (_isPaused(head)) revert MoneyPaused();
    }

    function _isPaused(uint256 head) internal view returns (bool paused) {
        return block.timestamp < uint32(head >> PAUSED_UNTIL_AT);
    }

    function _headWord() internal view returns (uint256 word) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            word := sload(_head.slot)
        }
    }

    function _wordOf(address account) internal view returns (uint256 word) {
        return _read(_accounts[account]);
    }

    /// @dev keccak256 of "cbdc:" and the code in lower case. The code's bytes lie first in the word; the bit that makes
    ///      a capital small is set in every digit.
    function _domainOf(uint256 head) internal pure returns (bytes32 id) {
        uint256 length = uint8(head >> CODE_LENGTH_AT) + 5;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(0, "cbdc:")
            mstore(5, or(head, 0x2020202020202020202020202020202020202020202020202020202020202020))
            id := keccak256(0, length)
        }
    }

    /// @dev Of a word of an account: whether an order freezes it as a whole.
    function _isFrozen(uint256 word) internal pure returns (bool frozen) {
        return word >> ORDERS_AT != 0;
    }

    /// @dev Written before `_credit` reads, so that a transfer to oneself changes nothing. Balances never exceed the
    ///      supply, nor what is frozen the balance; the balance lies lowest, so that no other part is touched.
    function _debit(address from, uint256 amount) private returns (uint256 word) {
        if (from == address(0)) revert ERC20InvalidSender(from);
        Account storage account = _accounts[from];
        word = _read(account);
        if (_isFrozen(word)) revert AccountFrozen(from);
        uint256 balance = uint64(word);
        if (amount > balance) revert ERC20InsufficientBalance(from, balance, amount);
        unchecked {
            uint256 available = balance - uint64(word >> FROZEN_AT);
            if (amount > available) revert MoneyFrozen(from, available, amount);
            word -= amount;
        }
        _write(account, word);
    }

    function _credit(address to, uint256 amount) private returns (uint256 word) {
        if (to == address(0)) revert ERC20InvalidReceiver(to);
        Account storage account = _accounts[to];
        word = _read(account);
        if (_isFrozen(word)) revert AccountFrozen(to);
        unchecked {
            word += amount;
        }
        _write(account, word);
    }

    /// @dev `giver` and `taker` are the words as they have been written.
    function _judge(uint256 head, address from, address to, uint256 amount, uint256 giver, uint256 taker) private {
        (uint40 memoFrom, uint40 memoTo) = (uint40(giver >> MEMO_AT), uint40(taker >> MEMO_AT));
        (uint40 nextFrom, uint40 nextTo) = IPolicyEngine(address(uint160(head)))
            .onTransfer(_domainOf(head), from, to, amount, uint64(taker), memoFrom, memoTo);
        if (nextFrom != memoFrom) _accounts[from].memo = nextFrom;
        if (nextTo != memoTo) _accounts[to].memo = nextTo;
    }

    function _write(Account storage account, uint256 word) private {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            sstore(account.slot, word)
        }
    }

    function _isUsable(address account) private view returns (bool usable) {
        return account != address(0) && !_isPaused(_headWord()) && !_isFrozen(_wordOf(account));
    }

    function _read(Account storage account) private view returns (uint256 word) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            word := sload(account.slot)
        }
    }
    // forge-lint: disable-end(unsafe-typecast)
}
