// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";
import {IGovernance} from "./IGovernance.sol";

/// @title Governance
/// @notice Who may call what, with which delay, and what is paused. See IGovernance for what it promises.
///
///         The administrator (AccessManager's ADMIN_ROLE) maps functions to roles and sets delays. In production it is
///         a TimelockController whose proposers are several signers, never one key.
contract Governance is AccessManager, IGovernance {
    struct Pause {
        uint48 from;
        uint48 until;
        uint48 nextPauseFrom;
    }

    /// @notice Accredits, admits schemas, distrusts keys. One holder.
    uint64 public constant ROOT = 1;
    /// @notice Can pause, and nothing else. Any number of holders.
    uint64 public constant GUARDIAN = 2;
    /// @notice The longest pause, in seconds.
    uint32 public constant MAX_PAUSE = 7 days;
    /// @notice How long a proposed root may wait before it accepts, in seconds.
    uint32 public constant PROPOSAL_LIFETIME = 30 days;

    mapping(address target => Pause) private _pauses;
    address private _root;
    uint32 private _delayLeft;
    address private _candidate;
    uint48 private _candidateUntil;

    /// @param admin Holds the administrator role, and the root role until it proposes another root.
    constructor(address admin) AccessManager(admin) {
        emit RoleLabel(ROOT, "ROOT");
        emit RoleLabel(GUARDIAN, "GUARDIAN");
        _setTargetFunctionRole(address(this), IGovernance.proposeRoot.selector, ROOT);
        _setTargetFunctionRole(address(this), IGovernance.pause.selector, GUARDIAN);
        _setTargetFunctionRole(address(this), IGovernance.unpause.selector, GUARDIAN);
        _moveRoot(admin);
    }

    /// @inheritdoc IGovernance
    function pause(address target, uint32 duration) external onlyAuthorized {
        if (duration == 0 || duration > MAX_PAUSE) revert PauseOutOfRange(duration);
        uint48 from = Time.timestamp();
        uint48 earliest = _pauses[target].nextPauseFrom;
        if (from < earliest) revert PauseTooSoon(target, earliest);
        uint48 until = from + duration;
        _pauses[target] = Pause({from: from, until: until, nextPauseFrom: until + duration});
        emit Paused(target, _msgSender(), until);
    }

    /// @inheritdoc IGovernance
    function unpause(address target) external onlyAuthorized {
        if (!isPaused(target)) revert NotPaused(target);
        Pause storage current = _pauses[target];
        uint48 until = Time.timestamp();
        uint48 nextPauseFrom = until + (until - current.from);
        current.until = until;
        current.nextPauseFrom = nextPauseFrom;
        emit Unpaused(target, _msgSender(), nextPauseFrom);
    }

    /// @inheritdoc IGovernance
    function proposeRoot(address candidate) external onlyAuthorized {
        _propose(candidate);
    }

    /// @inheritdoc IGovernance
    function appointRoot(address candidate) external onlyAuthorized {
        _propose(candidate);
    }

    /// @inheritdoc IGovernance
    function acceptRoot() external {
        address caller = _msgSender();
        if (caller != _candidate || Time.timestamp() >= _candidateUntil) revert NotProposed(caller);
        _moveRoot(caller);
    }

    /// @inheritdoc IGovernance
    function pauseOf(address target) external view returns (uint48 from, uint48 until, uint48 nextPauseFrom) {
        Pause storage last = _pauses[target];
        return (last.from, last.until, last.nextPauseFrom);
    }

    /// @inheritdoc IGovernance
    function root() external view returns (address holder) {
        return _root;
    }

    /// @inheritdoc IGovernance
    function proposedRoot() external view returns (address candidate, uint48 until) {
        return (_candidate, _candidateUntil);
    }

    /// @inheritdoc IGovernance
    function isPaused(address target) public view returns (bool paused) {
        return Time.timestamp() < _pauses[target].until;
    }

    /// @dev Granting ROOT again to its holder changes its execution delay; to anyone else it would skip the two steps.
    function _grantRole(uint64 roleId, address account, uint32 grantDelay, uint32 executionDelay)
        internal
        override
        returns (bool newMember)
    {
        if (roleId == ROOT && (account == address(0) || account != _root)) revert RootMovesInTwoSteps();
        return super._grantRole(roleId, account, grantDelay, executionDelay);
    }

    /// @dev A root that is removed takes its proposal along, or a compromised one would be followed by its own choice.
    ///      Its delay stays for the next root: giving the role up is no way around the delay.
    function _revokeRole(uint64 roleId, address account) internal override returns (bool revoked) {
        if (roleId == ROOT && account == _root) {
            _delayLeft = _delayOfRoot();
            _root = address(0);
            _dropProposal();
            emit RootMoved(account, address(0));
        }
        return super._revokeRole(roleId, account);
    }

    function _propose(address candidate) private {
        if (candidate == address(0) || candidate == _root) revert InvalidCandidate(candidate);
        uint48 until = Time.timestamp() + PROPOSAL_LIFETIME;
        _candidate = candidate;
        _candidateUntil = until;
        emit RootProposed(candidate, _msgSender(), until);
    }

    function _moveRoot(address next) private {
        address previous = _root;
        uint32 delay = _delayOfRoot();
        _dropProposal();
        super._revokeRole(ROOT, previous);
        _root = next;
        super._grantRole(ROOT, next, getRoleGrantDelay(ROOT), delay);
        emit RootMoved(previous, next);
    }

    function _dropProposal() private {
        _candidate = address(0);
        _candidateUntil = 0;
    }

    function _delayOfRoot() private view returns (uint32 delay) {
        if (_root == address(0)) return _delayLeft;
        (, uint32 current, uint32 pending,) = getAccess(ROOT, _root);
        return uint32(Math.max(current, pending));
    }
}
