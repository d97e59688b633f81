// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {Moneys} from "./Moneys.sol";

/// @notice What money costs. Each test is one call behind the proxy between accounts that have some already; everything it
///         builds on stands in setUp, so that storage is cold. `.gas-snapshot` holds the figures of the tests; the bounds
///         are on whole transactions: 21,000, the bytes of the call, and what it used.
contract MoneyGasTest is Moneys {
    /// @dev A currency whose tiers have daily limits.
    ISovereignMoney internal coronet;
    bytes private _permit;
    bytes private _authorization;

    function setUp() public override {
        super.setUp();
        ISovereignMoney.Opening memory opening = _crown();
        opening.currency = 3;
        coronet = _create(opening);
        vm.prank(CENTRAL_BANK);
        coronet.setLimits(BRIDGE, 1_000_000, 1_000_000);
        vm.prank(CENTRAL_BANK);
        engine.setPolicy(address(coronet), _tiers(1_000_000, 1_000_000), uint32(START));
        vm.prank(CENTRAL_BANK);
        engine.setRecall(address(crown), 12 hours);
        vm.prank(CENTRAL_BANK);
        engine.setRecall(address(coronet), 12 hours);
        for (uint256 i = 0; i < 3; ++i) {
            ISovereignMoney money = [crown, coin, coronet][i];
            _fund(money, annaPurse, 100_000);
            _fund(money, belaPurse, 100_000);
        }
        vm.prank(annaPurse);
        coronet.transfer(belaPurse, 1);
        _permit = _signPermit(ANNA_SECRET, coin, belaPurse, 1000, block.timestamp);
        _authorization = _signAuthorization("Transfer", ANNA_SECRET, coin, belaPurse, 1000, ORDER);
    }

    function testGasTransferOfAStablecoin() public {
        _costs(annaPurse, coin, abi.encodeCall(coin.transfer, (belaPurse, 1000)), 45_000);
    }

    /// @dev Both wallets were asked about within the recall time.
    function testGasTransferOfACbdc() public {
        vm.warp(START + 1 hours);
        _costs(annaPurse, crown, abi.encodeCall(crown.transfer, (belaPurse, 1000)), 62_000);
    }

    /// @dev Both wallets are asked about, as they are at every payment without a recall time.
    function testGasTransferOfACbdcWithBothSidesAsked() public {
        vm.warp(START + 1 days);
        _costs(annaPurse, crown, abi.encodeCall(crown.transfer, (belaPurse, 1000)), 72_000);
    }

    function testGasTransferOfACbdcWithADailyLimit() public {
        vm.warp(START + 1 hours);
        _costs(annaPurse, coronet, abi.encodeCall(crown.transfer, (belaPurse, 1000)), 72_000);
    }

    function testGasPermit() public {
        (uint8 v, bytes32 r, bytes32 s) = _split(_permit);
        bytes memory call = abi.encodeWithSignature(
            "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
            annaPurse,
            belaPurse,
            1000,
            block.timestamp,
            v,
            r,
            s
        );
        _costs(STRANGER, coin, call, 93_000);
    }

    function testGasTransferWithAuthorization() public {
        (uint8 v, bytes32 r, bytes32 s) = _split(_authorization);
        (uint256 validAfter, uint256 validBefore) = (block.timestamp - 1, block.timestamp + 1 days);
        bytes memory call = abi.encodeWithSignature(
            "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)",
            annaPurse,
            belaPurse,
            1000,
            validAfter,
            validBefore,
            ORDER,
            v,
            r,
            s
        );
        _costs(STRANGER, coin, call, 85_000);
    }

    function testGasFreeze() public {
        _costs(LICENSEE, coin, abi.encodeCall(coin.freeze, (annaPurse, ORDER)), 37_000);
    }

    function testGasMint() public {
        _costs(MINTER, coin, abi.encodeCall(coin.mint, (annaPurse, 1000)), 55_000);
    }

    function _costs(address sender, ISovereignMoney money, bytes memory call, uint256 bound) private {
        vm.prank(sender);
        (bool done,) = address(money).call(call);
        isTrue(done);
        uint256 used = 21_000 + vm.lastCallGas().gasTotalUsed;
        for (uint256 i = 0; i < call.length; ++i) {
            used += call[i] == 0 ? 4 : 16;
        }
        if (used > bound) revert Unequal(vm.toString(used), vm.toString(bound));
    }
}
