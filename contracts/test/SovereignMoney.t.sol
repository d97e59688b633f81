// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC7802} from "@openzeppelin/contracts/interfaces/draft-IERC7802.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IPolicyEngine} from "../src/IPolicyEngine.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {Moneys} from "./Moneys.sol";

/// @notice How money moves, and what stops it.
contract SovereignMoneyTest is Moneys {
    function setUp() public override {
        super.setUp();
        _fund(coin, annaPurse, 1000);
        _fund(crown, annaPurse, 1000);
    }

    function testMoneySaysWhatItIs() public view {
        equal(keccak256(bytes(crown.symbol())), keccak256("XND"));
        equal(keccak256(bytes(crown.name())), keccak256("Digital Crown"));
        equal(keccak256(bytes(coin.symbol())), keccak256("XNUSD"));
        equal(crown.decimals(), 2);
        equal(crown.currency(), CROWN);
        equal(crown.domain(), keccak256("cbdc:xnd"));
        equal(coin.domain(), keccak256("cbdc:xnusd"));
        isTrue(crown.home() == ISovereignMoney.Home.LEDGER && coin.home() == ISovereignMoney.Home.CHAIN);
        isTrue(crown.isBound() && !coin.isBound());
        equal(crown.policyEngine(), address(engine));
        equal(coin.attestor(), ATTESTOR);
        isTrue(crown.supportsInterface(type(IERC7802).interfaceId));
        isTrue(crown.supportsInterface(type(IERC165).interfaceId));
        isFalse(crown.supportsInterface(0xffffffff));
    }

    function testATransferMovesMoneyAndSaysSo() public {
        vm.expectEmit(address(coin));
        emit IERC20.Transfer(annaPurse, STRANGER, 400);
        vm.prank(annaPurse);
        isTrue(coin.transfer(STRANGER, 400));
        equal(coin.balanceOf(annaPurse), 600);
        equal(coin.balanceOf(STRANGER), 400);
        equal(coin.totalSupply(), 1000);
    }

    function testATransferMayBeOfNothing() public {
        vm.prank(STRANGER);
        isTrue(coin.transfer(annaPurse, 0));
        equal(coin.balanceOf(annaPurse), 1000);
    }

    function testATransferToOneselfChangesNothing(uint64 amount) public {
        vm.prank(annaPurse);
        coin.transfer(annaPurse, within(amount, 0, 1000));
        equal(coin.balanceOf(annaPurse), 1000);
        vm.prank(annaPurse);
        crown.transfer(annaPurse, within(amount, 0, 1000));
        equal(crown.balanceOf(annaPurse), 1000);
    }

    function testMoreThanThereIsIsRefused(uint256 amount) public {
        amount = within(amount, 1001, type(uint256).max);
        vm.prank(annaPurse);
        _refuses(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, annaPurse, 1000, amount));
        coin.transfer(STRANGER, amount);
    }

    function testMoneyToNobodyIsRefused() public {
        vm.prank(annaPurse);
        _refuses(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0)));
        coin.transfer(address(0), 1);
    }

    function testMoneyFromNobodyIsRefused() public {
        vm.prank(address(0));
        _refuses(abi.encodeWithSelector(IERC20Errors.ERC20InvalidSender.selector, address(0)));
        coin.transfer(STRANGER, 0);
    }

    function testWhatIsApprovedIsSpentOnce() public {
        vm.expectEmit(address(coin));
        emit IERC20.Approval(annaPurse, STRANGER, 300);
        vm.prank(annaPurse);
        isTrue(coin.approve(STRANGER, 300));
        vm.prank(STRANGER);
        isTrue(coin.transferFrom(annaPurse, BUYER, 300));
        equal(coin.allowance(annaPurse, STRANGER), 0);
        vm.prank(STRANGER);
        _refuses(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, STRANGER, 0, 1));
        coin.transferFrom(annaPurse, BUYER, 1);
    }

    function testABoundlessApprovalStays() public {
        vm.prank(annaPurse);
        coin.approve(STRANGER, type(uint256).max);
        vm.prank(STRANGER);
        coin.transferFrom(annaPurse, BUYER, 300);
        equal(coin.allowance(annaPurse, STRANGER), type(uint256).max);
    }

    function testAnApprovalForNobodyIsRefused() public {
        vm.prank(annaPurse);
        _refuses(abi.encodeWithSelector(IERC20Errors.ERC20InvalidSpender.selector, address(0)));
        coin.approve(address(0), 1);
    }

    function testOpenMoneyGoesToAnyone() public view {
        isTrue(coin.canTransfer(annaPurse, STRANGER, 1000));
        isTrue(coin.canSend(STRANGER) && coin.canReceive(STRANGER));
        equal(coin.memoOf(annaPurse), 0);
    }

    function testBoundMoneyGoesToKnownWalletsOnly() public {
        isFalse(crown.canTransfer(annaPurse, STRANGER, 1));
        vm.prank(annaPurse);
        _refuses(abi.encodeWithSelector(IPolicyEngine.ReceiverUnknown.selector, STRANGER));
        crown.transfer(STRANGER, 1);
        vm.prank(annaPurse);
        crown.transfer(belaPurse, 1000);
        equal(crown.balanceOf(belaPurse), 1000);
    }

    function testARevokedWalletNeitherSendsNorReceives() public {
        _fund(crown, belaPurse, 10);
        _revoke(bank, 0);
        isFalse(crown.canSend(annaPurse));
        isFalse(crown.canReceive(annaPurse));
        vm.prank(annaPurse);
        _refuses(abi.encodeWithSelector(IPolicyEngine.SenderUnknown.selector, annaPurse));
        crown.transfer(belaPurse, 1);
        vm.prank(belaPurse);
        _refuses(abi.encodeWithSelector(IPolicyEngine.ReceiverUnknown.selector, annaPurse));
        crown.transfer(annaPurse, 1);
        equal(crown.balanceOf(annaPurse), 1000);
    }

    function testCanTransferSaysWhatATransferDoes(uint8 who, uint64 amount, bool frozen, bool paused) public {
        ISovereignMoney money = who % 2 == 0 ? coin : crown;
        address to = [belaPurse, STRANGER, annaPurse, address(0)][who / 2 % 4];
        amount = uint64(within(amount, 0, 1200));
        address issuer = money.issuer();
        vm.prank(issuer);
        money.freezeAmount(annaPurse, 500, ORDER);
        if (frozen) {
            vm.prank(issuer);
            money.freeze(belaPurse, ORDER);
        }
        if (paused) {
            vm.prank(GUARD);
            money.pause(1 days);
        }
        bool may = money.canTransfer(annaPurse, to, amount);
        vm.prank(annaPurse);
        try money.transfer(to, amount) {
            isTrue(may);
        } catch {
            isFalse(may);
        }
    }

    function testCanSendAndCanReceiveKnowPausesFreezesAndNobody() public {
        isTrue(crown.canSend(annaPurse) && crown.canReceive(annaPurse));
        isFalse(crown.canSend(address(0)) || crown.canReceive(address(0)));
        isFalse(crown.canTransfer(address(0), annaPurse, 0));
        vm.prank(CENTRAL_BANK);
        crown.freeze(annaPurse, ORDER);
        isFalse(crown.canSend(annaPurse) || crown.canReceive(annaPurse));
        isTrue(crown.canSend(belaPurse));
        vm.prank(GUARD);
        crown.pause(1);
        isFalse(crown.canSend(belaPurse) || crown.canReceive(belaPurse));
    }

    /// @dev What is read as one word stands where the structs say.
    function testThePartsOfAnAccountDoNotTouchEachOther(uint64 balance, uint64 frozen) public {
        uint256 amount = within(balance, 2, 1000);
        vm.prank(annaPurse);
        crown.transfer(belaPurse, 1000 - amount);
        uint256 part = within(frozen, 1, amount);
        vm.prank(CENTRAL_BANK);
        crown.freezeAmount(annaPurse, part, ORDER);
        vm.prank(CENTRAL_BANK);
        crown.freeze(annaPurse, ORDER);
        vm.prank(CENTRAL_BANK);
        crown.freeze(annaPurse, SECOND_ORDER);
        equal(crown.balanceOf(annaPurse), amount);
        equal(crown.getFrozenTokens(annaPurse), part);
        equal(crown.memoOf(annaPurse), uint256(START) << 8 | 1);
        isTrue(crown.isFrozenUnder(annaPurse, ORDER) && crown.isFrozenUnder(annaPurse, SECOND_ORDER));
        vm.prank(CENTRAL_BANK);
        crown.unfreeze(annaPurse, ORDER);
        vm.prank(CENTRAL_BANK);
        crown.unfreeze(annaPurse, SECOND_ORDER);
        isFalse(crown.isFrozen(annaPurse));
        vm.prank(annaPurse);
        crown.transfer(belaPurse, amount - part);
        equal(crown.balanceOf(annaPurse), part);
        equal(crown.getFrozenTokens(annaPurse), part);
    }
}
