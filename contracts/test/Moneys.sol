// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyEngine} from "../src/IPolicyEngine.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {IWalletRegistry} from "../src/IWalletRegistry.sol";
import {MoneyFactory} from "../src/MoneyFactory.sol";
import {PolicyEngine} from "../src/PolicyEngine.sol";
import {SovereignMoney} from "../src/SovereignMoney.sol";
import {Wallets} from "./Wallets.sol";

/// @title Moneys
/// @notice A nation with two currencies: `crown`, a central bank's (home ledger, bound), and `coin`, a licensed issuer's
///         (home chain, open). annaPurse and belaPurse are bound for the crown, at levels 1 and 2.
abstract contract Moneys is Wallets {
    uint16 internal constant CROWN = 1;
    uint16 internal constant COIN = 2;
    uint256 internal constant ANNA_SECRET = 0xA11A;
    uint256 internal constant BELA_SECRET = 0xBE1A;
    bytes32 internal constant ORDER = keccak256("order");
    bytes32 internal constant SECOND_ORDER = keccak256("second order");
    bytes32 internal constant THIRD_ORDER = keccak256("third order");
    bytes32 internal constant CLASS = keccak256("Bank");

    address internal constant CENTRAL_BANK = address(0xCB);
    address internal constant LICENSEE = address(0x11CE);
    address internal constant ATTESTOR = address(0xA77E);
    address internal constant BRIDGE = address(0xB81D);
    address internal constant MINTER = address(0x3171);
    address internal constant TREASURY = address(0x7EA5);

    address internal annaPurse;
    address internal belaPurse;
    MoneyFactory internal factory;
    PolicyEngine internal engine;
    ISovereignMoney internal crown;
    ISovereignMoney internal coin;

    function setUp() public virtual override {
        super.setUp();
        (annaPurse, belaPurse) = (signing.addr(ANNA_SECRET), signing.addr(BELA_SECRET));
        engine = new PolicyEngine(address(governance), address(wallets));
        factory = new MoneyFactory(address(governance), address(new SovereignMoney()));
        _giveToRoot(address(engine), engine.rootFunctions());
        _giveToRoot(address(factory), factory.rootFunctions());
        crown = _create(_crown());
        coin = _create(_coin());
        _bindAt(0, annaPurse, ANNA, 1);
        _bindAt(1, belaPurse, BELA, 2);
        _setTiers(type(uint64).max, type(uint64).max);
        vm.prank(CENTRAL_BANK);
        crown.setLimits(BRIDGE, 1_000_000, 1_000_000);
        vm.prank(LICENSEE);
        coin.setMinterLimits(MINTER, 1_000_000, 1_000_000);
        _attest(10_000_000);
    }

    function _giveToRoot(address target, bytes4[] memory selectors) internal {
        uint64 root = governance.ROOT();
        vm.prank(ADMIN);
        governance.setTargetFunctionRole(target, selectors, root);
    }

    function _create(ISovereignMoney.Opening memory opening) internal returns (ISovereignMoney money) {
        vm.prank(ROOT_HOLDER);
        return ISovereignMoney(factory.createCurrency(opening));
    }

    function _bindAt(uint24 index, address wallet, bytes32 pseudonym, uint8 level) internal {
        IWalletRegistry.Binding memory binding = _bindingOf(index, wallet, pseudonym);
        binding.level = level;
        binding.deadline = _now();
        _bind(binding);
    }

    /// @dev The same holding limit at level 1 and twice at level 2, and a daily limit for both.
    function _setTiers(uint64 holdingLimit, uint64 dailyLimit) internal {
        vm.prank(CENTRAL_BANK);
        engine.setPolicy(address(crown), _tiers(holdingLimit, dailyLimit), uint32(block.timestamp));
    }

    function _attest(uint256 amount) internal {
        vm.prank(ATTESTOR);
        coin.attestReserve(amount, _now(), _now() + 30 days);
    }

    function _fund(ISovereignMoney money, address to, uint256 amount) internal {
        bool byBridge = money.home() == ISovereignMoney.Home.LEDGER;
        vm.prank(byBridge ? BRIDGE : MINTER);
        if (byBridge) money.crosschainMint(to, amount);
        else money.mint(to, amount);
    }

    function _crown() internal view returns (ISovereignMoney.Opening memory opening) {
        return ISovereignMoney.Opening({
            currency: CROWN,
            code: "XND",
            name: "Digital Crown",
            decimals: 2,
            home: ISovereignMoney.Home.LEDGER,
            policyEngine: address(engine),
            issuer: CENTRAL_BANK,
            attestor: address(0)
        });
    }

    function _signDigest(uint256 secret, ISovereignMoney money, bytes32 message)
        internal
        view
        returns (bytes memory signature)
    {
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", money.DOMAIN_SEPARATOR(), message));
        (uint8 v, bytes32 r, bytes32 s) = signing.sign(secret, digest);
        return abi.encodePacked(r, s, v);
    }

    function _signPermit(uint256 secret, ISovereignMoney money, address spender, uint256 value, uint256 deadline)
        internal
        view
        returns (bytes memory signature)
    {
        address owner = signing.addr(secret);
        bytes32 kind = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 message = keccak256(abi.encode(kind, owner, spender, value, money.nonces(owner), deadline));
        return _signDigest(secret, money, message);
    }

    /// @dev Valid from a second ago for a day.
    function _signAuthorization(
        string memory kind,
        uint256 secret,
        ISovereignMoney money,
        address to,
        uint256 value,
        bytes32 nonce
    ) internal view returns (bytes memory signature) {
        bytes32 typeHash = keccak256(
            abi.encodePacked(
                kind,
                "WithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
            )
        );
        (uint256 validAfter, uint256 validBefore) = (block.timestamp - 1, block.timestamp + 1 days);
        bytes32 message =
            keccak256(abi.encode(typeHash, signing.addr(secret), to, value, validAfter, validBefore, nonce));
        return _signDigest(secret, money, message);
    }

    function _split(bytes memory signature) internal pure returns (uint8 v, bytes32 r, bytes32 s) {
        assembly ("memory-safe") {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
            v := byte(0, mload(add(signature, 96)))
        }
    }

    function _coin() internal pure returns (ISovereignMoney.Opening memory opening) {
        return ISovereignMoney.Opening({
            currency: COIN,
            code: "XNUSD",
            name: "Licensed Dollar",
            decimals: 6,
            home: ISovereignMoney.Home.CHAIN,
            policyEngine: address(0),
            issuer: LICENSEE,
            attestor: ATTESTOR
        });
    }

    function _tiers(uint64 holdingLimit, uint64 dailyLimit) internal pure returns (IPolicyEngine.Tier[3] memory tiers) {
        bool none = holdingLimit == type(uint64).max;
        tiers[0] = IPolicyEngine.Tier(holdingLimit, dailyLimit);
        tiers[1] = IPolicyEngine.Tier(none ? holdingLimit : 2 * holdingLimit, dailyLimit);
        tiers[2] = IPolicyEngine.Tier(type(uint64).max, type(uint64).max);
    }
}
