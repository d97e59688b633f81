// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {Moneys} from "./Moneys.sol";

/// @notice Does everything that can be done with an open and a bound currency, in any order, and keeps books of its own.
contract MoneyActor is Moneys {
    uint256 public moved;
    uint256 public minted;
    uint256 public movedWhileFrozen;
    uint256 public mintedBeyondTheReserve;
    uint256 public mintedBeyondTheLimit;
    uint256 public movedWhilePaused;
    uint256 public seizedTwice;
    uint256 public strangersServed;

    address[4] private _holders;
    mapping(bytes32 orderId => bool) private _executed;

    /// @dev Once: to those who call in any order it is a function like the others.
    function setUp() public override {
        if (address(coin) != address(0)) return;
        super.setUp();
        vm.prank(CENTRAL_BANK);
        engine.setInstitution(address(crown), TREASURY, CLASS);
        vm.prank(CENTRAL_BANK);
        engine.setRecall(address(crown), 1 hours);
        vm.prank(LICENSEE);
        coin.setLimits(BRIDGE, 500_000, 500_000);
        _holders = [annaPurse, belaPurse, TREASURY, MINTER];
    }

    function mint(uint256 which, uint256 who, uint256 amount, bool byBridge) external {
        ISovereignMoney money = _money(which);
        amount = within(amount, 0, 400_000);
        bool paused = money.isPaused();
        uint256 left = _leftOf(money, byBridge);
        vm.prank(byBridge ? BRIDGE : MINTER);
        (bool done,) = address(money)
            .call(
                abi.encodeWithSelector(
                    byBridge ? money.crosschainMint.selector : money.mint.selector, _holders[who % 4], amount
                )
            );
        if (!done) return;
        ++minted;
        if (paused) ++movedWhilePaused;
        if (amount > left) ++mintedBeyondTheLimit;
        if (address(money) != address(coin)) return;
        (uint256 reserve,, uint64 validUntil) = coin.reserve();
        if (coin.totalSupply() > reserve || block.timestamp >= validUntil) ++mintedBeyondTheReserve;
    }

    function burn(uint256 which, uint256 who, uint256 amount, bool byBridge) external {
        ISovereignMoney money = _money(which);
        address from = byBridge ? _holders[who % 4] : MINTER;
        uint256 free = _freeOf(money, from);
        amount = within(amount, 0, 400_000);
        vm.prank(byBridge ? BRIDGE : MINTER);
        (bool done,) = address(money)
            .call(abi.encodeWithSelector(byBridge ? money.crosschainBurn.selector : money.burn.selector, from, amount));
        if (done && amount > free) ++movedWhileFrozen;
    }

    function pay(uint256 which, uint256 who, uint256 to, uint256 amount) external {
        ISovereignMoney money = _money(which);
        address from = _holders[who % 4];
        uint256 free = _freeOf(money, from);
        bool stopped = money.isPaused();
        amount = within(amount, 0, money.balanceOf(from));
        vm.prank(from);
        (bool done,) = address(money).call(abi.encodeCall(money.transfer, (_holders[to % 4], amount)));
        if (!done) return;
        ++moved;
        if (stopped) ++movedWhilePaused;
        if (amount > free) ++movedWhileFrozen;
    }

    function freeze(uint256 which, uint256 who, uint256 order, uint256 amount, bool whole) external {
        ISovereignMoney money = _money(which);
        bytes32 orderId = _order(order);
        address account = _holders[who % 4];
        address issuer = money.issuer();
        vm.prank(issuer);
        (bool done,) = address(money)
            .call(
                whole
                    ? abi.encodeCall(money.freeze, (account, orderId))
                    : abi.encodeCall(money.freezeAmount, (account, within(amount, 0, 300_000), orderId))
            );
        if (!done) return;
        if (whole) isTrue(money.isFrozenUnder(account, orderId));
    }

    function lift(uint256 which, uint256 who, uint256 order, bool whole) external {
        ISovereignMoney money = _money(which);
        address account = _holders[who % 4];
        bytes memory call = whole
            ? abi.encodeCall(money.unfreeze, (account, _order(order)))
            : abi.encodeCall(money.unfreezeAmount, (account, _order(order)));
        vm.prank(STRANGER);
        (bool served,) = address(money).call(call);
        if (served) ++strangersServed;
        address issuer = money.issuer();
        vm.prank(issuer);
        (bool done,) = address(money).call(call);
        if (done && whole) isFalse(money.isFrozenUnder(account, _order(order)));
    }

    function seize(uint256 which, uint256 who, uint256 to, uint256 order, uint256 freezeOrder) external {
        ISovereignMoney money = _money(which);
        (address from, bytes32 orderId) = (_holders[who % 4], keccak256(abi.encode(which % 2, order % 64)));
        uint256 amount = within(order, 0, money.balanceOf(from));
        address issuer = money.issuer();
        vm.prank(issuer);
        (bool done,) = address(money)
            .call(abi.encodeCall(money.forcedTransfer, (from, _holders[to % 4], amount, orderId, _order(freezeOrder))));
        if (!done) return;
        if (_executed[orderId]) ++seizedTwice;
        _executed[orderId] = true;
    }

    function attest(uint256 amount) external {
        if (_now() <= START) return;
        (, uint64 attestedAt,) = coin.reserve();
        if (attestedAt < _now()) _attest(within(amount, 0, 3_000_000));
    }

    function limit(uint256 which, uint256 amount, bool bridge) external {
        ISovereignMoney money = _money(which);
        bool isCrown = address(money) == address(crown);
        if (isCrown && !bridge) return;
        vm.prank(isCrown ? CENTRAL_BANK : LICENSEE);
        amount = within(amount, 0, 1_000_000);
        if (bridge) money.setLimits(BRIDGE, amount, amount);
        else money.setMinterLimits(MINTER, amount, amount);
    }

    function pause(uint256 which, uint32 duration) external {
        ISovereignMoney money = _money(which);
        vm.prank(GUARD);
        try money.pause(uint32(within(duration, 1, 4 hours))) {} catch {}
    }

    function wait(uint32 duration) external {
        vm.warp(block.timestamp + within(duration, 1, 8 hours));
    }

    function holders() external view returns (address[4] memory) {
        return _holders;
    }

    function moneys() external view returns (ISovereignMoney[2] memory) {
        return [coin, crown];
    }

    function orders() external pure returns (bytes32[4] memory list) {
        for (uint256 i = 0; i < 4; ++i) {
            list[i] = _order(i);
        }
    }

    function _leftOf(ISovereignMoney money, bool byBridge) private view returns (uint256 left) {
        if (byBridge) return money.mintingCurrentLimitOf(BRIDGE);
        (, left,,) = money.minterLimitsOf(MINTER);
    }

    function _freeOf(ISovereignMoney money, address account) private view returns (uint256 free) {
        if (money.isFrozen(account)) return 0;
        return money.balanceOf(account) - money.getFrozenTokens(account);
    }

    function _money(uint256 which) private view returns (ISovereignMoney money) {
        return which % 2 == 0 ? coin : crown;
    }

    function _order(uint256 which) private pure returns (bytes32 orderId) {
        return keccak256(abi.encode("order", which % 4));
    }
}

contract MoneyInvariants is Moneys {
    MoneyActor private _actor;
    address[] private _targets;

    /// @dev What the actor's setUp builds is a nation of its own.
    function setUp() public override {
        vm.warp(START);
        _actor = new MoneyActor();
        _actor.setUp();
        _targets.push(address(_actor));
    }

    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function invariantTheSupplyIsTheSumOfAllBalances() public view {
        for (uint256 m = 0; m < 2; ++m) {
            ISovereignMoney money = _actor.moneys()[m];
            uint256 sum = 0;
            for (uint256 i = 0; i < 4; ++i) {
                sum += money.balanceOf(_actor.holders()[i]);
            }
            equal(sum, money.totalSupply());
        }
    }

    function invariantWhatIsFrozenIsThereAndIsTheSumOfItsFreezes() public view {
        for (uint256 m = 0; m < 2; ++m) {
            ISovereignMoney money = _actor.moneys()[m];
            for (uint256 i = 0; i < 4; ++i) {
                address holder = _actor.holders()[i];
                uint256 sum = 0;
                bool whole = false;
                for (uint256 o = 0; o < 4; ++o) {
                    sum += money.frozenUnder(holder, _actor.orders()[o]);
                    whole = whole || money.isFrozenUnder(holder, _actor.orders()[o]);
                }
                equal(sum, money.getFrozenTokens(holder));
                isTrue(sum <= money.balanceOf(holder));
                isTrue(whole == money.isFrozen(holder));
            }
        }
    }

    function invariantFrozenMoneyDoesNotMove() public view {
        equal(_actor.movedWhileFrozen(), 0);
    }

    function invariantNothingIsMintedBeyondReserveAndLimits() public view {
        equal(_actor.mintedBeyondTheReserve(), 0);
        equal(_actor.mintedBeyondTheLimit(), 0);
    }

    function invariantNothingMovesDuringAPause() public view {
        equal(_actor.movedWhilePaused(), 0);
    }

    function invariantAnOrderServesOnceAndStrangersLiftNothing() public view {
        equal(_actor.seizedTwice(), 0);
        equal(_actor.strangersServed(), 0);
    }

    function invariantWhatIsLeftOfALimitIsNeverMoreThanTheLimit() public view {
        for (uint256 m = 0; m < 2; ++m) {
            ISovereignMoney money = _actor.moneys()[m];
            isTrue(money.mintingCurrentLimitOf(BRIDGE) <= money.mintingMaxLimitOf(BRIDGE));
            isTrue(money.burningCurrentLimitOf(BRIDGE) <= money.burningMaxLimitOf(BRIDGE));
            (uint256 minting, uint256 left, uint256 burning, uint256 burningLeft) = money.minterLimitsOf(MINTER);
            isTrue(left <= minting && burningLeft <= burning);
        }
    }

    /// @dev Without this the invariants could hold because every call was refused.
    function testTheActorActsInEveryWay() public {
        _actor.mint(0, 0, 300_000, false);
        _actor.mint(0, 0, 300_000, true);
        _actor.mint(1, 0, 300_000, true);
        equal(_actor.minted(), 3);
        _actor.pay(0, 0, 1, 100);
        _actor.pay(1, 0, 1, 100);
        equal(_actor.moved(), 2);
        ISovereignMoney coin_ = _actor.moneys()[0];
        (address anna, bytes32 order) = (_actor.holders()[0], _actor.orders()[0]);
        _actor.freeze(0, 0, 0, 200_000, false);
        equal(coin_.frozenUnder(anna, order), 200_000);
        _actor.seize(0, 0, 1, 7, 0);
        _actor.lift(0, 0, 0, false);
        equal(coin_.getFrozenTokens(anna), 0);
        _actor.freeze(0, 0, 0, 0, true);
        isTrue(coin_.isFrozen(anna));
        _actor.pay(0, 0, 1, 100);
        equal(_actor.moved(), 2);
        _actor.lift(0, 0, 0, true);
        isFalse(coin_.isFrozen(anna));
        uint256 supply = coin_.totalSupply();
        _actor.burn(0, 0, 10, true);
        equal(coin_.totalSupply(), supply - 10);
        _actor.limit(0, 10, false);
        _actor.mint(0, 0, 11, false);
        equal(_actor.minted(), 3);
        _actor.pause(0, 100);
        isTrue(coin_.isPaused());
        _actor.wait(1000);
        _actor.attest(1_000_000);
        (uint256 reserve,,) = coin_.reserve();
        equal(reserve, 1_000_000);
    }
}
