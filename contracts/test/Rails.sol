// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRailGate} from "../src/IRailGate.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {RailGate} from "../src/RailGate.sol";
import {Currencies} from "./Currencies.sol";
import {Wallets} from "./Wallets.sol";

/// @title Rails
/// @notice A nation with both currencies open at the gate. Anna has PURSE and SAFE, Bela has PHONE and a wallet of his
///         own key; nobody is known behind STRANGER. OPERATOR speaks for the ledger.
abstract contract Rails is Wallets, Currencies {
    address internal constant OPERATOR = address(0x0E);
    address internal constant RIVAL = address(0x0F);
    uint256 internal constant BELA_SECRET = 0xBE1A;
    uint64 internal constant CEILING = 1_000_000;
    uint32 internal constant ACCOUNT = 77;
    bytes32 internal constant OP = keccak256("operation");
    bytes32 internal constant OP2 = keccak256("second operation");

    RailGate internal gate;
    address internal belasWallet;

    function setUp() public virtual override {
        super.setUp();
        belasWallet = signing.addr(BELA_SECRET);
        vm.prank(ROOT_HOLDER);
        wallets.setWalletsMost(MONEY, 4);
        _bind(_bindingOf(1, PURSE, ANNA));
        _bind(_bindingOf(2, SAFE, ANNA));
        _bind(_bindingOf(3, PHONE, BELA));
        _bind(_bindingOf(4, belasWallet, BELA));
        _createCurrencies(address(wallets));
        gate = new RailGate(address(dids), address(governance));
        _giveToRoot(address(gate), gate.rootFunctions());
        _setInstitution(address(gate), keccak256("rail"));
        vm.prank(ISSUER);
        cbdc.setLimits(address(gate), 100_000_000, 100_000_000);
        _open(address(cbdc), IRailGate.Home.LEDGER);
        _open(address(coin), IRailGate.Home.CHAIN);
    }

    function _open(address money, IRailGate.Home home) internal {
        vm.prank(ROOT_HOLDER);
        gate.openCurrency(money, home, OPERATOR, CEILING);
    }

    function _arrive(ISovereignMoney money, bytes32 opId, address to, uint256 amount) internal {
        IRailGate.Arrival[] memory arrivals = _arrival(money, opId, to, amount);
        vm.prank(OPERATOR);
        gate.arrive(arrivals);
    }

    function _arrival(ISovereignMoney money, bytes32 opId, address to, uint256 amount)
        internal
        pure
        returns (IRailGate.Arrival[] memory arrivals)
    {
        arrivals = new IRailGate.Arrival[](1);
        arrivals[0] = IRailGate.Arrival({opId: opId, money: address(money), to: to, amount: amount});
    }

    function _depart(ISovereignMoney money, address from, uint256 amount) internal returns (bytes32 opId) {
        if (gate.currencyOf(address(money)).home == IRailGate.Home.CHAIN) _approve(money, from, address(gate), amount);
        return _send(money, from, amount);
    }

    /// @dev One call, without what has to come before it.
    function _send(ISovereignMoney money, address from, uint256 amount) internal returns (bytes32 opId) {
        vm.prank(from);
        return gate.depart(address(money), ACCOUNT, amount);
    }

    function _cancel(ISovereignMoney money, bytes32 opId) internal {
        vm.prank(OPERATOR);
        gate.cancel(address(money), opId);
    }

    function _refund(ISovereignMoney money, bytes32 opId) internal {
        vm.prank(OPERATOR);
        gate.refund(address(money), opId);
    }

    function _settle(ISovereignMoney money, bytes32 opId, address to) internal {
        vm.prank(OPERATOR);
        gate.settleSuspense(address(money), opId, to);
    }

    function _return(ISovereignMoney money, bytes32 opId) internal {
        vm.prank(OPERATOR);
        gate.returnSuspense(address(money), opId);
    }

    function _isIn(ISovereignMoney money, bytes32 opId, IRailGate.State state) internal view {
        equal(uint256(gate.operation(address(money), opId).state), uint256(state));
    }

    /// @dev What the gate, the money and a reader can see of a currency's books at once.
    function _isBooked(ISovereignMoney money, uint256 held, uint256 suspended) internal view {
        IRailGate.Currency memory currency = gate.currencyOf(address(money));
        equal(currency.held, held);
        equal(currency.suspended, suspended);
        bool byLedger = currency.home == IRailGate.Home.LEDGER;
        equal(gate.outstandingOf(address(money)), byLedger ? held : 0);
        equal(gate.lockedOf(address(money)), byLedger ? 0 : held);
        equal(gate.inTransitOf(address(money)), suspended);
        equal(byLedger ? money.totalSupply() : money.balanceOf(address(gate)), held);
    }
}
