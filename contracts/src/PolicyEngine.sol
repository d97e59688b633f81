// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IPolicyEngine} from "./IPolicyEngine.sol";
import {ISovereignMoney} from "./ISovereignMoney.sol";
import {IWalletVerifier} from "./IWalletVerifier.sol";

/// @title PolicyEngine
/// @notice Who may hold and send bound money, and how much. See IPolicyEngine for what it promises.
contract PolicyEngine is AccessManaged, IPolicyEngine {
    // Casts here cut parts out of words, or follow a bound.
    // forge-lint: disable-start(unsafe-typecast)

    /// @dev One slot: all that a payment without a daily limit reads here, as one word. The limits of the three levels
    ///      lie side by side, the first lowest. `limited` says that some level has a daily limit.
    struct Terms {
        uint192 holding;
        uint32 until;
        uint16 recall;
        bool limited;
        bool isSet;
    }

    struct Policy {
        Terms terms;
        uint192 daily;
        uint32 from;
    }

    struct Sent {
        uint64 amount;
        uint32 day;
    }

    /// @notice A limit that is none.
    uint64 public constant NO_LIMIT = type(uint64).max;
    /// @notice How far ahead a policy may be set, in seconds.
    uint32 public constant MAX_NOTICE = 366 days;
    /// @notice How far behind the block's time a caller's clock may be, in seconds; see Governed.
    uint32 public constant CLOCK_TOLERANCE = 5 minutes;
    /// @notice The longest recall time, in seconds.
    uint16 public constant MAX_RECALL = 12 hours;

    // Where things lie in the word of Terms, in bits. A test compares them with the struct.
    uint256 private constant UNTIL_AT = 192;
    uint256 private constant RECALL_AT = 224;
    uint256 private constant LIMITED = 1 << 240;
    uint256 private constant IS_SET_AT = 248;
    uint8 private constant LEVELS = 3;
    uint8 private constant INSTITUTION = 255;
    uint40 private constant UNKNOWN = 0;
    uint32 private constant FOR_EVER = type(uint32).max;

    /// @inheritdoc IPolicyEngine
    IWalletVerifier public immutable walletVerifier;

    mapping(address money => Policy) private _current;
    mapping(address money => Policy) private _next;
    mapping(address money => mapping(address account => bytes32)) private _institutions;
    mapping(address money => mapping(bytes32 pseudonym => Sent)) private _sent;
    mapping(address money => mapping(address wallet => bytes32)) private _persons;

    constructor(address governance_, address walletVerifier_) AccessManaged(governance_) {
        if (governance_.code.length == 0) revert NotAContract(governance_);
        if (walletVerifier_.code.length == 0) revert NotAContract(walletVerifier_);
        walletVerifier = IWalletVerifier(walletVerifier_);
    }

    /// @inheritdoc IPolicyEngine
    function setPolicy(address money, Tier[3] calldata tiers, uint32 from) external {
        _requireRuler(money);
        uint256 time = block.timestamp;
        if (uint256(from) + CLOCK_TOLERANCE < time || from > time + MAX_NOTICE) revert DateOutOfRange(from);
        if (time >= _current[money].terms.until) _current[money] = _next[money];
        uint32 start = from > time ? from : uint32(time);
        uint16 recall = _current[money].terms.recall;
        if (start == time) {
            delete _next[money];
            _write(_current[money], tiers, start, recall);
        } else {
            _current[money].terms.until = start;
            _write(_next[money], tiers, start, recall);
        }
        emit PolicySet(money, start, tiers, msg.sender);
    }

    /// @inheritdoc IPolicyEngine
    function setRecall(address money, uint16 duration) external {
        _requireRuler(money);
        if (duration > MAX_RECALL) revert RecallOutOfRange(duration);
        _current[money].terms.recall = duration;
        _next[money].terms.recall = duration;
        emit RecallSet(money, duration, msg.sender);
    }

    /// @inheritdoc IPolicyEngine
    function setInstitution(address money, address account, bytes32 class) external {
        _requireRuler(money);
        if (account == address(0)) revert ZeroAddress();
        _institutions[money][account] = class;
        emit InstitutionSet(money, account, class, msg.sender);
    }

    /// @inheritdoc IPolicyEngine
    function onTransfer(
        bytes32 domain,
        address from,
        address to,
        uint256 amount,
        uint256 balanceAfter,
        uint40 memoFrom,
        uint40 memoTo
    ) external returns (uint40 nextFrom, uint40 nextTo) {
        uint256 terms = _termsOf(msg.sender);
        if (terms == 0) revert NoPolicy(msg.sender);
        (nextFrom, nextTo) = (memoFrom, memoTo);
        if (from != address(0)) {
            nextFrom = _ask(msg.sender, terms, domain, from, memoFrom);
            if (nextFrom == UNKNOWN) revert SenderUnknown(from);
            if (terms & LIMITED != 0 && to != address(0)) _countDay(domain, from, amount, nextFrom, terms);
        }
        if (to != address(0)) {
            nextTo = _ask(msg.sender, terms, domain, to, memoTo);
            if (nextTo == UNKNOWN) revert ReceiverUnknown(to);
            uint256 limit = _limitAt(terms, uint8(nextTo));
            if (balanceAfter > limit) revert HoldingLimitExceeded(to, limit);
        }
    }

    /// @inheritdoc IPolicyEngine
    function canSend(address money, address account) external view returns (Reason reason) {
        return _judgeSender(money, account, 0);
    }

    /// @inheritdoc IPolicyEngine
    function canReceive(address money, address account, uint256 amount) external view returns (Reason reason) {
        return _judgeReceiver(money, account, amount);
    }

    /// @inheritdoc IPolicyEngine
    function canTransfer(address money, address from, address to, uint256 amount)
        external
        view
        returns (Reason reason)
    {
        reason = _judgeSender(money, from, amount);
        if (reason == Reason.NONE) reason = _judgeReceiver(money, to, from == to ? 0 : amount);
    }

    /// @inheritdoc IPolicyEngine
    function policyOf(address money) external view returns (uint32 from, Tier[3] memory tiers) {
        return _tiersOf(_policyOf(money));
    }

    /// @inheritdoc IPolicyEngine
    function nextPolicyOf(address money) external view returns (uint32 from, Tier[3] memory tiers) {
        if (_next[money].from > block.timestamp) return _tiersOf(_next[money]);
    }

    /// @inheritdoc IPolicyEngine
    function recallOf(address money) external view returns (uint16 duration) {
        return _current[money].terms.recall;
    }

    /// @inheritdoc IPolicyEngine
    function institutionOf(address money, address account) external view returns (bytes32 class) {
        return _institutions[money][account];
    }

    /// @inheritdoc IPolicyEngine
    function rootFunctions() external pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](3);
        selectors[0] = this.setPolicy.selector;
        selectors[1] = this.setRecall.selector;
        selectors[2] = this.setInstitution.selector;
    }

    /// @inheritdoc IPolicyEngine
    function sentToday(address money, bytes32 pseudonym) public view returns (uint256 amount) {
        Sent memory sent = _sent[money][pseudonym];
        return sent.day == _today() ? sent.amount : 0;
    }

    /// @dev The issuer of a money rules it; whoever else comes must hold the role.
    function _requireRuler(address money) private {
        if (msg.sender != ISovereignMoney(money).issuer()) _checkCanCall(msg.sender, msg.data);
    }

    function _write(Policy storage policy, Tier[3] calldata tiers, uint32 from, uint16 recall) private {
        (uint192 holding, uint192 daily, bool limited) = (0, 0, false);
        for (uint256 i = 0; i < LEVELS; ++i) {
            holding |= uint192(tiers[i].holdingLimit) << uint192(64 * i);
            daily |= uint192(tiers[i].dailyLimit) << uint192(64 * i);
            limited = limited || tiers[i].dailyLimit != NO_LIMIT;
        }
        policy.terms = Terms({holding: holding, until: FOR_EVER, recall: recall, limited: limited, isSet: true});
        policy.daily = daily;
        policy.from = from;
    }

    function _countDay(bytes32 domain, address from, uint256 amount, uint40 memo, uint256 terms) private {
        uint256 limit = _dailyLimitOf(msg.sender, uint8(memo));
        if (limit == type(uint256).max || amount == 0) return;
        bytes32 pseudonym = _personOf(msg.sender, domain, from, memo, terms);
        if (_recallOf(terms) > 0 && _persons[msg.sender][from] != pseudonym) _persons[msg.sender][from] = pseudonym;
        uint256 sum = sentToday(msg.sender, pseudonym) + amount;
        if (sum > limit) revert DailyLimitExceeded(from, limit);
        _sent[msg.sender][pseudonym] = Sent({amount: uint64(sum), day: _today()});
    }

    function _judgeSender(address money, address from, uint256 amount) private view returns (Reason reason) {
        uint256 terms = _termsOf(money);
        if (terms == 0) return Reason.NO_POLICY;
        bytes32 domain = ISovereignMoney(money).domain();
        uint40 memo = _ask(money, terms, domain, from, ISovereignMoney(money).memoOf(from));
        if (memo == UNKNOWN) return Reason.SENDER_UNKNOWN;
        if (terms & LIMITED == 0 || amount == 0) return Reason.NONE;
        uint256 limit = _dailyLimitOf(money, uint8(memo));
        if (limit == type(uint256).max) return Reason.NONE;
        bytes32 pseudonym = _personOf(money, domain, from, memo, terms);
        return sentToday(money, pseudonym) + amount > limit ? Reason.DAILY_LIMIT : Reason.NONE;
    }

    function _judgeReceiver(address money, address to, uint256 amount) private view returns (Reason reason) {
        uint256 terms = _termsOf(money);
        if (terms == 0) return Reason.NO_POLICY;
        uint40 memo = _ask(money, terms, ISovereignMoney(money).domain(), to, ISovereignMoney(money).memoOf(to));
        if (memo == UNKNOWN) return Reason.RECEIVER_UNKNOWN;
        bool over = ISovereignMoney(money).balanceOf(to) + amount > _limitAt(terms, uint8(memo));
        return over ? Reason.HOLDING_LIMIT : Reason.NONE;
    }

    /// @dev The memo of an account: the time at which it was asked about, and in its last byte the level it had. What
    ///      it says counts for the recall time.
    function _ask(address money, uint256 terms, bytes32 domain, address account, uint40 memo)
        private
        view
        returns (uint40 next)
    {
        if (block.timestamp < (memo >> 8) + _recallOf(terms)) return memo;
        (bool known, uint8 level,,) = walletVerifier.standingOf(account, domain);
        if (!known || level == 0) {
            if (_institutions[money][account] == bytes32(0)) return UNKNOWN;
            level = INSTITUTION;
        } else if (level > LEVELS) {
            level = LEVELS;
        }
        return uint40(block.timestamp << 8 | level);
    }

    /// @dev Whose wallet it is, the verifier says whenever the sender is asked; in between it is remembered here. A
    ///      verifier that knows no person keeps none apart: all its wallets share one limit.
    function _personOf(address money, bytes32 domain, address wallet, uint40 memo, uint256 terms)
        private
        view
        returns (bytes32 pseudonym)
    {
        if (_recallOf(terms) > 0 && memo >> 8 != block.timestamp) pseudonym = _persons[money][wallet];
        if (pseudonym == bytes32(0)) pseudonym = walletVerifier.pseudonymOf(wallet, domain);
    }

    function _dailyLimitOf(address money, uint8 level) private view returns (uint256 limit) {
        return _limitAt(_policyOf(money).daily, level);
    }

    /// @dev The word of the terms in force, zero when there are none.
    function _termsOf(address money) private view returns (uint256 word) {
        word = _read(_current[money].terms);
        if (block.timestamp >= uint32(word >> UNTIL_AT)) word = _read(_next[money].terms);
        return word >> IS_SET_AT == 0 ? 0 : word;
    }

    function _read(Terms storage terms) private view returns (uint256 word) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            word := sload(terms.slot)
        }
    }

    function _policyOf(address money) private view returns (Policy storage policy) {
        policy = _current[money];
        return block.timestamp < policy.terms.until ? policy : _next[money];
    }

    function _today() private view returns (uint32 day) {
        return uint32(block.timestamp / 1 days);
    }

    function _tiersOf(Policy memory policy) private pure returns (uint32 from, Tier[3] memory tiers) {
        from = policy.from;
        for (uint256 i = 0; i < LEVELS; ++i) {
            tiers[i].holdingLimit = uint64(policy.terms.holding >> uint192(64 * i));
            tiers[i].dailyLimit = uint64(policy.daily >> uint192(64 * i));
        }
    }

    function _recallOf(uint256 terms) private pure returns (uint256 duration) {
        return uint16(terms >> RECALL_AT);
    }

    /// @dev The greatest number when there is none.
    function _limitAt(uint256 limits, uint8 level) private pure returns (uint256 limit) {
        if (level == INSTITUTION) return type(uint256).max;
        unchecked {
            limit = uint64(limits >> (64 * (uint256(level) - 1)));
        }
        if (limit == NO_LIMIT) limit = type(uint256).max;
    }
    // forge-lint: disable-end(unsafe-typecast)
}
