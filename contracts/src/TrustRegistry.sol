// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Governed} from "./Governed.sol";
import {ITrustRegistry} from "./ITrustRegistry.sol";

/// @title TrustRegistry
/// @notice Accreditations, distrusted keys and admitted schemas. See ITrustRegistry for what it promises.
contract TrustRegistry is Governed, ITrustRegistry {
    /// @notice The depth the root can give at most.
    uint8 public constant MAX_DEPTH = 4;
    /// @notice How far back the root may recognise an issuer, in seconds. The root is the authority that says since
    ///         when an issuer is one; ten years is as long as the keys of agencies are valid.
    uint64 public constant MAX_RECOGNITION = 3650 days;
    /// @notice How far in the past an accreditation below a parent may begin, in seconds.
    uint64 public constant MAX_DELAY = 1 days;

    mapping(address issuer => mapping(bytes32 typeId => Accreditation)) private _accreditations;
    mapping(address issuer => mapping(bytes32 thumbprint => uint64)) private _distrusted;
    mapping(bytes32 typeId => mapping(bytes32 digest => bool)) private _schemas;

    constructor(address didRegistry_, address governance_) Governed(didRegistry_, governance_) {}

    /// @inheritdoc ITrustRegistry
    function accredit(address issuer, bytes32 typeId, uint64 validFrom, uint64 validUntil, uint8 depth)
        external
        restricted
        whenNotPaused
    {
        if (issuer == address(0)) revert InvalidIssuer();
        if (typeId == bytes32(0)) revert ZeroIdentifier();
        if (depth > MAX_DEPTH) revert DepthOutOfRange(depth, MAX_DEPTH);
        uint256 earliest = _earliestStart(issuer, typeId, MAX_RECOGNITION);
        _requirePeriod(validFrom, validUntil, earliest, type(uint64).max);
        _record(address(0), 0, issuer, typeId, validFrom, validUntil, depth);
    }

    /// @inheritdoc ITrustRegistry
    function accreditBelow(
        address parent,
        address issuer,
        bytes32 typeId,
        uint64 validFrom,
        uint64 validUntil,
        uint8 depth
    ) external whenNotPaused {
        if (msg.sender != _ownerOf(parent)) revert NotParentOwner(parent, msg.sender);
        if (issuer == address(0)) revert InvalidIssuer();
        if (typeId == bytes32(0)) revert ZeroIdentifier();
        if (!isAccredited(parent, typeId, uint64(block.timestamp))) revert ParentNotAccredited(parent, typeId);
        Accreditation storage above = _accreditations[parent][typeId];
        // A parent of depth zero may give none: the highest is then reported as zero too.
        if (depth >= above.depth) revert DepthOutOfRange(depth, above.depth == 0 ? 0 : above.depth - 1);
        uint256 earliest = Math.max(above.validFrom, _earliestStart(issuer, typeId, MAX_DELAY));
        _requirePeriod(validFrom, validUntil, earliest, above.validUntil);
        _record(parent, above.serial, issuer, typeId, validFrom, validUntil, depth);
    }

    /// @inheritdoc ITrustRegistry
    function endAccreditation(address parent, address issuer, bytes32 typeId) external {
        Accreditation storage current = _require(parent, issuer, typeId);
        _requireParentOrRoot(parent, typeId);
        uint64 end = uint64(block.timestamp);
        if (current.endedAt != 0 || current.voidSince != 0 || current.validUntil <= end) {
            revert NotInForce(issuer, typeId);
        }
        current.endedAt = end;
        emit AccreditationEnded(parent, issuer, typeId, end);
    }

    /// @inheritdoc ITrustRegistry
    function voidAccreditation(address parent, address issuer, bytes32 typeId, uint64 since) external {
        Accreditation storage current = _require(parent, issuer, typeId);
        _requireParentOrRoot(parent, typeId);
        uint64 recorded = _sinceToRecord(since, current.voidSince);
        if (current.voidSince == 0) current.voidedAt = uint40(block.timestamp);
        current.voidSince = recorded;
        emit AccreditationVoided(parent, issuer, typeId, recorded);
    }

    /// @inheritdoc ITrustRegistry
    function distrustKey(address issuer, bytes32 thumbprint, uint64 since) external {
        if (issuer == address(0)) revert InvalidIssuer();
        if (thumbprint == bytes32(0)) revert ZeroIdentifier();
        if (msg.sender != _ownerOf(issuer)) _checkCanCall(msg.sender, msg.data);
        uint64 recorded = _sinceToRecord(since, _distrusted[issuer][thumbprint]);
        _distrusted[issuer][thumbprint] = recorded;
        emit KeyDistrusted(issuer, thumbprint, recorded);
    }

    /// @inheritdoc ITrustRegistry
    function admitSchema(bytes32 typeId, bytes32 digest) external restricted whenNotPaused {
        if (typeId == bytes32(0) || digest == bytes32(0)) revert ZeroIdentifier();
        if (_schemas[typeId][digest]) revert SchemaExists(typeId, digest);
        _schemas[typeId][digest] = true;
        emit SchemaAdmitted(typeId, digest);
    }

    /// @inheritdoc ITrustRegistry
    function withdrawSchema(bytes32 typeId, bytes32 digest) external restricted {
        if (!_schemas[typeId][digest]) revert UnknownSchema(typeId, digest);
        _schemas[typeId][digest] = false;
        emit SchemaWithdrawn(typeId, digest, uint64(block.timestamp));
    }

    /// @inheritdoc ITrustRegistry
    function accreditationOf(address issuer, bytes32 typeId)
        external
        view
        returns (Accreditation memory accreditation)
    {
        return _accreditations[issuer][typeId];
    }

    /// @inheritdoc ITrustRegistry
    function isSchemaAdmitted(bytes32 typeId, bytes32 digest) external view returns (bool admitted) {
        return _schemas[typeId][digest];
    }

    /// @inheritdoc ITrustRegistry
    function keyDistrustedSince(address issuer, bytes32 thumbprint) external view returns (uint64 since) {
        return _distrusted[issuer][thumbprint];
    }

    /// @inheritdoc ITrustRegistry
    function rootFunctions() external pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](6);
        selectors[0] = this.accredit.selector;
        selectors[1] = this.endAccreditation.selector;
        selectors[2] = this.voidAccreditation.selector;
        selectors[3] = this.distrustKey.selector;
        selectors[4] = this.admitSchema.selector;
        selectors[5] = this.withdrawSchema.selector;
    }

    /// @inheritdoc ITrustRegistry
    function isAccredited(address issuer, bytes32 typeId, uint64 at) public view returns (bool accredited) {
        (uint64 from, uint64 until) = standingOf(issuer, typeId);
        return from <= at && at < until;
    }

    /// @inheritdoc ITrustRegistry
    function standingOf(address issuer, bytes32 typeId) public view returns (uint64 from, uint64 until) {
        Accreditation storage link = _accreditations[issuer][typeId];
        from = link.validFrom;
        until = _closedAt(link);
        uint40 recordedAt = link.recordedAt;
        // Depth grows by at least one a step upwards, so there are at most MAX_DEPTH steps.
        while (link.parent != address(0)) {
            Accreditation storage above = _accreditations[link.parent][typeId];
            if (above.serial != link.parentSerial) return (from, 0);
            if (above.voidSince != 0 && recordedAt >= above.voidSince) return (from, 0);
            until = uint64(Math.min(until, _closedAt(above)));
            link = above;
        }
    }

    function _record(
        address parent,
        uint24 parentSerial,
        address issuer,
        bytes32 typeId,
        uint64 validFrom,
        uint64 validUntil,
        uint8 depth
    ) private {
        _accreditations[issuer][typeId] = Accreditation({
            parent: parent,
            depth: depth,
            serial: _accreditations[issuer][typeId].serial + 1,
            parentSerial: parentSerial,
            recordedAt: uint40(block.timestamp),
            validFrom: validFrom,
            validUntil: validUntil,
            endedAt: 0,
            voidSince: 0,
            voidedAt: 0
        });
        emit Accredited(parent, issuer, typeId, validFrom, validUntil, depth);
    }

    /// @dev A capability ends with the standing that gave it: a former parent can no longer rewrite its children's
    ///      past.
    function _requireParentOrRoot(address parent, bytes32 typeId) private {
        bool isParent = parent != address(0) && msg.sender == _ownerOf(parent)
            && isAccredited(parent, typeId, uint64(block.timestamp));
        if (!isParent) _checkCanCall(msg.sender, msg.data);
    }

    /// @dev The time to record for a void or a distrusted key: not after now, and before what is recorded already.
    function _sinceToRecord(uint64 since, uint64 recorded) private view returns (uint64) {
        uint64 latest = recorded == 0 ? uint64(block.timestamp) + CLOCK_TOLERANCE : recorded - 1;
        if (since == 0 || since > latest) revert SinceOutOfRange(since, latest);
        return uint64(Math.min(since, block.timestamp));
    }

    /// @dev Where a new accreditation may begin: not further back than `past`, and not in a time for which an earlier
    ///      one was in force, or was found to be void.
    function _earliestStart(address issuer, bytes32 typeId, uint64 past) private view returns (uint256 earliest) {
        (, uint64 until) = standingOf(issuer, typeId);
        if (until > block.timestamp) revert AlreadyAccredited(issuer, typeId);
        Accreditation storage last = _accreditations[issuer][typeId];
        earliest = Math.max(until, Math.max(last.endedAt, last.voidedAt));
        return Math.max(earliest, Math.saturatingSub(block.timestamp, past));
    }

    function _require(address parent, address issuer, bytes32 typeId)
        private
        view
        returns (Accreditation storage current)
    {
        current = _accreditations[issuer][typeId];
        if (current.serial == 0 || current.parent != parent) revert UnknownAccreditation(parent, issuer, typeId);
    }

    function _requirePeriod(uint64 validFrom, uint64 validUntil, uint256 earliest, uint256 latest) private view {
        bool ordered = validFrom < validUntil && block.timestamp < validUntil;
        if (!ordered || validFrom < earliest || validUntil > latest) revert PeriodOutOfRange(validFrom, validUntil);
    }

    /// @dev When this accreditation alone ceased or will cease to be in force.
    function _closedAt(Accreditation storage link) private view returns (uint64 end) {
        end = link.validUntil;
        if (link.endedAt != 0) end = link.endedAt;
        if (link.voidSince != 0 && link.voidSince < end) end = link.voidSince;
    }
}
