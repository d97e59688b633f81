// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governance} from "../src/Governance.sol";
import {ITrustRegistry} from "../src/ITrustRegistry.sol";
import {StatusRegistry} from "../src/StatusRegistry.sol";
import {TrustRegistry} from "../src/TrustRegistry.sol";
import {DIDRegistry, Nation, People} from "./Nation.sol";

/// @notice Writes to status lists as owners, delegates and strangers in any order, and remembers what must stay true.
contract StatusActor is People {
    uint256 internal constant LISTS = 4;
    uint256 internal constant WORDS = 4;
    uint256 internal constant ANCHORED = 9;

    mapping(uint256 list => mapping(uint256 word => uint256)) public everSet;
    mapping(uint256 list => mapping(uint256 word => uint256)) public expected;
    mapping(address account => mapping(uint256 list => bool)) public named;
    uint64 public version;
    uint64 public lastAnchoredAt;
    uint256 public strangersAccepted;
    uint256 public writes;

    address[4] private _accounts = [AGENCY, BUYER, DELEGATE, STRANGER];

    constructor(DIDRegistry dids_, Governance governance_, StatusRegistry status_) {
        (dids, governance, status) = (dids_, governance_, status_);
    }

    function set(uint256 who, uint256 list, uint256 word, uint256 mask) external {
        (list, word) = (within(list, 1, LISTS), within(word, 0, WORDS - 1));
        address account = _accounts[who % 4];
        vm.prank(account);
        try status.setBits(AGENCY, list, one32(word), one(mask)) {
            _count(account, list);
            everSet[list][word] |= mask;
            expected[list][word] |= mask;
        } catch {}
    }

    function setIn(uint256 who, uint256 list, uint256 word, uint256 mask) external {
        (list, word) = (within(list, 1, LISTS), within(word, 0, WORDS - 1));
        address account = _accounts[who % 4];
        vm.prank(account);
        try status.setBitsIn(AGENCY, one(list), one32(word), one(mask)) {
            _count(account, list);
            everSet[list][word] |= mask;
            expected[list][word] |= mask;
        } catch {}
    }

    function clear(uint256 who, uint256 list, uint256 word, uint256 mask) external {
        (list, word) = (within(list, 1, LISTS), within(word, 0, WORDS - 1));
        address account = _accounts[who % 4];
        bool paused = governance.isPaused(address(status));
        vm.prank(account);
        try status.clearBits(AGENCY, list, one32(word), one(mask)) {
            _count(account, list);
            isFalse(paused);
            expected[list][word] &= ~mask;
        } catch {}
    }

    function anchor(uint256 who, uint64 next, uint64 shift) external {
        address account = _accounts[who % 4];
        uint64 time = _now() - 100 + shift % 500;
        uint64 candidate = version + next % 3;
        vm.prank(account);
        try status.anchor(AGENCY, ANCHORED, candidate, DIGEST, time, "https://agency.example/9") {
            _count(account, ANCHORED);
            isTrue(candidate == version + 1 && time >= lastAnchoredAt && time <= _now() + 5 minutes);
            (version, lastAnchoredAt) = (candidate, time);
        } catch {}
    }

    function delegate(uint256 who, uint256 list, bool allowed) external {
        address owner = dids.identityOwner(AGENCY);
        list = list % 5 == 0 ? ANCHORED : within(list, 1, LISTS);
        address account = _accounts[2 + who % 2];
        vm.prank(owner);
        status.setListDelegate(AGENCY, list, account, allowed);
        named[account][list] = allowed;
    }

    /// @dev Ownership moves on, away from everyone who ever named a delegate: nobody is named any more.
    function changeOwner() external {
        address owner = dids.identityOwner(AGENCY);
        if (owner != AGENCY) return;
        _changeOwner(AGENCY, owner, BUYER);
        for (uint256 list = 1; list <= ANCHORED; ++list) {
            named[DELEGATE][list] = false;
            named[STRANGER][list] = false;
        }
    }

    function pause(uint32 duration) external {
        vm.prank(GUARD);
        try governance.pause(address(status), uint32(within(duration, 1, 7 days))) {} catch {}
    }

    function wait(uint32 duration) external {
        vm.warp(block.timestamp + within(duration, 1, 3 days));
    }

    function _count(address account, uint256 list) private {
        ++writes;
        if (account != dids.identityOwner(AGENCY) && !named[account][list]) ++strangersAccepted;
    }
}

/// @notice Accredits, ends and voids as the root, parents and strangers in any order.
contract TrustActor is People {
    uint256 public outsideParent;
    uint256 public strangersAccepted;
    uint256 public voidsMovedLater;
    uint256 public given;

    address[6] private _issuers = [MINISTRY, AGENCY, OFFICE, BRANCH, DESK, ANNEX];

    constructor(DIDRegistry dids_, Governance governance_, TrustRegistry trust_) {
        (dids, governance, trust) = (dids_, governance_, trust_);
    }

    function accredit(uint256 who, uint32 from, uint32 length, uint8 depth) external {
        uint64 start = _now() - 10 days + from % 20 days;
        vm.prank(ROOT_HOLDER);
        try trust.accredit(_issuers[who % 6], LICENCE, start, start + 30 days + length % YEAR, depth % 6) {
            ++given;
        } catch {}
    }

    function accreditBelow(uint256 up, uint256 who, uint32 from, uint32 length, uint8 depth) external {
        (address parent, address issuer) = (_issuers[up % 6], _issuers[who % 6]);
        uint64 start = _now() - 1 days + from % 2 days;
        uint64 until = start + 1 days + length % YEAR;
        ITrustRegistry.Accreditation memory above = trust.accreditationOf(parent, LICENCE);
        bool live = trust.isAccredited(parent, LICENCE, _now());
        vm.prank(parent);
        try trust.accreditBelow(parent, issuer, LICENCE, start, until, depth % 6) {
            ++given;
            bool inside = start >= above.validFrom && until <= above.validUntil && depth % 6 < above.depth;
            if (!live || !inside) ++outsideParent;
        } catch {}
    }

    function actAsStranger(uint256 up, uint256 who, bool ends) external {
        (address parent, address issuer) = (_issuers[up % 6], _issuers[who % 6]);
        vm.prank(STRANGER);
        if (ends) {
            try trust.endAccreditation(parent, issuer, LICENCE) {
                ++strangersAccepted;
            } catch {}
        } else {
            try trust.accreditBelow(parent, issuer, LICENCE, _now(), _now() + 1 days, 0) {
                ++strangersAccepted;
            } catch {}
        }
    }

    function end(uint256 who, bool asParent) external {
        address issuer = _issuers[who % 6];
        address parent = trust.accreditationOf(issuer, LICENCE).parent;
        vm.prank(asParent ? parent : ROOT_HOLDER);
        try trust.endAccreditation(parent, issuer, LICENCE) {} catch {}
    }

    function voidSince(uint256 who, uint32 back) external {
        address issuer = _issuers[who % 6];
        ITrustRegistry.Accreditation memory before = trust.accreditationOf(issuer, LICENCE);
        vm.prank(ROOT_HOLDER);
        try trust.voidAccreditation(before.parent, issuer, LICENCE, _now() - back % 10 days) {
            uint64 since = trust.accreditationOf(issuer, LICENCE).voidSince;
            if (before.voidSince != 0 && since >= before.voidSince) ++voidsMovedLater;
        } catch {}
    }

    function wait(uint32 duration) external {
        vm.warp(block.timestamp + within(duration, 1, 10 days));
    }

    function issuers() external view returns (address[6] memory) {
        return _issuers;
    }
}

abstract contract Targets is Nation {
    address[] private _targets;

    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function _target(address actor) internal {
        _targets.push(actor);
    }
}

contract StatusInvariants is Targets {
    StatusActor private _actor;

    function setUp() public override {
        super.setUp();
        uint8[4] memory purposes = [1, 2, 3, 1];
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(AGENCY);
            status.openLists(AGENCY, one(i + 1), one8(purposes[i]), one8(0), one32(131_072));
        }
        vm.prank(AGENCY);
        status.openLists(AGENCY, one(9), one8(1), one8(1), one32(131_072));
        _actor = new StatusActor(dids, governance, status);
        _target(address(_actor));
    }

    function invariantABitOfARevocationOrBindingNeverClears() public view {
        uint256[3] memory lists = [uint256(1), 3, 4];
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 word = 0; word < 4; ++word) {
                equal(status.statusWord(AGENCY, lists[i], word), _actor.everSet(lists[i], word));
            }
        }
    }

    function invariantASuspensionListHoldsWhatItsWritersLeft() public view {
        for (uint256 word = 0; word < 4; ++word) {
            equal(status.statusWord(AGENCY, 2, word), _actor.expected(2, word));
        }
    }

    function invariantOnlyTheOwnerAndItsDelegatesChangeAList() public view {
        equal(_actor.strangersAccepted(), 0);
    }

    function invariantAnchoredVersionsStrictlyIncrease() public view {
        (uint64 version, uint64 time,) = status.anchorOf(AGENCY, 9);
        equal(version, _actor.version());
        equal(time, _actor.lastAnchoredAt());
    }

    function invariantAListIsWhatItWasOpenedAs() public view {
        uint8[4] memory purposes = [1, 2, 3, 1];
        for (uint256 i = 0; i < 4; ++i) {
            (uint8 purpose, uint8 mode, uint32 length) = status.listOf(AGENCY, i + 1);
            isTrue(purpose == purposes[i] && mode == 0 && length == 131_072);
        }
    }

    /// @dev Without this the invariants could hold because every call was refused.
    function testTheActorWritesInEveryWay() public {
        _actor.set(0, 0, 0, 3);
        _actor.setIn(0, 1, 0, 3);
        _actor.clear(0, 1, 0, 1);
        _actor.anchor(0, 1, 0);
        equal(_actor.writes(), 4);
        equal(status.statusWord(AGENCY, 2, 0), 2);
        _actor.delegate(0, 4, true);
        _actor.set(2, 0, 0, 4);
        equal(_actor.writes(), 5);
        _actor.changeOwner();
        _actor.set(2, 0, 0, 8);
        equal(_actor.writes(), 5);
        _actor.set(1, 0, 0, 8);
        equal(_actor.writes(), 6);
        _actor.pause(1 days);
        _actor.clear(1, 1, 0, 2);
        equal(_actor.writes(), 6);
    }
}

contract TrustInvariants is Targets {
    TrustActor private _actor;

    function setUp() public override {
        super.setUp();
        _actor = new TrustActor(dids, governance, trust);
        _target(address(_actor));
    }

    function invariantNoAccreditationIsGivenOutsideTheParents() public view {
        equal(_actor.outsideParent(), 0);
    }

    function invariantNoIssuerStandsWithoutItsParent() public view {
        address[6] memory issuers = _actor.issuers();
        for (uint256 i = 0; i < 6; ++i) {
            ITrustRegistry.Accreditation memory own = trust.accreditationOf(issuers[i], LICENCE);
            if (own.parent == address(0) || !trust.isAccredited(issuers[i], LICENCE, _now())) continue;
            ITrustRegistry.Accreditation memory above = trust.accreditationOf(own.parent, LICENCE);
            isTrue(trust.isAccredited(own.parent, LICENCE, _now()));
            isTrue(own.depth < above.depth);
            (, uint64 until) = trust.standingOf(issuers[i], LICENCE);
            (, uint64 parentUntil) = trust.standingOf(own.parent, LICENCE);
            isTrue(until <= parentUntil && own.validUntil <= above.validUntil && own.validFrom >= above.validFrom);
        }
    }

    function invariantAChainHasAtMostFiveLinks() public view {
        address[6] memory issuers = _actor.issuers();
        for (uint256 i = 0; i < 6; ++i) {
            address issuer = issuers[i];
            if (!trust.isAccredited(issuer, LICENCE, _now())) continue;
            uint256 links;
            for (; issuer != address(0); ++links) {
                issuer = trust.accreditationOf(issuer, LICENCE).parent;
            }
            isTrue(links <= 5);
        }
    }

    function invariantStrangersChangeNothing() public view {
        equal(_actor.strangersAccepted(), 0);
    }

    function invariantAVoidNeverMovesLater() public view {
        equal(_actor.voidsMovedLater(), 0);
    }

    /// @dev Without this the invariants could hold because every call was refused.
    function testTheActorActsInEveryWay() public {
        _actor.accredit(0, 10 days, 0, 4);
        _actor.accreditBelow(0, 1, 1 days, 0, 3);
        equal(_actor.given(), 2);
        isTrue(trust.isAccredited(AGENCY, LICENCE, _now()));
        _actor.end(1, true);
        isFalse(trust.isAccredited(AGENCY, LICENCE, _now()));
        _actor.voidSince(0, 5);
        equal(trust.accreditationOf(MINISTRY, LICENCE).voidSince, START - 5);
    }
}
