// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IWalletRegistry} from "../src/IWalletRegistry.sol";
import {WalletRegistry} from "../src/WalletRegistry.sol";
import {Wallets} from "./Wallets.sol";

/// @notice Binds, replaces, revokes, unbinds and lets expire, in any order, and remembers what must stay true.
contract WalletActor is Wallets {
    uint256 public bound;
    uint256 public strangersAccepted;
    uint256 public boundTwice;
    uint256 public boundBeyondTheLimit;
    uint256 public takenFromAnother;

    mapping(uint24 index => bool) public revoked;
    mapping(uint24 index => bool) private _used;

    address[5] private _purses = [PURSE, SAFE, PHONE, address(0xF004), address(0xF005)];
    bytes32[3] private _people = [ANNA, BELA, keccak256("Cyra")];
    bytes32[2] private _domains = [MONEY, LAND];

    /// @dev Once: to those who call in any order it is a function like the others.
    function setUp() public override {
        if (address(wallets) == address(0)) super.setUp();
    }

    function bindOne(uint256 who, uint256 person, uint256 domain, uint24 index, uint256 other, uint32 days_) external {
        IWalletRegistry.Binding memory binding = _bindingOf(index % 24, _purses[who % 5], _people[person % 3]);
        binding.domain = _domains[domain % 2];
        binding.replaces = other % 3 == 0 ? _purses[other % 5] : address(0);
        binding.deadline = _now();
        binding.expiry = uint32(_now() + 1 days + days_ % 30 days);
        (bytes32 before, bool taken) =
            (wallets.pseudonymOf(binding.wallet, binding.domain), wallets.isValid(binding.wallet, binding.domain));
        try wallets.bind(binding, _signed(binding)) {
            ++bound;
            if (_used[binding.index]) ++boundTwice;
            _used[binding.index] = true;
            if (taken && before != binding.pseudonym) ++takenFromAnother;
            if (live(binding.pseudonym, binding.domain) > wallets.walletsMostOf(binding.domain)) ++boundBeyondTheLimit;
        } catch {}
    }

    function revoke(uint24 index) external {
        revoked[index % 24] = true;
        _revoke(bank, index % 24);
    }

    function unbind(uint256 by, uint256 who, uint256 domain) external {
        address[] memory list = new address[](1);
        list[0] = _purses[who % 5];
        address caller = [list[0], bank, ROOT_HOLDER, STRANGER][by % 4];
        address issuer = wallets.bindingOf(list[0], _domains[domain % 2]).issuer;
        vm.prank(caller);
        try wallets.unbind(_domains[domain % 2], list) {
            if (caller == STRANGER && issuer != address(0)) ++strangersAccepted;
        } catch {
            isTrue(caller == STRANGER);
        }
    }

    function allow(uint256 domain, uint8 most) external {
        vm.prank(ROOT_HOLDER);
        wallets.setWalletsMost(_domains[domain % 2], 1 + most % 3);
    }

    function pause(uint32 duration) external {
        vm.prank(GUARD);
        try governance.pause(address(wallets), uint32(within(duration, 1, 2 days))) {} catch {}
    }

    function wait(uint32 duration) external {
        vm.warp(block.timestamp + within(duration, 1, 3 days));
    }

    /// @dev The live wallets of a pseudonym, counted by asking every wallet there is.
    function live(bytes32 person, bytes32 domain) public view returns (uint256 count) {
        for (uint256 i = 0; i < 5; ++i) {
            if (wallets.pseudonymOf(_purses[i], domain) == person) ++count;
        }
    }

    function registry() external view returns (WalletRegistry) {
        return wallets;
    }

    function purses() external view returns (address[5] memory) {
        return _purses;
    }

    function people() external view returns (bytes32[3] memory) {
        return _people;
    }

    function domains() external view returns (bytes32[2] memory) {
        return _domains;
    }
}

contract WalletInvariants is Wallets {
    WalletActor private _actor;
    address[] private _targets;

    /// @dev What the actor's setUp builds is a nation of its own.
    function setUp() public override {
        vm.warp(START);
        _actor = new WalletActor();
        _actor.setUp();
        wallets = _actor.registry();
        _targets.push(address(_actor));
    }

    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function invariantNobodyIsBoundBeyondTheLimit() public view {
        equal(_actor.boundBeyondTheLimit(), 0);
    }

    function invariantAPlaceServesOneBinding() public view {
        equal(_actor.boundTwice(), 0);
    }

    function invariantALiveWalletIsNeverTakenByAnotherPerson() public view {
        equal(_actor.takenFromAnother(), 0);
    }

    function invariantStrangersUnbindNothing() public view {
        equal(_actor.strangersAccepted(), 0);
    }

    function invariantABindingWithItsBitSetOrPastItsExpiryIsNeverValid() public view {
        address[5] memory purses = _actor.purses();
        for (uint256 d = 0; d < 2; ++d) {
            for (uint256 i = 0; i < 5; ++i) {
                bytes32 domain = _actor.domains()[d];
                IWalletRegistry.Recorded memory found = wallets.bindingOf(purses[i], domain);
                bool known = found.issuer != address(0);
                bool dead = !known || _actor.revoked(found.index) || found.expiry <= _now();
                isTrue(wallets.isValid(purses[i], domain) == !dead);
                if (known) isTrue(wallets.isIndexUsed(found.issuer, LIST, found.index));
            }
        }
    }

    /// @dev Wallet to pseudonym and pseudonym to wallets say the same.
    function invariantTheTwoDirectionsAgree() public view {
        address[5] memory purses = _actor.purses();
        for (uint256 d = 0; d < 2; ++d) {
            bytes32 domain = _actor.domains()[d];
            uint256 listed = 0;
            for (uint256 p = 0; p < 3; ++p) {
                bytes32 person = _actor.people()[p];
                address[] memory own = wallets.walletsOf(person, domain);
                listed += own.length;
                for (uint256 i = 0; i < own.length; ++i) {
                    equal(wallets.bindingOf(own[i], domain).pseudonym, person);
                }
            }
            uint256 recorded = 0;
            for (uint256 i = 0; i < 5; ++i) {
                if (wallets.bindingOf(purses[i], domain).issuer != address(0)) ++recorded;
            }
            equal(listed, recorded);
        }
    }

    /// @dev Without this the invariants could hold because every call was refused.
    function testTheActorActsInEveryWay() public {
        _actor.bindOne(0, 0, 0, 0, 1, 0);
        equal(_actor.bound(), 1);
        equal(_actor.live(ANNA, MONEY), 1);
        _actor.bindOne(1, 0, 0, 1, 1, 0);
        equal(_actor.bound(), 1);
        _actor.allow(0, 1);
        _actor.bindOne(1, 0, 0, 1, 1, 0);
        equal(_actor.live(ANNA, MONEY), 2);
        _actor.revoke(1);
        equal(_actor.live(ANNA, MONEY), 1);
        _actor.unbind(3, 0, 0);
        equal(_actor.live(ANNA, MONEY), 1);
        _actor.unbind(0, 0, 0);
        equal(_actor.live(ANNA, MONEY), 0);
        _actor.pause(1 days);
        _actor.bindOne(2, 1, 1, 2, 1, 0);
        equal(_actor.bound(), 2);
        _actor.wait(2 days);
        _actor.bindOne(2, 1, 1, 2, 1, 0);
        equal(_actor.bound(), 3);
        _actor.bindOne(3, 1, 1, 3, 12, 0);
        equal(_actor.live(BELA, LAND), 1);
    }
}
