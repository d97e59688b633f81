// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {IERC7802} from "@openzeppelin/contracts/interfaces/draft-IERC7802.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {ShortStrings} from "@openzeppelin/contracts/utils/ShortStrings.sol";
import {ISovereignMoney} from "./ISovereignMoney.sol";
import {MoneyIssuance} from "./money/MoneyIssuance.sol";
import {MoneyOrders} from "./money/MoneyOrders.sol";
import {MoneySigned} from "./money/MoneySigned.sol";

/// @title SovereignMoney
/// @notice Money of one currency. See ISovereignMoney for what it promises.
///
///         It runs behind a proxy (ERC-1967) that MoneyFactory makes, and is upgraded by Governance's administrator
///         only (ERC-1822): `upgradeToAndCall` is mapped to no role.
contract SovereignMoney is MoneySigned, MoneyIssuance, MoneyOrders, UUPSUpgradeable {
    /// @notice The longest pause, in seconds; as in Governance.
    uint32 public constant MAX_PAUSE = 7 days;
    /// @notice The most decimals of a currency.
    uint8 public constant MAX_DECIMALS = 18;

    uint64 private constant GUARDIAN = 2;
    uint256 private constant MAX_CODE_BYTES = 7;
    uint256 private constant MAX_NAME_BYTES = 31;

    /// @dev The implementation by itself is no currency, and never becomes one.
    constructor() AccessManaged(address(0)) {
        _disableInitializers();
    }

    /// @inheritdoc ISovereignMoney
    function initialize(Opening calldata opening, address governance) external initializer {
        _requireSound(opening);
        if (governance.code.length == 0) revert NotAContract(governance);
        bytes memory code = bytes(opening.code);
        _setAuthority(governance);
        // forge-lint: disable-next-line(unsafe-typecast)
        (bytes7 word, uint8 length) = (bytes7(code), uint8(code.length));
        _head = Head({policyEngine: opening.policyEngine, pausedUntil: 0, codeLength: length, code: word});
        _issue.currency = opening.currency;
        _issue.decimals = opening.decimals;
        _issue.home = opening.home;
        _name = ShortStrings.toShortString(opening.name);
        _rights.issuer = opening.issuer;
        _attestor = opening.attestor;
        emit IssuerMoved(address(0), opening.issuer);
        if (opening.policyEngine != address(0)) emit PolicyEngineSet(opening.policyEngine);
        if (opening.attestor != address(0)) emit AttestorSet(opening.attestor);
    }

    /// @inheritdoc ISovereignMoney
    function pause(uint32 duration) external {
        _requireGuardian();
        if (duration == 0 || duration > MAX_PAUSE) revert PauseOutOfRange(duration);
        uint40 from = uint40(block.timestamp);
        uint40 earliest = _rights.nextPauseFrom;
        if (from < earliest) revert PauseTooSoon(earliest);
        uint40 until = from + duration;
        // forge-lint: disable-next-line(unsafe-typecast)
        _head.pausedUntil = uint32(until);
        _rights.pausedFrom = from;
        _rights.nextPauseFrom = until + duration;
        emit Paused(msg.sender, until);
    }

    /// @inheritdoc ISovereignMoney
    function unpause() external {
        _requireGuardian();
        if (!_isPaused(_headWord())) revert NotPaused();
        uint40 until = uint40(block.timestamp);
        uint40 nextPauseFrom = until + (until - _rights.pausedFrom);
        // forge-lint: disable-next-line(unsafe-typecast)
        _head.pausedUntil = uint32(until);
        _rights.nextPauseFrom = nextPauseFrom;
        emit Unpaused(msg.sender, nextPauseFrom);
    }

    /// @inheritdoc ISovereignMoney
    function proposeIssuer(address candidate) external {
        if (msg.sender != _rights.issuer) _checkCanCall(msg.sender, msg.data);
        _candidate = candidate;
        emit IssuerProposed(candidate, msg.sender);
    }

    /// @inheritdoc ISovereignMoney
    function acceptIssuer() external {
        if (msg.sender != _candidate) revert NotProposed(msg.sender);
        address previous = _rights.issuer;
        _rights.issuer = msg.sender;
        _candidate = address(0);
        emit IssuerMoved(previous, msg.sender);
    }

    /// @inheritdoc ISovereignMoney
    function setPolicyEngine(address engine) external restricted {
        if (_head.policyEngine == address(0)) revert ProfileIsSettled();
        if (engine.code.length == 0) revert NotAContract(engine);
        _head.policyEngine = engine;
        emit PolicyEngineSet(engine);
    }

    /// @inheritdoc ISovereignMoney
    function setAttestor(address attestor_) external restricted {
        if (_issue.home == Home.LEDGER) revert HomeIsLedger();
        if (attestor_ == address(0)) revert ZeroAddress();
        _attestor = attestor_;
        emit AttestorSet(attestor_);
    }

    /// @inheritdoc IERC20Metadata
    function symbol() external view returns (string memory text) {
        bytes memory code = bytes.concat(_head.code);
        uint256 length = _head.codeLength;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(code, length)
        }
        return string(code);
    }

    /// @inheritdoc IERC20Metadata
    function decimals() external view returns (uint8 places) {
        return _issue.decimals;
    }

    /// @inheritdoc ISovereignMoney
    function currency() external view returns (uint16 number) {
        return _issue.currency;
    }

    /// @inheritdoc ISovereignMoney
    function home() external view returns (Home rail) {
        return _issue.home;
    }

    /// @inheritdoc ISovereignMoney
    function domain() external view returns (bytes32 id) {
        return _domainOf(_headWord());
    }

    /// @inheritdoc ISovereignMoney
    function isBound() external view returns (bool bound) {
        return _head.policyEngine != address(0);
    }

    /// @inheritdoc ISovereignMoney
    function policyEngine() external view returns (address engine) {
        return _head.policyEngine;
    }

    /// @inheritdoc ISovereignMoney
    function issuer() external view returns (address account) {
        return _rights.issuer;
    }

    /// @inheritdoc ISovereignMoney
    function proposedIssuer() external view returns (address candidate) {
        return _candidate;
    }

    /// @inheritdoc ISovereignMoney
    function attestor() external view returns (address account) {
        return _attestor;
    }

    /// @inheritdoc ISovereignMoney
    function isPaused() external view returns (bool paused) {
        return _isPaused(_headWord());
    }

    /// @inheritdoc ISovereignMoney
    function pauseOf() external view returns (uint64 from, uint64 until, uint64 nextPauseFrom) {
        return (_rights.pausedFrom, _head.pausedUntil, _rights.nextPauseFrom);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) external pure returns (bool supported) {
        return id == type(IERC165).interfaceId || id == type(IERC7802).interfaceId;
    }

    /// @dev Mapped to no role, so that it is the administrator's.
    // solhint-disable-next-line no-empty-blocks
    function _authorizeUpgrade(address) internal override restricted {}

    /// @dev The role is asked here, not mapped: a currency that comes needs no step of the administrator's.
    function _requireGuardian() private view {
        (bool member, uint32 delay) = IAccessManager(authority()).hasRole(GUARDIAN, msg.sender);
        if (!member || delay != 0) revert NotGuardian(msg.sender);
    }

    function _requireSound(Opening calldata opening) private view {
        bytes memory code = bytes(opening.code);
        uint256 nameLength = bytes(opening.name).length;
        if (code.length == 0 || code.length > MAX_CODE_BYTES) revert InvalidOpening();
        for (uint256 i = 0; i < code.length; ++i) {
            bool capital = code[i] >= "A" && code[i] <= "Z";
            if (!capital && (code[i] < "0" || code[i] > "9")) revert InvalidOpening();
        }
        if (nameLength == 0 || nameLength > MAX_NAME_BYTES) revert InvalidOpening();
        if (opening.decimals > MAX_DECIMALS || opening.issuer == address(0)) revert InvalidOpening();
        if ((opening.home == Home.CHAIN) != (opening.attestor != address(0))) revert InvalidOpening();
        address engine = opening.policyEngine;
        if (engine != address(0) && engine.code.length == 0) revert NotAContract(engine);
    }
}
