// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/interfaces/IERC1155.sol";
import {IERC20} from "@openzeppelin/contracts/interfaces/IERC20.sol";
import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Governed} from "./Governed.sol";
import {ISettlement} from "./ISettlement.sol";
import {ISovereignMoney} from "./ISovereignMoney.sol";

/// @title Settlement
/// @notice Trades in one step, and locks. See ISettlement for what it promises.
contract Settlement is Governed, EIP712, ISettlement {
    using SafeERC20 for IERC20;

    /// @notice The most legs that a trade can have.
    uint256 public constant MAX_LEGS = 8;
    /// @notice What the leg claimed second has on top of finality, in seconds: to see the claim, and to make one's own.
    uint32 public constant MARGIN = 1 hours;
    /// @notice The longest that money can be locked, in seconds.
    uint64 public constant MAX_LOCK = 366 days;
    /// @notice The longest finality of a network, in seconds.
    uint32 public constant MAX_FINALITY = 7 days;

    // solhint-disable gas-small-strings
    bytes32 private constant LEG_TYPE =
        keccak256("Leg(uint8 kind,address token,address from,address to,uint256 id,uint256 amount)");
    bytes32 private constant TRADE_TYPE = keccak256(
        "Trade(Leg[] legs,uint64 validUntil,bytes32 salt)"
        "Leg(uint8 kind,address token,address from,address to,uint256 id,uint256 amount)"
    );
    // solhint-enable gas-small-strings

    /// @inheritdoc ISettlement
    uint32 public immutable finality;

    mapping(bytes32 tradeId => TradeState) private _trades;
    mapping(bytes32 tradeId => mapping(address party => bool)) private _agreed;
    mapping(bytes32 lockId => LockState) private _locks;

    constructor(address didRegistry_, address governance_, uint32 finality_)
        Governed(didRegistry_, governance_)
        EIP712("Settlement", "1")
    {
        if (finality_ == 0 || finality_ > MAX_FINALITY) {
            revert InvalidFinality(finality_);
        }
        finality = finality_;
    }

    /// @inheritdoc ISettlement
    function agree(Trade calldata trade) external returns (bytes32 tradeId) {
        tradeId = _openTrade(trade);
        _requireCurrent(trade, tradeId);
        _requireGiver(trade);
        _agreed[tradeId][msg.sender] = true;
        emit Agreed(tradeId, msg.sender);
    }

    /// @inheritdoc ISettlement
    function settle(Trade calldata trade, bytes[] calldata signatures)
        external
        whenNotPaused
        returns (bytes32 tradeId)
    {
        tradeId = _openTrade(trade);
        _requireCurrent(trade, tradeId);
        uint256 count = trade.legs.length;
        if (signatures.length != count) revert SignaturesMismatch(signatures.length, count);
        for (uint256 i = 0; i < count; ++i) {
            _requireConsent(trade, i, tradeId, signatures[i]);
        }
        _trades[tradeId] = TradeState.SETTLED;
        for (uint256 i = 0; i < count; ++i) {
            _move(trade.legs[i]);
        }
        emit Settled(tradeId, trade.legs);
    }

    /// @inheritdoc ISettlement
    function cancelTrade(Trade calldata trade) external returns (bytes32 tradeId) {
        tradeId = _openTrade(trade);
        _requireGiver(trade);
        _trades[tradeId] = TradeState.CANCELLED;
        emit TradeCancelled(tradeId, msg.sender);
    }

    /// @inheritdoc ISettlement
    function lock(Lock calldata terms) external whenNotPaused returns (bytes32 lockId) {
        if (msg.sender != terms.payer) revert NotPayer(msg.sender);
        lockId = _lock(terms);
        uint256 before = _balanceIn(terms.money);
        IERC20(terms.money).safeTransferFrom(terms.payer, address(this), terms.amount);
        _requireReceived(terms, before);
    }

    /// @inheritdoc ISettlement
    function lockWithAuthorization(
        Lock calldata terms,
        uint256 validAfter,
        uint256 validBefore,
        bytes calldata signature
    ) external whenNotPaused returns (bytes32 lockId) {
        lockId = _lock(terms);
        uint256 before = _balanceIn(terms.money);
        ISovereignMoney(terms.money)
            .receiveWithAuthorization(
                terms.payer, address(this), terms.amount, validAfter, validBefore, lockId, signature
            );
        _requireReceived(terms, before);
    }

    /// @inheritdoc ISettlement
    function claim(Lock calldata terms, bytes32 preimage) external returns (bytes32 lockId) {
        lockId = _lockIn(LockState.LOCKED, terms);
        if (block.timestamp >= terms.expiry) revert LockExpired(lockId, terms.expiry);
        _requireClaimant(terms);
        _requirePreimage(terms, lockId, preimage);
        _requireDelivered(terms, lockId);
        _locks[lockId] = LockState.CLAIMED;
        IERC20(terms.money).safeTransfer(terms.payee, terms.amount);
        emit Claimed(lockId, terms.payee, terms.amount, preimage);
    }

    /// @inheritdoc ISettlement
    function giveBack(Lock calldata terms) external returns (bytes32 lockId) {
        lockId = _lockIn(LockState.LOCKED, terms);
        // No arbiter is zero, which nobody is.
        if (msg.sender != terms.payee && msg.sender != terms.arbiter) revert NotParty(msg.sender);
        _refund(terms, lockId);
    }

    /// @inheritdoc ISettlement
    function refund(Lock calldata terms) external returns (bytes32 lockId) {
        lockId = _lockIn(LockState.LOCKED, terms);
        if (block.timestamp < terms.expiry) revert LockNotExpired(lockId, terms.expiry);
        _refund(terms, lockId);
    }

    /// @inheritdoc ISettlement
    function tradeStateOf(bytes32 tradeId) external view returns (TradeState state) {
        return _trades[tradeId];
    }

    /// @inheritdoc ISettlement
    function hasAgreed(bytes32 tradeId, address party) external view returns (bool agreed) {
        return _agreed[tradeId][party];
    }

    /// @inheritdoc ISettlement
    function lockStateOf(bytes32 lockId) external view returns (LockState state) {
        return _locks[lockId];
    }

    /// @inheritdoc ISettlement
    function latestFirst(uint64 secondExpiry) external view returns (uint64 expiry) {
        uint64 apart = uint64(finality) + MARGIN;
        return secondExpiry > apart ? secondExpiry - apart : 0;
    }

    /// @inheritdoc ISettlement
    function tradeIdOf(Trade calldata trade) public view returns (bytes32 tradeId) {
        bytes32[] memory legs = new bytes32[](trade.legs.length);
        for (uint256 i = 0; i < legs.length; ++i) {
            // Static fields only, so the encoding of the struct is that of its fields one after another.
            legs[i] = keccak256(abi.encode(LEG_TYPE, trade.legs[i]));
        }
        bytes32 hashed = keccak256(abi.encodePacked(legs));
        return _hashTypedDataV4(keccak256(abi.encode(TRADE_TYPE, hashed, trade.validUntil, trade.salt)));
    }

    /// @inheritdoc ISettlement
    function lockIdOf(Lock calldata terms) public view returns (bytes32 lockId) {
        return keccak256(abi.encode(block.chainid, address(this), terms));
    }

    /// @inheritdoc ISettlement
    function earliestSecond(uint64 firstExpiry) public view returns (uint64 expiry) {
        uint256 earliest = uint256(firstExpiry) + finality + MARGIN;
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(Math.min(earliest, type(uint64).max));
    }

    function _move(Leg calldata leg) private {
        (address from, address to) = (leg.from, leg.to);
        if (leg.kind == Kind.ERC1155) {
            IERC1155(leg.token).safeTransferFrom(from, to, leg.id, leg.amount, "");
            return;
        }
        if (leg.kind == Kind.ERC20) {
            IERC20(leg.token).safeTransferFrom(from, to, leg.amount);
            return;
        }
        // Who receives it is agreed, so that a contract need not be asked whether it can.
        IERC721(leg.token).transferFrom(from, to, leg.id);
    }

    /// @dev Books the lock. The caller takes the money afterwards, or reverts.
    function _lock(Lock calldata terms) private returns (bytes32 lockId) {
        (address payer, address payee) = (terms.payer, terms.payee);
        bool distinct = payer != payee && payer != address(this) && payee != address(this);
        if (!distinct || payer == address(0) || payee == address(0)) revert InvalidParties(payer, payee);
        if (terms.amount == 0) revert NoAmount();
        _requireExpiry(terms);
        lockId = _lockIn(LockState.NONE, terms);
        _locks[lockId] = LockState.LOCKED;
        emit Locked(lockId, payer, payee, terms);
    }

    function _refund(Lock calldata terms, bytes32 lockId) private {
        _locks[lockId] = LockState.REFUNDED;
        IERC20(terms.money).safeTransfer(terms.payer, terms.amount);
        emit Refunded(lockId, terms.payer, terms.amount, msg.sender);
    }

    function _openTrade(Trade calldata trade) private view returns (bytes32 tradeId) {
        _requireLegs(trade);
        tradeId = tradeIdOf(trade);
        if (_trades[tradeId] != TradeState.OPEN) revert TradeClosed(tradeId, _trades[tradeId]);
    }

    function _requireCurrent(Trade calldata trade, bytes32 tradeId) private view {
        if (block.timestamp >= trade.validUntil) revert TradeExpired(tradeId, trade.validUntil);
    }

    function _requireGiver(Trade calldata trade) private view {
        for (uint256 i = 0; i < trade.legs.length; ++i) {
            if (trade.legs[i].from == msg.sender) return;
        }
        revert NotParty(msg.sender);
    }

    function _requireConsent(Trade calldata trade, uint256 index, bytes32 tradeId, bytes calldata signature)
        private
        view
    {
        address giver = trade.legs[index].from;
        if (giver == msg.sender || _agreed[tradeId][giver]) return;
        for (uint256 i = 0; i < index; ++i) {
            if (trade.legs[i].from == giver) return;
        }
        if (!SignatureChecker.isValidSignatureNowCalldata(giver, tradeId, signature)) {
            revert NotAgreed(tradeId, giver);
        }
    }

    function _lockIn(LockState state, Lock calldata terms) private view returns (bytes32 lockId) {
        lockId = lockIdOf(terms);
        if (_locks[lockId] != state) revert WrongLockState(lockId, _locks[lockId]);
    }

    function _requireExpiry(Lock calldata terms) private view {
        uint64 expiry = terms.expiry;
        if (expiry <= block.timestamp || expiry > block.timestamp + MAX_LOCK) revert ExpiryOutOfRange(expiry);
        if (terms.otherExpiry == 0) return;
        (uint64 first, uint64 second) = terms.second ? (terms.otherExpiry, expiry) : (expiry, terms.otherExpiry);
        uint64 earliest = earliestSecond(first);
        if (second < earliest) revert LegsTooClose(second, earliest);
    }

    function _requireClaimant(Lock calldata terms) private view {
        if (terms.arbiter != address(0)) {
            if (msg.sender != terms.arbiter) revert NotParty(msg.sender);
            return;
        }
        bool isProven = terms.hashLock != bytes32(0) || terms.delivery != address(0);
        if (!isProven && msg.sender != terms.payee) revert NotParty(msg.sender);
    }

    function _requireDelivered(Lock calldata terms, bytes32 lockId) private view {
        if (terms.delivery == address(0)) return;
        address holder = IERC721(terms.delivery).ownerOf(terms.deliveryId);
        if (holder != terms.payer) revert NotDelivered(lockId, holder);
    }

    function _requireReceived(Lock calldata terms, uint256 before) private view {
        uint256 received = _balanceIn(terms.money) - before;
        if (received != terms.amount) revert NotReceived(terms.amount, received);
    }

    function _balanceIn(address money) private view returns (uint256 balance) {
        return IERC20(money).balanceOf(address(this));
    }

    function _requireLegs(Trade calldata trade) private view {
        uint256 count = trade.legs.length;
        if (count < 2 || count > MAX_LEGS) revert LegsOutOfRange(count);
        for (uint256 i = 0; i < count; ++i) {
            if (!_isSound(trade.legs[i])) revert InvalidLeg(i);
        }
    }

    /// @dev Money in locks is this contract's own to the token: no leg may draw on it.
    function _isSound(Leg calldata leg) private view returns (bool sound) {
        if (leg.from == address(0) || leg.to == address(0) || leg.from == leg.to) return false;
        if (leg.from == address(this) || leg.to == address(this)) return false;
        if (leg.token.code.length == 0 || leg.amount == 0) return false;
        if (leg.kind == Kind.ERC20) return leg.id == 0;
        return leg.kind == Kind.ERC1155 || leg.amount == 1;
    }

    function _requirePreimage(Lock calldata terms, bytes32 lockId, bytes32 preimage) private pure {
        if (terms.hashLock == bytes32(0)) {
            if (preimage != bytes32(0)) revert PreimageMismatch(lockId);
        } else if (sha256(abi.encode(preimage)) != terms.hashLock) {
            revert PreimageMismatch(lockId);
        }
    }
}
