// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyEngine} from "../src/IPolicyEngine.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {MoneyFactory} from "../src/MoneyFactory.sol";
import {PolicyEngine} from "../src/PolicyEngine.sol";
import {SovereignMoney} from "../src/SovereignMoney.sol";
import {People} from "./Nation.sol";
import {SigningVm} from "./Wallets.sol";

/// @title Currencies
/// @notice A central bank's bound money XND at home on the ledger, and a stablecoin XNS at home on the chain, both of
///         ISSUER, and how they are used.
abstract contract Currencies is People {
    SigningVm private constant SIGNING = SigningVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bytes32 private constant RECEIVE_TYPE = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,"
        "uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );

    address internal constant ISSUER = address(0x155);
    bytes32 internal constant SETTLER = keccak256("settlement");
    bytes32 internal constant FREEZE = keccak256("freeze");

    ISovereignMoney internal cbdc;
    ISovereignMoney internal coin;
    PolicyEngine internal engine;

    /// @dev Without limits of tiers, so that those of the rails are what is met.
    function _createCurrencies(address verifier) internal {
        engine = new PolicyEngine(address(governance), verifier);
        MoneyFactory factory = new MoneyFactory(address(governance), address(new SovereignMoney()));
        _giveToRoot(address(engine), engine.rootFunctions());
        _giveToRoot(address(factory), factory.rootFunctions());
        cbdc = _create(factory, 1, "XND", ISovereignMoney.Home.LEDGER, address(engine), address(0));
        coin = _create(factory, 2, "XNS", ISovereignMoney.Home.CHAIN, address(0), ISSUER);
        IPolicyEngine.Tier[3] memory tiers;
        for (uint256 i = 0; i < 3; ++i) {
            tiers[i] = IPolicyEngine.Tier({holdingLimit: type(uint64).max, dailyLimit: type(uint64).max});
        }
        vm.prank(ISSUER);
        engine.setPolicy(address(cbdc), tiers, uint32(block.timestamp));
        vm.prank(ISSUER);
        coin.setMinterLimits(ISSUER, 100_000_000, 0);
        vm.prank(ISSUER);
        coin.attestReserve(100_000_000, uint64(block.timestamp), uint64(block.timestamp) + 30 days);
    }

    function _create(
        MoneyFactory factory,
        uint16 number,
        string memory code,
        ISovereignMoney.Home home,
        address policyEngine,
        address attestor
    ) private returns (ISovereignMoney money) {
        ISovereignMoney.Opening memory opening = ISovereignMoney.Opening({
            currency: number,
            code: code,
            name: code,
            decimals: 2,
            home: home,
            policyEngine: policyEngine,
            issuer: ISSUER,
            attestor: attestor
        });
        vm.prank(ROOT_HOLDER);
        return ISovereignMoney(factory.createCurrency(opening));
    }

    function _giveToRoot(address target, bytes4[] memory selectors) internal {
        uint64 root = governance.ROOT();
        vm.prank(ADMIN);
        governance.setTargetFunctionRole(target, selectors, root);
    }

    function _setInstitution(address account, bytes32 class) internal {
        vm.prank(ISSUER);
        engine.setInstitution(address(cbdc), account, class);
    }

    function _issueCoin(address to, uint256 amount) internal {
        vm.prank(ISSUER);
        coin.mint(to, amount);
    }

    function _freeze(ISovereignMoney money, address account) internal {
        vm.prank(ISSUER);
        money.freeze(account, FREEZE);
    }

    function _unfreeze(ISovereignMoney money, address account) internal {
        vm.prank(ISSUER);
        money.unfreeze(account, FREEZE);
    }

    function _pauseMoney(ISovereignMoney money) internal {
        vm.prank(GUARD);
        money.pause(1 days);
    }

    function _approve(ISovereignMoney money, address owner, address spender, uint256 amount) internal {
        vm.prank(owner);
        money.approve(spender, amount);
    }

    /// @dev EIP-3009's ReceiveWithAuthorization, valid until a day from now.
    function _authorize(ISovereignMoney money, uint256 secret, address to, uint256 amount, bytes32 nonce)
        internal
        view
        returns (bytes memory signature)
    {
        bytes32 hashed = keccak256(
            abi.encode(RECEIVE_TYPE, SIGNING.addr(secret), to, amount, 0, block.timestamp + 1 days, nonce)
        );
        return _signDigest(secret, keccak256(abi.encodePacked(hex"1901", money.DOMAIN_SEPARATOR(), hashed)));
    }

    function _signDigest(uint256 secret, bytes32 digest) internal pure returns (bytes memory signature) {
        (uint8 v, bytes32 r, bytes32 s) = SIGNING.sign(secret, digest);
        return abi.encodePacked(r, s, v);
    }
}
