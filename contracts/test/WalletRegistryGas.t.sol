// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IWalletRegistry} from "../src/IWalletRegistry.sol";
import {Wallets} from "./Wallets.sol";

/// @notice What wallets cost. Each test is one call; everything it builds on stands in setUp, so that storage is cold.
contract WalletGasTest is Wallets {
    IWalletRegistry.Binding private _next;
    bytes private _byOwner;
    bytes private _byKey;

    function setUp() public override {
        super.setUp();
        for (uint24 i = 0; i < 2; ++i) {
            _bind(_bindingOf(i, i == 0 ? PURSE : PHONE, i == 0 ? ANNA : keccak256("Cyra")));
        }
        _next = _bindingOf(2, SAFE, BELA);
        _byOwner = _signed(_next);
        _byKey = _signedP256(P256_SECRET, _next);
    }

    /// @dev What a token pays, the first touch of both contracts' accounts included (2,600 each).
    function testGasIsValid() public view {
        isTrue(wallets.isValid(PURSE, MONEY));
    }

    function testGasStandingOf() public view {
        (bool valid,,,) = wallets.standingOf(PURSE, MONEY);
        isTrue(valid);
    }

    function testGasIsValidOfAnUnboundWallet() public view {
        isFalse(wallets.isValid(STRANGER, MONEY));
    }

    /// @dev Cold: one read of storage here, two in StatusRegistry, and its account. A transfer asks about both sides: the
    ///      second question finds the account and, with the same issuer, the list warm.
    function testTheQuestionsOfATransferTogetherStayBelowTwentyThousand() public view {
        wallets.isValid(PURSE, MONEY);
        uint64 first = vm.lastCallGas().gasTotalUsed;
        wallets.isValid(PHONE, MONEY);
        uint64 second = vm.lastCallGas().gasTotalUsed;
        isTrue(first < 12_000 && second < 8000 && first + second < 20_000);
    }

    function testGasBindByOwner() public {
        wallets.bind(_next, _byOwner);
    }

    /// @dev Without the precompile of RIP-7212, which this machine's EVM version lacks.
    function testGasBindByP256InSolidity() public {
        wallets.bind(_next, _byKey);
    }

    function testGasUnbind() public {
        address[] memory list = new address[](1);
        list[0] = PURSE;
        vm.prank(PURSE);
        wallets.unbind(MONEY, list);
    }
}
